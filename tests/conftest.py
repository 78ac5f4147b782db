"""What all tests share: a console database of their own, as the app role, with every trigger on."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from breakglass.practice import console as console_database
from breakglass.practice import databases, platform_file
from breakglass.practice.cluster import Cluster
from recovery.points import fail_points
from tests import acme
from tests.plugin import NOWHERE, TEMPLATE

RUN = Path(os.environ["BREAKGLASS_TEST_RUN"])
NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def console_server() -> Iterator[psycopg.Connection]:
    """A superuser's connection to the console's server, for making clones and for playing the attacker with root."""
    with Cluster(RUN / "console", durable=False).connect() as connection:
        yield connection


@pytest.fixture
def console(console_server: psycopg.Connection, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A fresh console database; `default` is the app role, `owner` the owner. Commits are real, nothing is rolled back."""
    name = f"console_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{next(NUMBERS)}"
    console_database.clone(console_server, TEMPLATE, name)
    _point_at(name)
    with django_db_blocker.unblock():
        yield name
        connections.close_all()
    _point_at(NOWHERE)
    databases.drop(console_server, name)


@pytest.fixture
def _django_db_helper(console: str) -> None:
    """Stands in for pytest-django's own: its flush needs TRUNCATE, which our triggers refuse. So every mark means `console`."""


def _point_at(name: str) -> None:
    connections.close_all()
    for alias in connections:
        connections.databases[alias]["NAME"] = name


@pytest.fixture(autouse=True)
def _no_point_is_left() -> Iterator[None]:
    """What a test has happen at a named point of a run, happens in no other test."""
    yield
    fail_points.clear()


@pytest.fixture(scope="session")
def platform_server() -> Cluster:
    """The server that Acme lives in: not the console's, since roles are cluster-wide."""
    return acme.start(RUN)


@pytest.fixture
def platform(platform_server: Cluster, settings: Settings, tmp_path: Path) -> Iterator[acme.Acme]:
    """Acme as it is on the day that nobody can administer it any more, and a platform file that leads to it."""
    dbname = f"acme_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{next(NUMBERS)}"
    acme.copy(RUN, platform_server, dbname)
    settings.PLATFORMS_FILE = platform_file.write(
        tmp_path, platform_server, dbname, acme.LOGINS, sign_in_url="http://127.0.0.1:1/", log=tmp_path / "acme.log"
    )
    yield acme.Acme(platform_server, dbname, settings.PLATFORMS_FILE)
    acme.forget(RUN, platform_server, dbname)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The Chromium that `make test` found; root has no sandbox to put it into."""
    found = {"executable_path": os.environ["CHROMIUM"]} if "CHROMIUM" in os.environ else {}
    sandbox = {"args": ["--no-sandbox"]} if os.geteuid() == 0 else {}
    return browser_type_launch_args | found | sandbox


@pytest.fixture(scope="session", autouse=True)
def delete_output_dir() -> None:
    """Stands in for pytest-playwright's own, with which each process of a run throws away what another one has photographed."""
