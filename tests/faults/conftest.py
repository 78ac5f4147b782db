"""Fixtures of the fault tests.

`--full` (make faults) takes every cell of the matrix and what stands in slow/; without it (make test) the decisive ones.
"""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
from django.db import connections
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from breakglass.practice import console as console_database
from breakglass.practice import databases, doors, platform_file
from breakglass.practice.cluster import Cluster
from tests import acme
from tests.acme import Acme
from tests.conftest import RUN
from tests.faults import servers
from tests.faults.invariants import Witness, counting
from tests.faults.servers import Fragile
from tests.plugin import TEMPLATE
from tests.recovery.doors import furnish
from tests.recovery.stage import Stage

NUMBERS = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="every cell of the fault matrix")


@pytest.fixture
def stage(console: str, platform: Acme) -> Stage:
    """The locked-out platform with its doors; a superuser's trigger counts every change that is kept."""
    with platform.connect() as connection:
        counting(connection)
    return Stage(furnish(platform), console)


@pytest.fixture(scope="session")
def fragile_console(console_server: psycopg.Connection) -> Iterator[Fragile]:
    """A console's server that tests may crash; made on the first use."""
    made = servers.console_like(Cluster(RUN / "console", durable=False), root_of("fragile-console"))
    yield made
    made.remove()


@pytest.fixture(scope="session")
def fragile_platform() -> Iterator[Fragile]:
    """A platform's server that tests may crash."""
    made = servers.platform_server(root_of("fragile-platform"))
    yield made
    made.remove()


@pytest.fixture
def fragile(
    fragile_console: Fragile,
    fragile_platform: Fragile,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Stage]:
    """As `stage`, on two servers that may crash."""
    name = f"fragile_{next(NUMBERS)}"
    with fragile_console.connect() as connection:
        console_database.clone(connection, TEMPLATE, name)
    acme.copy(RUN, fragile_platform, name)
    file = platform_file.write(
        tmp_path, fragile_platform, name, acme.LOGINS, sign_in_url="http://127.0.0.1:1/", log=tmp_path / "acme.log"
    )
    settings.PLATFORMS_FILE = file
    monkeypatch.setenv("KEEPER_DATABASE_URL", moved(os.environ["KEEPER_DATABASE_URL"], fragile_console))
    before = {alias: dict(connections.databases[alias]) for alias in connections}
    servers.point_at(fragile_console, name)
    with fragile_platform.connect(name) as connection:
        counting(connection)
    with django_db_blocker.unblock():
        yield Stage(furnish(acme.Acme(fragile_platform, name, file)), name)
        connections.close_all()
    for alias, place in before.items():
        connections.databases[alias] |= place
    for cluster in (fragile_console, fragile_platform):
        with cluster.start().connect() as connection:
            databases.drop(connection, name)
    with fragile_platform.connect() as connection:
        doors.forget(connection, name)


@pytest.fixture
def standby(fragile: Stage, fragile_platform: Fragile) -> Iterator[Fragile]:
    """A standby that follows the platform's server."""
    made = fragile_platform.copy(root_of("standby")).follow(fragile_platform)
    made.start()
    yield made
    made.remove()


@pytest.fixture
def earlier(fragile: Stage, fragile_platform: Fragile) -> Iterator[Fragile]:
    """The server's files as they were before the run, put back: the same timeline, and the same ids once more."""
    made = fragile_platform.copy(root_of("earlier"))
    yield made
    made.remove()


@pytest.fixture
def loaded(fragile: Stage, platform_server: Cluster) -> Iterator[Cluster]:
    """Where a dump of the platform is loaded: a server with another system identifier."""
    dbname = fragile.place.acme.dbname
    with platform_server.connect() as connection:
        connection.execute(f"CREATE DATABASE {dbname}")
        connection.execute(f"GRANT CONNECT ON DATABASE {dbname} TO breakglass_reader, breakglass_broker")
    yield platform_server
    acme.forget(Path(platform_server.root).parent, platform_server, dbname)


def root_of(name: str) -> Path:
    """Beside the run's other servers, so that a run which is killed leaves nothing behind. Each worker has its own."""
    return RUN / f"{name}-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


def moved(url: str, cluster: Fragile) -> str:
    """The same login on another server."""
    found = urlsplit(url)
    return cluster.url(unquote(found.username or ""), unquote(found.password or ""), found.path.lstrip("/"))


@pytest.fixture
def witness(stage: Stage, tmp_path: Path) -> Witness:
    """Who looks, after each fault, whether everything that must always hold does hold."""
    return Witness(stage, tmp_path)
