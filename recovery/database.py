"""The only door to a platform's database. Every answer that is not a result leaves here as a refusal with its sentence."""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, cast

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus

from .answers import NO_BLOCKER, STATEMENT_SECONDS, as_refusals
from .language.profile import Profile
from .platform_refusals import (
    ConnectionLost,
    OutcomeUnknown,
    PlatformReadOnly,
    PlatformRefused,
    PoolerBetween,
    WrongPlatform,
)
from .platforms import Platform
from .run_refusals import NotDurable

LOCK_SECONDS = 3
IDLE_SECONDS = 20
EMIT_FLUSHES = 170_000  # from this version on pg_logical_emit_message can flush by itself
DEADLINE_SECONDS = 45
ROUTE: dict[
    str, Any
] = {  # what libpq itself watches: a route that swallows packets must not hold an executor for minutes
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
WHO_BLOCKS = """
SELECT string_agg('process ' || activity.pid || ' of ' || activity.usename || ' ('
                  || coalesce(nullif(activity.application_name, ''), 'no application name') || ')', ', ')
FROM unnest(pg_blocking_pids(%s)) AS blocking(pid) JOIN pg_stat_activity AS activity USING (pid)
"""
IDENTITY = """
SELECT (SELECT system_identifier::text FROM pg_control_system()), current_database(),
       current_setting('server_version_num')::int, pg_is_in_recovery(), clock_timestamp(),
       CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END
"""


class Cursor(psycopg.Cursor[Any]):
    """A cursor whose errors are refusals; values travel apart from the text, so no activity view shows them."""

    def execute(self, query: Any, params: Any = None, **how: Any) -> Self:
        with cast("Session", self.connection).watched():
            return super().execute(query, params, **how)


class ReadingCursor(psycopg.ClientCursor[Any]):
    """For reading only: values become literals, so that the server can tell their type anywhere."""

    def execute(self, query: Any, params: Any = None, **how: Any) -> Self:
        with cast("Session", self.connection).watched():
            return super().execute(query, params, **how)


class Session(psycopg.Connection[Any]):
    """One connection to a platform. Nothing outlives `with connect(...)`."""

    purpose: str = ""
    is_reading: bool = False
    blocker: str = ""
    secrets: frozenset[str] = frozenset()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Translate the errors of the block; secrets that this session was told to hide never reach a sentence."""
        with as_refusals(self.purpose, secrets=self.secrets, blocker=lambda: self.blocker or NO_BLOCKER):
            yield

    def hide(self, *secrets: str) -> None:
        self.secrets |= {secret for secret in secrets if secret}

    def commit(self) -> None:
        """Commit as a message of its own. Raises OutcomeUnknown when no answer came, other refusals when nothing was kept."""
        changed = self.info.transaction_status is TransactionStatus.INTRANS
        try:
            with self.watched():
                super().commit()
        except ConnectionLost as lost:
            if changed:
                raise OutcomeUnknown from lost
            raise

    def rollback(self) -> None:
        """Take back what is not committed. Raises kinds of PlatformRefused; the server has then taken it back by itself."""
        with self.watched():
            super().rollback()

    def cut(self) -> None:
        """Break the line from another thread; the waiting call then fails as lost."""
        with (
            contextlib.suppress(psycopg.OperationalError, OSError),  # it was closed in this very moment
            socket.socket(fileno=os.dup(self.pgconn.socket)) as line,
        ):
            line.shutdown(socket.SHUT_RDWR)

    def one(self, query: str, params: Any = None) -> tuple[Any, ...]:
        """The row of a query that always gives one."""
        row: tuple[Any, ...] | None = self.execute(query, params).fetchone()
        if row is None:
            raise LookupError("a query that always gives a row gave none")
        return row

    def as_sent(self, query: str, values: Mapping[str, Any]) -> str:
        """The statement with its values written out, for the record. Give it no secret."""
        return psycopg.ClientCursor(self).mogrify(query, values)

    def flush(self, message: str) -> None:
        """Make everything that this transaction has written durable on the platform, although it is not committed yet.

        Without it a crashed server may give the same transaction id to somebody else. See reference/security.md, section 3.
        Raises NotDurable.
        """
        written = self.one("SELECT pg_current_wal_insert_lsn()::text")[0]
        if self.info.server_version >= EMIT_FLUSHES:
            self.execute("SELECT pg_logical_emit_message(false, 'breakglass', %s, true)", [message])
        else:
            self._flush_beside(message)
        if not self.one("SELECT pg_current_wal_flush_lsn() >= %s::pg_lsn", [written])[0]:
            raise NotDurable

    def _flush_beside(self, message: str) -> None:
        """Before 17: a second connection's own commit takes the log before it to disk as well. It waits for no standby."""
        conninfo = make_conninfo(self.info.dsn, password=self.info.password)
        with connect(conninfo, purpose=self.purpose, autocommit=True, deadline=STATEMENT_SECONDS) as beside:
            beside.execute("SET synchronous_commit = local")
            beside.execute("SELECT pg_logical_emit_message(true, 'breakglass', %s)", [message])


def as_texts(cursor: psycopg.Cursor[Any]) -> list[tuple[str | None, ...]]:
    """The rows as the server wrote them: psycopg reads no `infinity`, and a text comes back as any type that is wanted."""
    result, encoding = cursor.pgresult, cursor.connection.info.encoding
    if result is None:
        return []
    rows = ([result.get_value(row, column) for column in range(result.nfields)] for row in range(result.ntuples))
    return [tuple(None if value is None else value.decode(encoding) for value in row) for row in rows]


@contextmanager
def connect(
    conninfo: str,
    *,
    purpose: str,
    autocommit: bool = False,
    schema: str = "",
    reading: bool = False,
    deadline: float = DEADLINE_SECONDS,
) -> Iterator[Session]:
    """A session for one purpose ("read", "open access", "run"), committed at the end, rolled back when the block raises.

    schema: where unqualified names are looked up, after pg_catalog. reading: one read-only snapshot.
    deadline: seconds by this host's monotonic clock after which the line is cut, whatever the server does.

    Raises: kinds of PlatformRefused; PoolerBetween unless it is the server itself that answers.
    """
    with as_refusals(purpose, connecting=True):
        session = Session.connect(
            conninfo, autocommit=True, prepare_threshold=None, options=_options(schema, reading), **ROUTE
        )
    session.purpose, session.is_reading = purpose, reading
    session.cursor_factory = ReadingCursor if reading else Cursor
    timer = threading.Timer(deadline, session.cut)
    timer.daemon = True
    timer.start()
    try:
        with session:
            _require_direct(session)
            if not autocommit:
                session.autocommit, session.isolation_level = False, psycopg.IsolationLevel.REPEATABLE_READ
            yield session
    finally:
        timer.cancel()


def _require_direct(session: Session) -> None:
    """A server tells the process id of its session when it greets, a pooler one of its own. Raises PoolerBetween."""
    if session.one("SELECT pg_backend_pid()")[0] != session.info.backend_pid:
        raise PoolerBetween(purpose=session.purpose)


def reading(platform: Platform, profile: Profile) -> AbstractContextManager[Session]:
    """One read-only snapshot of the live platform through its reader login. Raises kinds of PlatformRefused."""
    return connect(platform.conninfo("reader"), purpose="read", schema=profile.schema, reading=True)


def _options(schema: str, reading: bool) -> str:
    settings = {
        "statement_timeout": f"{STATEMENT_SECONDS}s",
        "lock_timeout": f"{LOCK_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
        "synchronous_commit": "on",
        "default_transaction_read_only": "on" if reading else "off",
        "TimeZone": "UTC",
        "DateStyle": "ISO",
        "standard_conforming_strings": "on",  # the profile was read so: a backslash ends no text
    }
    if schema:
        settings["search_path"] = sql.Identifier(schema).as_string(None) + ", pg_temp"
    escaped = {name: value.replace("\\", "\\\\").replace(" ", "\\ ") for name, value in settings.items()}
    return " ".join(f"-c {name}={value}" for name, value in escaped.items())


@dataclass(frozen=True, slots=True)
class Identity:
    """Which physical database answers, and how far its history has come. timeline: eight hexadecimal digits."""

    system_identifier: str
    database_name: str
    server_version: int
    is_standby: bool
    clock: datetime
    timeline: str


def identity(session: Session) -> Identity:
    return Identity(*session.one(IDENTITY))


def require_primary(session: Session, *, system_identifier: str, database_name: str) -> Identity:
    """The identity, if it is the approved database and takes changes. Raises WrongPlatform, PlatformReadOnly."""
    found = identity(session)
    if (found.system_identifier, found.database_name) != (system_identifier, database_name):
        raise WrongPlatform(
            found=f"{found.database_name} ({found.system_identifier})", wanted=f"{database_name} ({system_identifier})"
        )
    if found.is_standby:
        raise PlatformReadOnly
    return found


@contextmanager
def naming_blocker(session: Session, conninfo: str) -> Iterator[None]:
    """While the block waits for a lock, look who holds it, so that a refusal can name that session."""
    pid = session.info.backend_pid
    timer = threading.Timer(LOCK_SECONDS / 3, _look_for_blocker, (session, conninfo, pid))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _look_for_blocker(session: Session, conninfo: str, pid: int) -> None:
    with (
        contextlib.suppress(PlatformRefused),  # the name is a courtesy; the refusal itself does not hang on it
        connect(conninfo, purpose="read", autocommit=True, reading=True, deadline=LOCK_SECONDS) as reader,
    ):
        session.blocker = reader.one(WHO_BLOCKS, [pid])[0] or ""
