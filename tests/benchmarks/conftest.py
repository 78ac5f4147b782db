"""What benchmarks share: servers that flush, and the table at the end."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from breakglass.practice.cluster import Cluster
from tests.acme import Acme
from tests.benchmarks.figures import NOTE, Figure, table
from tests.recovery.doors import furnish
from tests.recovery.stage import Stage

FLUSHING = ("fsync", "synchronous_commit", "full_page_writes")
FIGURES = pytest.StashKey[list[Figure]]()


def flush(connection: psycopg.Connection) -> None:
    """Turn on what tests turn off."""
    for name in FLUSHING:
        connection.execute(f"ALTER SYSTEM SET {name} = 'on'")
    connection.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session", autouse=True)
def _servers_flush(console_server: psycopg.Connection, platform_server: Cluster) -> None:
    flush(console_server)
    with platform_server.connect() as connection:
        flush(connection)


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> list[Figure]:
    """Where a benchmark puts what it has measured."""
    return request.config.stash.setdefault(FIGURES, [])


@pytest.fixture
def root(console: str) -> Iterator[psycopg.Connection]:
    """A superuser's connection to the console database: what fills it faster than the console would."""
    with Cluster(Path(os.environ["BREAKGLASS_TEST_RUN"]) / "console", durable=False).connect(console) as connection:
        yield connection


@pytest.fixture
def stage(console: str, platform: Acme) -> Stage:
    """The locked-out platform with its doors."""
    return Stage(furnish(platform), console)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(FIGURES, [])
    if found:
        terminalreporter.write_line(f"\n{table(found)}\n\n{NOTE}")
