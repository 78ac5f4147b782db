"""What the journeys share: a running set-up per test process, seats for people, and checks that no test can forget."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.journeys.practice import ROOT, Site
from tests.journeys.seats import Album, Stage
from tests.journeys.watch import Watch

ARTEFACTS = ROOT / "test-results" / "journeys"
NOWHERE_ELSE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"  # also for the browser's own errands
Stages = Callable[..., Stage]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """No way out of this machine."""
    given = browser_type_launch_args.get("args", [])
    return browser_type_launch_args | {"args": [*given, "--disable-background-networking", NOWHERE_ELSE]}


@pytest.fixture(scope="session")
def practice_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The real processes, started once for this test process, ended with it."""
    site = Site(tmp_path_factory.mktemp("journeys") / "home")
    try:
        yield site.start()
    finally:
        site.end()


@pytest.fixture
def site(practice_site: Site) -> Site:
    """The set-up on the day that nobody can administer Acme any more."""
    practice_site.lock_out()
    return practice_site


@pytest.fixture(autouse=True)
def watch(site: Site) -> Iterator[Watch]:
    """Whatever goes wrong on any page fails the test at its end."""
    seen = Watch((site.base, site.acme))
    yield seen
    assert not seen.faults, "\n".join(seen.faults)


@pytest.fixture
def stages(browser: Browser, site: Site, watch: Watch) -> Iterator[Stages]:
    """Makes a stage: `stages("desktop", "story")` gives seats at desktops whose pictures go into the folder «story»."""
    made: list[Stage] = []

    def make(device: str, folder: str, **settings: Any) -> Stage:
        made.append(Stage(browser, site, watch, Album(Path(ARTEFACTS, folder)), device, **settings))
        return made[-1]

    yield make
    for stage in made:
        stage.clear()
