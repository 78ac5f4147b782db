"""The guarded clock: it never goes back, and says so when the server's does."""

from datetime import UTC, datetime

import pytest
from django.db import connection, connections, transaction

from audit import clock, events
from audit.refusals import ClockMovedBack
from tests.audit.conftest import append

pytestmark = pytest.mark.usefixtures("console")


def see_ahead(interval: str) -> None:
    """As if the server's clock had been further ahead once and then went back."""
    connections["owner"].cursor().execute(
        "UPDATE audit.clock SET high_water = clock_timestamp() + %s::interval", [interval]
    )


def high_water() -> datetime:
    cursor = connections["owner"].cursor()
    cursor.execute("SELECT high_water FROM audit.clock")
    return cursor.fetchone()[0]


def test_now_is_aware_utc():
    assert clock.now().tzinfo == UTC


def test_now_raises_the_high_water_mark():
    moment = clock.now()

    assert high_water() == moment


def test_time_passes_within_a_transaction():
    with transaction.atomic():
        first = clock.now()
        second = clock.now()

    assert second > first


def test_small_step_back_waits_at_the_mark():
    see_ahead("1.5 seconds")

    assert clock.now() == high_water()


def test_step_back_beyond_two_seconds_is_refused():
    see_ahead("3 seconds")

    with pytest.raises(ClockMovedBack, match="went back"):
        clock.now()


def test_refusal_leaves_the_mark_where_it_was():
    see_ahead("1 hour")
    mark = high_water()

    with pytest.raises(ClockMovedBack):
        clock.now()

    assert high_water() == mark


def test_rolled_back_step_leaves_no_mark():
    mark = high_water()

    with transaction.atomic():
        clock.now()
        transaction.set_rollback(True)

    assert high_water() == mark


def test_moved_clock_can_still_be_told_to_the_log():
    see_ahead("1 hour")

    entry = append(events.CLOCK_MOVED_BACK, by="worker", incident="")

    assert entry.seq == 0


def test_log_takes_its_moment_from_the_database():
    before = clock.now()

    entry = append(events.SIGN_IN_MADE)

    assert before <= entry.at <= clock.now()


def test_clock_has_one_row():
    with pytest.raises(Exception, match="clock_pkey"), transaction.atomic(using="owner"):
        connections["owner"].cursor().execute("INSERT INTO audit.clock (high_water) VALUES (now())")


def test_the_app_reads_the_clock_only_through_its_function():
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('audit.clock', 'SELECT, INSERT, UPDATE, DELETE')")

        assert cursor.fetchone() == (False,)
