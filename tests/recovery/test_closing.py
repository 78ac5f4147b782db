"""Closing a temporary login at any bad moment: it ends gone, or it is said why not; and it leaves nothing behind."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from recovery.doors import access
from recovery.platform_refusals import ConnectionLost
from recovery.refusals import AccessNotProven
from tests.acme import Acme
from tests.recovery.doors import Place, furnish

TEMPORARY, BROKER = "usename ~ '^bg_'", "usename = 'breakglass_broker'"
CYCLES = 100


@pytest.fixture
def place(platform: Acme) -> Place:
    return furnish(platform)


def is_gone(place: Place) -> bool:
    return place.roles() == [] and access.left_over(place.platform) == ()


def wait_for(place: Place, which: str) -> int:
    """The process id of the session that the condition finds, as soon as there is one."""
    query = f"SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND {which}"
    with place.acme.connect() as dba:
        while not (found := dba.execute(query).fetchall()):
            dba.execute("SELECT pg_sleep(0.02)")
    return found[0][0]


@contextmanager
def beside(work: Callable[[], object]) -> Iterator[None]:
    """Something that goes on, and is broken off, while the block runs."""

    def until_broken_off() -> None:
        with pytest.raises((psycopg.OperationalError, ConnectionLost)):
            work()

    thread = threading.Thread(target=until_broken_off)
    thread.start()
    yield
    thread.join()


@contextmanager
def held(place: Place, statement: str) -> Iterator[None]:
    """What the statement locks stays locked while the block runs."""
    with place.acme.connect() as dba, dba.transaction(force_rollback=True):
        dba.execute(statement)
        yield


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A session that hears nothing, not even that it shall end."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def let_end_pass(place: Place, login: access.Login) -> None:
    with place.acme.connect() as dba:
        dba.execute("UPDATE breakglass.access SET until = now() - interval '1 second' WHERE id = %s", [login.access_id])


def test_door_that_dies_after_making_the_role_leaves_none(place: Place) -> None:
    with held(place, "LOCK TABLE breakglass.access IN SHARE MODE"), beside(place.open):
        wait_for(place, f"{BROKER} AND wait_event_type = 'Lock'")
        place.acme.end_sessions(BROKER)

    assert is_gone(place)


def test_console_that_dies_after_opening_leaves_none_once_the_end_has_passed(place: Place) -> None:
    let_end_pass(place, place.open())

    closed = access.reap(place.platform)

    assert closed == 1
    assert is_gone(place)


def test_console_that_dies_between_the_two_halves_leaves_none_before_the_end(place: Place) -> None:
    login = place.open()
    with place.acme.connect() as dba:
        dba.execute("SELECT breakglass.lock_access(%s)", [login.access_id])

    closed = access.reap(place.platform)

    assert closed == 1
    assert is_gone(place)


def test_door_that_dies_while_dropping_is_tried_again(place: Place) -> None:
    login = place.open()
    with (
        held(place, f"COMMENT ON ROLE {login.role} IS 'held'"),
        beside(lambda: access.close(place.platform, login.access_id)),
    ):
        wait_for(place, f"{BROKER} AND wait_event_type = 'Lock'")
        place.acme.end_sessions(BROKER)

    access.close(place.platform, login.access_id)

    assert access.prove(place.platform, login.access_id, login=login)["role_exists"] is False
    assert is_gone(place)


def test_console_that_dies_after_closing_may_close_and_prove_again(place: Place) -> None:
    login = place.open()
    access.close(place.platform, login.access_id)

    again = access.close(place.platform, login.access_id)

    assert again == 0
    assert access.prove(place.platform, login.access_id)["sessions"] == 0


def test_busy_session_is_ended(place: Place) -> None:
    login = place.open()
    with place.connect(login) as connection, beside(lambda: connection.execute("SELECT pg_sleep(60)")):
        wait_for(place, f"{TEMPORARY} AND wait_event = 'PgSleep'")
        ended = access.close(place.platform, login.access_id)

    assert ended == 1
    assert is_gone(place)


def test_session_that_waits_for_a_lock_is_ended(place: Place) -> None:
    login = place.open()
    update = "UPDATE adminuser SET failed_logins = 0 WHERE id = 1"
    with held(place, update), place.connect(login) as connection, beside(lambda: connection.execute(update)):
        wait_for(place, f"{TEMPORARY} AND wait_event_type = 'Lock'")
        access.close(place.platform, login.access_id)

    assert is_gone(place)


def test_session_that_does_not_end_is_reported_and_its_login_kept_out(place: Place) -> None:
    login = place.open()
    with place.connect(login) as connection:
        with stopped(connection.info.backend_pid), pytest.raises(AccessNotProven, match="1 sessions of"):
            access.close(place.platform, login.access_id)
        assert access.state(place.platform, login.access_id).can_login is False

        access.close(place.platform, login.access_id)

    assert is_gone(place)


def test_one_access_that_does_not_end_holds_up_no_other(place: Place) -> None:
    stuck, other = place.open(), place.open()
    with place.connect(stuck) as connection, stopped(connection.info.backend_pid):
        let_end_pass(place, stuck)
        let_end_pass(place, other)

        closed = access.reap(place.platform)

        assert (closed, place.roles()) == (1, [stuck.role])


def test_access_that_somebody_else_is_closing_is_left_to_him(place: Place) -> None:
    login = place.open()
    let_end_pass(place, login)
    with held(place, "SELECT FROM breakglass.access FOR UPDATE"):
        closed = access.reap(place.platform)

    assert closed == 0
    assert place.roles() == [login.role]


def test_two_workers_do_not_reap_the_same(place: Place) -> None:
    login = place.open()
    let_end_pass(place, login)
    with place.acme.connect() as dba, dba.transaction():
        locked_by_the_other = dba.execute("SELECT breakglass.reap()").fetchone()
        closed = access.reap(place.platform)

    assert (locked_by_the_other, closed) == ((0,), 0)
    assert access.reap(place.platform) == 1
    assert is_gone(place)


def test_expired_login_is_dropped_and_does_not_live_again_when_the_clock_goes_back(place: Place) -> None:
    login = place.open()
    let_end_pass(place, login)
    with place.acme.connect() as dba:
        dba.execute(f"ALTER ROLE {login.role} VALID UNTIL 'infinity'")  # what a clock put back amounts to

    access.reap(place.platform)

    assert is_gone(place)


def test_login_that_was_opened_in_the_future_is_closed_because_the_clock_was_put_back(place: Place) -> None:
    place.open()
    with place.acme.connect() as dba:
        dba.execute(
            "UPDATE breakglass.access SET opened_at = now() + interval '1 hour', until = now() + interval '2 hours'"
        )

    access.reap(place.platform)

    assert is_gone(place)


def test_table_that_an_open_schema_let_the_login_make_goes_with_it(place: Place) -> None:
    with place.acme.connect() as dba:
        dba.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
    login = place.open()
    with place.connect(login) as connection:
        connection.execute("CREATE TABLE mine (a int)")
        connection.execute("CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'")

    access.close(place.platform, login.access_id)

    assert is_gone(place)
    assert (
        place.acme.rows("SELECT FROM pg_class WHERE relname = 'mine' UNION SELECT FROM pg_proc WHERE proname = 'mine'")
        == []
    )


def test_temporary_table_that_the_platform_allows_goes_with_the_login(place: Place) -> None:
    with place.acme.connect() as dba:
        dba.execute(f"GRANT TEMPORARY ON DATABASE {place.acme.dbname} TO PUBLIC")
    login = place.open()

    with place.connect(login) as connection:
        connection.execute("CREATE TEMP TABLE adminuser (a int)")
        connection.commit()
        access.close(place.platform, login.access_id)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")

    assert is_gone(place)


def test_thing_made_in_another_database_is_named_with_what_to_run(place: Place) -> None:
    login = place.open()
    elsewhere = place.acme.cluster.url(login.role, login.password, "postgres")
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute("SELECT lo_create(0)")

    with pytest.raises(AccessNotProven, match=f"run DROP OWNED BY {login.role} in postgres"):
        access.close(place.platform, login.access_id)

    assert access.state(place.platform, login.access_id).can_login is False
    with place.acme.cluster.connect() as dba:
        dba.execute(f"DROP OWNED BY {login.role}")
    access.close(place.platform, login.access_id)
    assert is_gone(place)


def rights_held(acme: Acme) -> list[list[tuple[object, ...]]]:
    """Every right on every table and column of the database, and every membership in a role of the console."""
    with acme.connect() as dba:
        tables = "SELECT relname, relacl::text FROM pg_class WHERE relkind IN ('r', 'v', 'S') ORDER BY 1"
        columns = "SELECT attrelid, attname, attacl::text FROM pg_attribute WHERE attacl IS NOT NULL ORDER BY 1, 2"
        mine = """
            SELECT roleid, member FROM pg_auth_members JOIN pg_roles ON pg_roles.oid = roleid
            WHERE rolname LIKE '%' || left(encode(sha256(convert_to(current_database(), 'UTF8')), 'hex'), 8) ORDER BY 1, 2
        """
        settings = "SELECT count(*) FROM pg_db_role_setting WHERE setrole NOT IN (SELECT oid FROM pg_roles)"
        return [dba.execute(query).fetchall() for query in (tables, columns, mine, settings)]


def test_many_openings_leave_no_role_and_no_right_behind(place: Place) -> None:
    before = rights_held(place.acme)

    for _number in range(CYCLES):
        access.close(place.platform, place.open().access_id)

    assert rights_held(place.acme) == before
    assert is_gone(place)
