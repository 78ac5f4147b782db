"""P9 and J3: the platform waits for a standby that is gone, or keeps a prepared transaction, while access is to be closed."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from recovery.doors import access
from recovery.models import Run, RunState
from recovery.refusals import AccessNotProven
from recovery.running import settle
from tests.acme import Acme
from tests.faults.servers import Fragile
from tests.recovery.killed import Executor, stopped_at
from tests.recovery.stage import Stage
from tests.recovery.test_closing import TEMPORARY, wait_for

WAITS = "wait_event = 'SyncRep'"


@contextmanager
def standby_gone(server: Fragile, acme: Acme) -> Iterator[None]:
    """Every commit waits for a standby that never comes, while the block runs."""
    server.configure(synchronous_standby_names="nobody")
    server.reload()
    probe_until_it_waits(acme)
    try:
        yield
    finally:
        server.configure(synchronous_standby_names="")
        server.reload()


def probe_until_it_waits(acme: Acme) -> None:
    """The server takes a moment to read its settings."""
    tries = threading.Thread(target=write_until_cancelled, args=[acme])
    tries.start()
    query = f"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'probe' AND {WAITS}"
    with acme.connect() as dba:
        while not dba.execute(query).fetchall():
            dba.execute("SELECT pg_sleep(0.02)")
    tries.join()


def write_until_cancelled(acme: Acme) -> None:
    seen: list[psycopg.errors.Diagnostic] = []
    url = acme.cluster.superuser_url(acme.dbname)
    options = "-c synchronous_commit=on"
    with psycopg.connect(url, autocommit=True, application_name="probe", options=options) as connection:
        connection.add_notice_handler(seen.append)
        while not seen:
            connection.execute("UPDATE tenant SET name = name WHERE id = 1")


def go_on_without_waiting(executor: Executor) -> None:
    os.kill(executor.process.pid or 0, signal.SIGCONT)


def test_commit_that_waits_for_a_standby_is_unknown_and_then_settled(fragile: Stage, fragile_platform: Fragile) -> None:
    run, acme = fragile.run(fragile.plan("enable")), fragile.place.acme
    with stopped_at(fragile, run, "after_prepared") as executor, standby_gone(fragile_platform, acme):
        go_on_without_waiting(executor)
        wait_for(fragile.place, f"{TEMPORARY} AND {WAITS}")
        state_while_it_waits = Run.objects.get(pk=run.pk).state

        settle.settle(run)

        gone = access.state(fragile.place.platform, run.accesses.get().pk).is_gone

    assert state_while_it_waits == RunState.PREPARED
    assert (run.state, gone) == (RunState.COMMITTED, True)
    assert acme.owner("root@acme.example")["is_active"]


def test_login_is_closed_although_no_commit_ends(fragile: Stage, fragile_platform: Fragile) -> None:
    login = fragile.place.open()

    with standby_gone(fragile_platform, fragile.place.acme):
        access.close(fragile.place.platform, login.access_id)
        proof = access.prove(fragile.place.platform, login.access_id, login=login)

    assert proof["role_exists"] is False


def test_reaping_ends_although_no_commit_ends(fragile: Stage, fragile_platform: Fragile) -> None:
    fragile.place.open()
    with fragile.place.acme.connect() as dba:
        dba.execute("UPDATE breakglass.access SET until = now() - interval '1 second'")

    with standby_gone(fragile_platform, fragile.place.acme):
        closed = access.reap(fragile.place.platform)

    assert closed == 1
    assert fragile.place.roles() == []


@pytest.fixture
def preparing(fragile_platform: Fragile) -> Fragile:
    """A server that lets sessions leave prepared transactions behind."""
    fragile_platform.configure(max_prepared_transactions="5")
    fragile_platform.stop()
    fragile_platform.start()
    return fragile_platform


def test_prepared_transaction_of_a_closed_login_is_reported_until_it_is_gone(
    preparing: Fragile, fragile: Stage
) -> None:
    place, login = fragile.place, fragile.place.open()
    with place.connect(login) as connection:
        connection.execute("UPDATE adminuser SET failed_logins = 99 WHERE id = 1")
        connection.execute("PREPARE TRANSACTION 'left'")
    access.close(place.platform, login.access_id)

    with pytest.raises(AccessNotProven, match="1 prepared transactions of it are left, see pg_prepared_xacts"):
        access.prove(place.platform, login.access_id, login=login)

    with place.acme.connect() as dba:
        dba.execute("ROLLBACK PREPARED 'left'")
    assert access.prove(place.platform, login.access_id, login=login)["prepared_transactions"] == 0
    assert place.acme.owner()["failed_logins"] == 12
