"""Temporary logins on a platform, through its doors: opened by a mandate, closed in two commits, proven gone.

The password of such a login lives in this process's memory only, and only for one run.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from .. import database
from ..platform_refusals import PlatformLoginRefused, PlatformRefused
from ..platforms import Platform
from ..points import passed
from ..refusals import AccessNotProven, DoorShut
from .mandates import Mandate, verifier_digest

ITERATIONS = 4096  # PostgreSQL's own default; the password is 32 random bytes, so more would protect nothing
DOOR = "BGD"  # the doors' own SQLSTATEs
STATE = "SELECT role_exists, can_login, sessions, prepared, opened_at, until, closed_at, clock_timestamp()"


@dataclass(frozen=True, slots=True)
class Login:
    """A temporary login before and while it exists. verifier is what the server gets instead of the password.

    name: of a role that was made beforehand; otherwise the access id names it.
    """

    access_id: UUID
    password: str = field(repr=False)
    verifier: str = field(repr=False)
    name: str = ""

    @property
    def role(self) -> str:
        return self.name or role_of(self.access_id)

    @property
    def verifier_sha256(self) -> str:
        """What the mandate names."""
        return verifier_digest(self.verifier)


@dataclass(frozen=True, slots=True)
class State:
    """What the platform says of one access. sessions and prepared: how many are left."""

    role_exists: bool
    can_login: bool
    sessions: int
    prepared: int
    opened_at: datetime | None
    until: datetime | None
    closed_at: datetime | None
    at: datetime

    @property
    def is_gone(self) -> bool:
        return not self.role_exists and self.sessions == 0 and self.prepared == 0


@dataclass(frozen=True, slots=True)
class LeftOver:
    """An access that is not closed. incident is empty for a role that no opening explains."""

    access_id: UUID
    role: str
    incident: str
    opened_at: datetime | None
    until: datetime | None


def role_of(access_id: UUID) -> str:
    return f"bg_{access_id.hex}"


def prepare(access_id: UUID) -> Login:
    """A login that the platform does not know yet, with a fresh random password."""
    password = secrets.token_urlsafe(32)
    return Login(access_id, password, scram_verifier(password, salt=secrets.token_bytes(16)))


def scram_verifier(password: str, *, salt: bytes) -> str:
    """What PostgreSQL stores for an ASCII password: SCRAM-SHA-256 (RFC 5802, section 3; RFC 7677)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(ITERATIONS, *encoded)


def open(platform: Platform, login: Login, *, mandate: Mandate, signature: bytes) -> None:
    """Have the platform make the login, for what the mandate names and until it ends.

    Raises DoorShut when the door refuses the mandate, other kinds of PlatformRefused when it cannot be asked.
    """
    parameters = [
        *(login.access_id, mandate.kind, mandate.incident, mandate.digest),
        *(login.verifier, mandate.until, mandate.nonce, signature),
    ]
    placeholders = "%s, %s, %s, %s, %s, %s, %s, %s"
    _one(platform, f"SELECT breakglass.open_access({placeholders})", parameters, secret=login.verifier)


@contextmanager
def connect(platform: Platform, login: Login) -> Iterator[database.Session]:
    """One connection as the temporary login. Raises kinds of PlatformRefused."""
    conninfo = platform.conninfo_of(login.role, login.password)
    with database.connect(conninfo, purpose="run", schema=platform.profile.schema) as session:
        session.hide(login.password)
        yield session


def close(platform: Platform, access_id: UUID) -> int:
    """Take a login away, in two commits: first nobody can log in with it, then its sessions end and it is dropped.

    Gives the number of sessions that had to be ended. May be repeated. Raises AccessNotProven when it cannot be dropped,
    kinds of PlatformRefused when nothing can be asked.
    """
    with _broker(platform) as session:
        session.execute("SELECT breakglass.lock_access(%s)", [access_id])
        passed("after_access_locked")
        try:
            return _row(session, "SELECT breakglass.close_access(%s)", [access_id])[0]
        except DoorShut as shut:
            raise AccessNotProven(role=role_of(access_id), why=shut.facts["reason"]) from shut


def state(platform: Platform, access_id: UUID) -> State:
    return State(*_one(platform, f"{STATE} FROM breakglass.access_state(%s)", [access_id]))


def prove(platform: Platform, access_id: UUID, *, login: Login | None = None) -> dict[str, Any]:
    """The platform's own words that the access is gone: no role, no session, and a login that was tried and refused.

    login: the login with its real password while the run still holds it; later any password is tried, since the role is
    gone. The answer holds only JSON values. Raises AccessNotProven, or kinds of PlatformRefused when nothing can be asked.
    """
    found = state(platform, access_id)
    role = role_of(access_id)
    if not found.is_gone:
        raise AccessNotProven(role=role, why=_still_there(found))
    words = _refused_login(platform, role, login.password if login else secrets.token_urlsafe(32))
    return {
        "role": role,
        "role_exists": found.role_exists,
        "sessions": found.sessions,
        "prepared_transactions": found.prepared,
        "login_tried_with_its_password": login is not None,
        "login_refused": words,
        "opened_at": _moment(found.opened_at),
        "closed_at": _moment(found.closed_at),
        "platform_clock": _moment(found.at),
    }


def left_over(platform: Platform) -> tuple[LeftOver, ...]:
    """Every access of this platform that is not closed, known to this console or not."""
    with _broker(platform) as session:
        rows = session.execute("SELECT access_id, role_name, incident, opened_at, until FROM breakglass.left_over()")
        return tuple(LeftOver(key, role, incident or "", *rest) for key, role, incident, *rest in rows)


def reap(platform: Platform) -> int:
    """Close whatever is past its end or explained by no opening. Gives how many were closed."""
    with _broker(platform) as session:
        locked_before, locked_now = (_row(session, "SELECT breakglass.reap()", [])[0] for _commit in range(2))
        return locked_before + locked_now


def _broker(platform: Platform) -> Any:
    return database.connect(platform.conninfo("broker"), purpose="open and close access", autocommit=True)


def _one(platform: Platform, query: str, parameters: list[object], *, secret: str = "") -> tuple[Any, ...]:
    with _broker(platform) as session:
        session.hide(secret)
        return _row(session, query, parameters)


def _row(session: database.Session, query: str, parameters: list[object]) -> tuple[Any, ...]:
    try:
        return session.execute(query, parameters).fetchall()[0]
    except PlatformRefused as refusal:
        if str(refusal.facts.get("state", "")).startswith(DOOR):
            raise DoorShut(reason=refusal.facts["message"]) from refusal
        raise


def _refused_login(platform: Platform, role: str, password: str) -> str:
    conninfo = platform.conninfo_of(role, password)
    try:
        with database.connect(conninfo, purpose="prove"):
            raise AccessNotProven(role=role, why=_("a login was let in"))
    except PlatformLoginRefused as refusal:
        return str(refusal.facts["message"])


def _still_there(found: State) -> str:
    if found.role_exists:
        return _("the role exists, {sessions} sessions are open").format(sessions=found.sessions)
    if found.prepared:
        sentence = _("{prepared} prepared transactions of it are left, see pg_prepared_xacts and ROLLBACK PREPARED")
        return sentence.format(prepared=found.prepared)
    return _("{sessions} sessions are open").format(sessions=found.sessions)


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
