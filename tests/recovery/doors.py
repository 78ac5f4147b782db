"""Builders for the platform side: a platform whose DBA ran the set-up, and mandates as the keeper makes them."""

import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from django.conf import settings

from recovery import platforms
from recovery.doors import access, grants
from recovery.doors.access import Login
from recovery.doors.mandates import Mandate, door_key, sign
from recovery.platforms import Platform
from tests.acme import Acme


@dataclass(frozen=True)
class Place:
    """A platform with doors. key is what its door and the keeper share."""

    acme: Acme
    platform: Platform
    system_identifier: str
    key: bytes

    def mandate(self, login: Login, **parts: Any) -> Mandate:
        """A mandate as the keeper makes them, for five minutes of a password reset; parts replaces some of it."""
        standard = Mandate(
            access_id=login.access_id,
            kind="reset",
            incident="BG-2026-0001",
            digest="0" * 64,
            verifier_sha256=login.verifier_sha256,
            until=datetime.now(UTC) + timedelta(minutes=5),
            nonce=secrets.token_urlsafe(24),
            system_identifier=self.system_identifier,
            database_name=self.acme.dbname,
        )
        return replace(standard, **parts)

    def open(self, **parts: Any) -> Login:
        login = access.prepare(uuid.uuid4())
        mandate = self.mandate(login, **parts)
        access.open(self.platform, login, mandate=mandate, signature=sign(mandate, self.key))
        return login

    @contextmanager
    def connect(self, login: Login) -> Iterator[psycopg.Connection]:
        """As the temporary login, without the console's own timeouts and translations."""
        with psycopg.connect(self.acme.cluster.url(login.role, login.password, self.acme.dbname)) as connection:
            yield connection

    def roles(self) -> list[str]:
        """Temporary logins of this database, by the server's own catalog."""
        query = """
            SELECT r.rolname FROM pg_roles r JOIN pg_auth_members m ON m.member = r.oid
            JOIN pg_roles c ON c.oid = m.roleid
            WHERE r.rolname LIKE 'bg\\_%%' AND c.rolname = ANY(%s)
        """
        kinds = ("create", "reset", "enable", "disable", "restore")
        return [row["rolname"] for row in self.acme.rows(query, [_capability(kind, self) for kind in kinds])]


def _capability(kind: str, place: Place) -> str:
    return grants.capability(kind, place.acme.dbname)


def furnish(acme: Acme) -> Place:
    """Let the DBA run the set-up for the platform's profile, with the key that the keeper derives."""
    platform = platforms.get(acme.name)
    with acme.connect() as connection:
        found = connection.execute("SELECT system_identifier::text FROM pg_control_system()").fetchone()
        key = door_key(bytes.fromhex(settings.KEEPER_KEY), system_identifier=found[0], database_name=acme.dbname)
        grants.install(connection, platform.profile, door_key=key)
    return Place(acme, platform, found[0], key)
