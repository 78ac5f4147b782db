"""The only door to a platform's database: every answer that is no result is a refusal with its sentence, without secrets."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus

from recovery import database
from recovery.database import Session
from recovery.platform_refusals import (
    ConnectionLost,
    OutcomeUnknown,
    PlatformLoginRefused,
    PlatformReadOnly,
    PlatformRefused,
    PlatformSlow,
    PlatformUnreachable,
    PoolerBetween,
    RightMissing,
    RuleBroken,
    ValueRefused,
    WrongPlatform,
)
from tests.acme import LOGINS, Acme
from tests.recovery import pooler


@pytest.fixture
def dba(platform: Acme) -> str:
    return platform.cluster.superuser_url(platform.dbname)


@pytest.fixture
def session(dba: str) -> Iterator[Session]:
    with database.connect(dba, purpose="run", schema="public") as session:
        yield session
        session.rollback()


def test_server_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(PlatformUnreachable), database.connect("host=/nowhere", purpose="read"):
        pass


def test_wrong_password_is_a_refused_login(platform: Acme) -> None:
    url = platform.cluster.url("breakglass_reader", "wrong", platform.dbname)

    with (
        pytest.raises(PlatformLoginRefused, match="password authentication failed"),
        database.connect(url, purpose="read"),
    ):
        pass


def test_missing_right_names_the_purpose(platform: Acme) -> None:
    url = platform.cluster.url("acme_app", LOGINS.app, platform.dbname)

    with (
        pytest.raises(RightMissing, match="login for run lacks a right"),
        database.connect(url, purpose="run") as session,
    ):
        session.execute("DELETE FROM tenant")


def test_statement_that_takes_too_long_is_stopped(session: Session) -> None:
    session.execute("SET statement_timeout = '50ms'")

    with pytest.raises(PlatformSlow):
        session.execute("SELECT pg_sleep(5)")


def test_line_that_is_cut_does_not_hang(dba: str) -> None:
    with pytest.raises(ConnectionLost), database.connect(dba, purpose="run", deadline=0.2) as session:
        session.execute("SELECT pg_sleep(8)")


def test_reader_s_session_cannot_write(dba: str) -> None:
    with pytest.raises(PlatformReadOnly), database.connect(dba, purpose="read", reading=True) as session:
        session.execute("UPDATE tenant SET name = name")


def test_rule_of_the_platform_is_named(session: Session) -> None:
    with pytest.raises(RuleBroken, match="adminuser_role_check on adminuser"):
        session.execute("UPDATE adminuser SET role = 'emperor' WHERE id = 1")


@pytest.mark.parametrize("text", ["\ud800", "a\x00b"])
def test_text_that_cannot_be_sent_is_refused(session: Session, text: str) -> None:
    with pytest.raises(ValueRefused):
        session.execute("SELECT %s::text", [text])


def test_secret_never_reaches_a_sentence(session: Session) -> None:
    session.hide("top-secret-hash")

    with pytest.raises(PlatformRefused) as caught:
        session.execute("SELECT %s::uuid", ["top-secret-hash"])

    assert "top-secret-hash" not in caught.value.sentence
    assert "[secret left out]" in caught.value.sentence


def test_commit_without_an_answer_is_unknown_not_failed(dba: str, platform: Acme) -> None:
    with pytest.raises(OutcomeUnknown), database.connect(dba, purpose="run") as session:
        session.execute("UPDATE tenant SET name = name")
        platform.end_sessions(f"pid = {session.info.backend_pid}")
        session.commit()


def test_block_that_raises_changes_nothing(dba: str, platform: Acme) -> None:
    with pytest.raises(ZeroDivisionError), database.connect(dba, purpose="run") as session:
        session.execute("UPDATE tenant SET name = 'changed' WHERE id = 1")
        _ = 1 / 0

    assert platform.rows("SELECT name FROM tenant WHERE id = 1") == [{"name": "system"}]


def test_what_was_written_is_on_disk_before_the_commit(session: Session) -> None:
    session.execute("UPDATE tenant SET name = name")
    written = session.one("SELECT pg_current_wal_insert_lsn()")[0]

    session.flush("a run")

    assert session.one("SELECT pg_current_wal_flush_lsn() >= %s", [written]) == (True,)
    assert session.info.transaction_status is TransactionStatus.INTRANS


def test_other_database_is_not_taken_for_the_approved_one(session: Session, platform: Acme) -> None:
    with pytest.raises(WrongPlatform, match="was approved"):
        database.require_primary(session, system_identifier="7", database_name=platform.dbname)


def test_pooler_is_told_from_the_server_itself(platform: Acme) -> None:
    (found,) = platform.rows("SHOW unix_socket_directories")
    server = Path(found["unix_socket_directories"], ".s.PGSQL.5432")

    with TemporaryDirectory(prefix="bg-pooler-") as folder, pooler.between(server, Path(folder)):
        conninfo = make_conninfo(platform.cluster.superuser_url(platform.dbname), host=folder)
        with (
            pytest.raises(PoolerBetween, match="leads to a connection pooler"),
            database.connect(conninfo, purpose="run"),
        ):
            pass


def test_server_itself_is_not_taken_for_a_pooler(dba: str) -> None:
    with database.connect(dba, purpose="run") as session:
        assert session.info.transaction_status is TransactionStatus.IDLE


def test_run_reads_one_snapshot(session: Session) -> None:
    assert session.one("SHOW transaction_isolation") == ("repeatable read",)


def test_line_that_breaks_at_a_rollback_is_a_refusal(platform: Acme) -> None:
    with pytest.raises(ConnectionLost), database.connect(platform.app_url, purpose="run") as session:
        session.one("SELECT 1")
        platform.end_sessions(f"pid = {session.info.backend_pid}")
        session.rollback()
