"""Acme, the platform to practise on, in a server of its own (roles are cluster-wide): built locked out, ready for the console."""

import secrets
from dataclasses import dataclass
from pathlib import Path

import psycopg
from argon2 import PasswordHasher

from breakglass.practice import databases
from breakglass.practice.cluster import Cluster

DBNAME = "acme"
APP, READER, BROKER = "acme_app", "breakglass_reader", "breakglass_broker"
SCHEMA = Path(__file__).with_name("platform.sql")
LOCKOUT = Path(__file__).with_name("lockout.sql")


@dataclass(frozen=True)
class PlatformLogins:
    """The passwords of the database logins: the platform's own site, and the console's two."""

    app: str
    reader: str
    broker: str


@dataclass(frozen=True)
class PlatformPasswords:
    """The passwords that somebody still knows. Dana's and Lee's are known to nobody."""

    root: str
    member: str


def ensure_logins(connection: psycopg.Connection, logins: PlatformLogins) -> None:
    for name, password in ((APP, logins.app), (READER, logins.reader), (BROKER, logins.broker)):
        databases.ensure_login(connection, name, password)


def build(cluster: Cluster, dbname: str, passwords: PlatformPasswords) -> None:
    """Make the platform's database as it is on the day that nobody can administer it any more. The logins exist already."""
    draft = f"{dbname}_draft"  # gets its name when it is complete: a set-up that was killed starts again
    with cluster.connect() as connection:
        databases.drop(connection, draft)
        databases.create(connection, draft)
    with cluster.connect(draft) as connection, connection.transaction():
        _tell_hashes(connection, passwords)
        connection.execute(SCHEMA.read_bytes())
        connection.execute(LOCKOUT.read_bytes())
    with cluster.connect() as connection:
        databases.rename(connection, draft, dbname)
        databases.admit(connection, dbname, APP, READER, BROKER)


def lock_out(connection: psycopg.Connection, passwords: PlatformPasswords) -> None:
    """Make it that day again, after a recovery: over a superuser's connection to the platform's database."""
    with connection.transaction():
        _tell_hashes(connection, passwords)
        connection.execute(LOCKOUT.read_bytes())


def is_locked_out(connection: psycopg.Connection) -> bool:
    """Whether no owner could sign in, by the platform's own rules."""
    able = "is_active AND deleted_at IS NULL AND failed_logins < 10 AND role = 'platform_owner'"
    return connection.execute(f"SELECT FROM adminuser WHERE {able}").fetchone() is None


def _tell_hashes(connection: psycopg.Connection, passwords: PlatformPasswords) -> None:
    for name, text in _hashes(passwords).items():
        connection.execute("SELECT set_config(%s, %s, true)", [f"practice.{name}", text])


def _hashes(passwords: PlatformPasswords) -> dict[str, str]:
    # As the platform's own site makes them; the console takes scheme and cost from these rows.
    make = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1).hash
    known = {"root": passwords.root, "member": passwords.member}
    forgotten = {name: secrets.token_urlsafe(32) for name in ("dana", "lee")}
    return {name: make(password) for name, password in (known | forgotten).items()}


def clone(connection: psycopg.Connection, template: str, dbname: str) -> None:
    """A copy of a platform's database, with the same logins admitted."""
    databases.create(connection, dbname, template=template)
    databases.admit(connection, dbname, APP, READER, BROKER)
