"""Acme in tests: one server per run, one locked-out copy per test."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from breakglass.practice import databases, doors
from breakglass.practice.cluster import Cluster
from breakglass.practice.platform import APP, PlatformLogins, PlatformPasswords, build, clone, ensure_logins
from tests import postgres

TEMPLATE = "acme_template"
LOGINS = PlatformLogins(app="app-password", reader="reader-password", broker="broker-password")
PASSWORDS = PlatformPasswords(root="the root password", member="a member password")


@dataclass(frozen=True)
class Acme:
    """One locked-out platform. `name` is what the platform file calls it."""

    cluster: Cluster
    dbname: str
    file: Path
    name: str = "acme"
    passwords: PlatformPasswords = field(default=PASSWORDS)

    @property
    def app_url(self) -> str:
        """How the platform's own site connects."""
        return self.cluster.url(APP, LOGINS.app, self.dbname)

    def connect(self) -> psycopg.Connection:
        """A superuser's connection: the platform's DBA, or an attacker with everything."""
        return self.cluster.connect(self.dbname)

    def rows(self, statement: str, *parameters: object) -> list[dict[str, Any]]:
        with self.connect() as connection:
            return connection.cursor(row_factory=dict_row).execute(statement, parameters).fetchall()

    def end_sessions(self, which: str = "usename ~ '^bg_'") -> None:
        """End sessions of this database, those of temporary logins if nothing else is said, and wait until they are gone."""
        with self.connect() as connection:
            own = f"FROM pg_stat_activity WHERE datname = current_database() AND {which}"
            query = f"SELECT pg_terminate_backend(pid), pg_sleep(0.02) {own}"
            while connection.execute(query).fetchall():
                pass

    def owner(self, email: str = "dana@acme.example") -> dict[str, Any]:
        """The whole row of one account."""
        return self.rows("SELECT * FROM adminuser WHERE email = %s", email)[0]


@contextmanager
def alone(run: Path) -> Iterator[None]:
    """One worker at a time: roles are cluster-wide, and two that make the same one at once would collide."""
    with (run / "platform.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def start(run: Path) -> Cluster:
    """The run's platform server with the template in it; whoever asks first makes it."""
    binaries = postgres.binaries(postgres.chosen())
    cluster = Cluster(run / "platform", durable=False, binaries=binaries).start()
    with alone(run), cluster.connect() as connection:
        if not databases.exists(connection, TEMPLATE):
            ensure_logins(connection, LOGINS)
            build(cluster, TEMPLATE, PASSWORDS)
    return cluster


def copy(run: Path, cluster: Cluster, dbname: str) -> None:
    """A copy of the template with the console's doors in it."""
    with alone(run):
        with cluster.connect() as connection:
            clone(connection, TEMPLATE, dbname)
        with cluster.connect(dbname) as connection:
            doors.install(connection, master_key=bytes.fromhex(os.environ["KEEPER_KEY"]))


def forget(run: Path, cluster: Cluster, dbname: str) -> None:
    with alone(run), cluster.connect() as connection:
        databases.drop(connection, dbname)
        doors.forget(connection, dbname)
