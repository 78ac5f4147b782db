"""P11 of the fault list: the console's own database is down before a run, or goes down while one is under way."""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.test import Client

from recovery.models import Run
from tests.faults.servers import Fragile
from tests.recovery.stage import Stage


def client() -> Client:
    """Somebody who had signed in before."""
    made = Client(raise_request_exception=False)
    made.cookies["sessionid"] = "a" * 32
    return made


@pytest.fixture
def away(fragile: Stage, fragile_console: Fragile) -> Iterator[None]:
    """The console's server has crashed."""
    fragile_console.crash()
    connections.close_all()
    yield
    fragile_console.start()
    connections.close_all()


@pytest.mark.parametrize("path", ["/", "/incidents/BG-2026-0001/execute/", "/handover/some-token/"])
def test_p11_page_says_that_the_database_is_away(away: None, path: str) -> None:
    answer = client().get(path)

    assert answer.status_code == 503
    assert "The console's database does not answer" in answer.content.decode()
    assert "Nothing new is started" in answer.content.decode()


def test_p11_nothing_starts_while_the_database_is_away(fragile: Stage, fragile_console: Fragile) -> None:
    before = fragile.place.acme.owner()
    fragile_console.crash()
    connections.close_all()

    answer = client().post("/handover/some-token/", {"code": "x", "password": "y"})

    fragile_console.start()
    connections.close_all()
    assert answer.status_code == 503
    assert fragile.place.acme.owner() == before
    assert not Run.objects.exists()
