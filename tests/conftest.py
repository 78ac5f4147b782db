"""What all tests share: a console database of their own, as the app role, with every trigger on."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from breakglass.practice import console as console_database
from breakglass.practice import databases
from breakglass.practice.cluster import Cluster
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
