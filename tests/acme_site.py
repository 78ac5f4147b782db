"""Acme's own sign-in site in tests, on a port of 127.0.0.1, and a platform file that leads there."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from breakglass.practice.site import application
from tests.acme import Acme

NOBODY = "http://127.0.0.1:1/"


class Quiet(WSGIRequestHandler):
    """Nothing on the terminal."""

    def log_message(self, *_said: object) -> None:
        """Nothing."""


@contextmanager
def serving(platform: Acme, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Acme's site on this platform's database until the block ends; its address."""
    monkeypatch.setenv("ACME_DATABASE_URL", platform.app_url)
    monkeypatch.setenv("ACME_LOG", str(platform.file.with_name("acme.log")))
    with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def lead_to(platform: Acme, url: str, *, profile: str = "saas") -> None:
    """The platform file says that people sign in there. Before an incident is opened: plans carry the file's digest."""
    text = platform.file.read_text().replace(NOBODY, url).replace('profile = "saas"', f'profile = "{profile}"')
    platform.file.write_text(text)
