"""How Acme, the practice platform, lets people in: its own rules over its own tables. It knows nothing of the console."""

import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Any

import psycopg
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from psycopg.rows import dict_row
from psycopg.types.json import Json

from breakglass.practice.codes import fits

Row = dict[str, Any]
Connection = psycopg.Connection[Row]

MOST_FAILURES = 10
SHORTEST_PASSWORD = 12
HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)

ACCOUNT = """
SELECT u.*, t.name AS tenant, t.is_system, t.suspended_at, u.role = 'platform_owner' AND t.is_system AS is_owner
  FROM adminuser AS u JOIN tenant AS t ON t.id = u.tenant_id
"""


class NotLetIn(Exception):
    """Why, for the log; the visitor is told nothing but that it did not work."""


@dataclass(frozen=True)
class Attempt:
    """What somebody typed. `new_password` only matters when the account must change it."""

    email: str
    password: str
    code: str = ""
    new_password: str = ""


def connect(url: str) -> Connection:
    return psycopg.connect(url, row_factory=dict_row, autocommit=True, application_name="acme", connect_timeout=5)


def sign_in(connection: Connection, attempt: Attempt, request_id: str) -> str:
    """Count, record, and give a session's token. Raises NotLetIn."""
    try:
        with connection.transaction():
            account = _lock(connection, attempt.email)
            _check(account, attempt)
            if account["must_change_password"]:
                _change_password(connection, account, attempt.new_password)
            token = _let_in(connection, account)
            record(connection, attempt.email, "sign_in", request_id)
            return token
    except NotLetIn as reason:
        _count_failure(connection, attempt.email, str(reason), request_id)
        raise


def _lock(connection: Connection, email: str) -> Row:
    account = connection.execute(f"{ACCOUNT} WHERE u.email = %s FOR UPDATE OF u", [email]).fetchone()
    if account is None:
        raise NotLetIn("no such account")
    return account


def _check(account: Row, attempt: Attempt) -> None:
    stops = {
        "tenant is suspended": account["suspended_at"],
        "account is deleted": account["deleted_at"],
        "account is disabled": not account["is_active"],
        "too many failed sign-ins": account["failed_logins"] >= MOST_FAILURES,
        "account signs in elsewhere": account["external_idp"],
        "account has no password": not account["password_hash"],
    }
    for reason, holds in stops.items():
        if holds:
            raise NotLetIn(reason)
    _check_password(account["password_hash"], attempt.password)
    if account["totp_secret"] and not fits(account["totp_secret"], attempt.code, time.time()):
        raise NotLetIn("wrong one-time code")
    if account["must_change_password"] and len(attempt.new_password) < SHORTEST_PASSWORD:
        raise NotLetIn("password must be changed")


def _check_password(stored: str, typed: str) -> None:
    try:
        HASHER.verify(stored, typed)
    except (VerificationError, InvalidHashError) as error:
        raise NotLetIn("wrong password") from error


def _let_in(connection: Connection, account: Row) -> str:
    token = secrets.token_urlsafe(32)
    connection.execute(
        "UPDATE adminuser SET failed_logins = 0, last_login_at = clock_timestamp() WHERE id = %s", [account["id"]]
    )
    connection.execute(
        "INSERT INTO session (id, adminuser_id, expires_at) VALUES (%s, %s, now() + interval '8 hours')",
        [_session_id(token), account["id"]],
    )
    return token


def _change_password(connection: Connection, account: Row, new_password: str) -> None:
    connection.execute(
        "UPDATE adminuser SET password_hash = %s, must_change_password = false, updated_at = now() WHERE id = %s",
        [HASHER.hash(new_password), account["id"]],
    )


def _count_failure(connection: Connection, email: str, reason: str, request_id: str) -> None:
    with connection.transaction():
        connection.execute(
            "UPDATE adminuser SET failed_logins = failed_logins + 1, last_failed_at = now() WHERE email = %s", [email]
        )
        record(connection, email, "sign_in.failed", request_id, reason=reason)


def record(connection: Connection, actor: str, action: str, request_id: str, **detail: str) -> None:
    """One row of the platform's own audit log."""
    connection.execute(
        "INSERT INTO audit_log (at, actor, action, target, request_id, detail)"
        " VALUES (clock_timestamp(), %s, %s, %s, %s, %s)",
        [actor, action, actor, request_id, Json(detail)],
    )


def signed_in(connection: Connection, token: str) -> Row | None:
    """The account behind a session, as long as it may still be here."""
    return connection.execute(
        f"{ACCOUNT} JOIN session AS s ON s.adminuser_id = u.id WHERE s.id = %s AND s.expires_at > now()"
        " AND u.is_active AND u.deleted_at IS NULL AND t.suspended_at IS NULL",
        [_session_id(token)],
    ).fetchone()


def sign_out(connection: Connection, token: str) -> None:
    connection.execute("DELETE FROM session WHERE id = %s", [_session_id(token)])


def _session_id(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def tenants(connection: Connection) -> list[Row]:
    """What only an owner sees."""
    return connection.execute("SELECT slug, name, suspended_at FROM tenant ORDER BY is_system DESC, slug").fetchall()


def audit_rows(connection: Connection, since: str, until: str) -> list[Row]:
    """The audit log of a time window (ISO 8601), for the export. Raises psycopg.DataError for what is no moment."""
    return connection.execute(
        "SELECT id, at, actor, action, target, request_id, detail FROM audit_log"
        " WHERE at >= %s::timestamptz AND at < %s::timestamptz ORDER BY at, id",
        [since, until],
    ).fetchall()
