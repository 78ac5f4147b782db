"""A small sign-in site on 127.0.0.1 that answers as a test wants it to, and a platform whose profile signs in there."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from recovery import platforms
from recovery.language import profiles
from recovery.platforms import Platform

SAAS = (profiles.SHIPPED / "saas.toml").read_text()
PLATFORM = """
[platform.foreign]
title = "Foreign"
profile = "foreign.toml"
ticket_pattern = "OPS-[0-9]+"
ticket_example = "OPS-1"
reader_env = "FOREIGN_READER"
broker_env = "FOREIGN_BROKER"
"""


@dataclass
class Asked:
    """One request as the site saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Handler(BaseHTTPRequestHandler):
    """Looks its answer up in the site's table."""

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, headers, self.rfile.read(length).decode())
        self.server.site.asked.append(asked)
        reply = self.server.site.replies.get((self.command, self.path))
        if reply is None:
            self.send(404, "no such page")
        else:
            reply(self, asked)

    do_GET = do_POST = do_PUT = do_PATCH = answer

    def send(self, status: int, content: Any = "", **headers: str) -> None:
        """One answer: a text, or anything else as JSON; header names with underscores."""
        body = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_said: Any) -> None:
        """Nothing on the terminal."""


@dataclass
class Site:
    """The running site: what it answers, and what it was asked."""

    url: str
    replies: dict[tuple[str, str], Callable[[Handler, Asked], None]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def replies_with(self, method: str, path: str, status: int = 200, content: Any = "", **headers: str) -> None:
        self.replies[method, path] = lambda handler, _asked: handler.send(status, content, **headers)


class Server(ThreadingHTTPServer):
    """Says nothing when a visitor breaks off: many tests make it do so."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_where: Any) -> None:
        """Nothing on the terminal."""


@contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """A site on a free port until the block ends."""
    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.site = Site(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def profile_with(check: str) -> str:
    """The shipped profile `saas` with another login check."""
    before, _ours, after = SAAS.partition("[[login_check.step]]")
    return f"{before}{check}\n# A) {after.partition('# A) ')[2]}"


def platform_with(folder: Path, check: str, *, url: str, more: str = "") -> Platform:
    """A platform whose profile signs in at this address; more: further lines of its file.

    PLATFORMS_FILE must be the file `platforms.toml` of the folder.
    """
    (folder / "foreign.toml").write_text(profile_with(check))
    (folder / "platforms.toml").write_text(f'{PLATFORM}sign_in_url = "{url}"\n{more}\n')
    return platforms.get("foreign")
