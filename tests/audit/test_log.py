"""The log as the app role writes it: its form, its chains, and what it refuses."""

import json
import threading
from hashlib import sha256

import pytest
from django.db import connection, transaction

from audit import events, log
from audit.models import Entry
from audit.refusals import EntryTooLarge, LogOutOfOrder
from tests.audit.conftest import INCIDENT, append

pytestmark = pytest.mark.usefixtures("console")


def take_place(incident: str) -> tuple[str, int, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT at, n, prev FROM audit.lock(%s)", [incident])
        return cursor.fetchone()


def append_by_hand(line: str) -> None:
    with log.as_refusals(), connection.cursor() as cursor:
        cursor.execute("SELECT audit.append(%s)", [line])


def line_at(place: tuple[str, int, str], **changed: object) -> str:
    at, n, prev = place
    fields = {"at": at, "by": "olivia", "event": "plan.made", "incident": INCIDENT, "n": n, "prev": prev, "v": 1}
    return json.dumps({**fields, **changed})


def test_entry_is_stored_exactly_as_it_was_hashed():
    entry = append(events.INCIDENT_OPENED, reason="nobody can sign in \u2028 \x7f é")

    stored = Entry.objects.get(seq=entry.seq)

    assert stored.entry == entry.entry
    assert log.lines(INCIDENT) == [entry.entry]


def test_columns_say_what_the_line_says():
    append(events.INCIDENT_OPENED, by="simone")

    stored = Entry.objects.get()

    assert (stored.incident, stored.event, stored.by) == (INCIDENT, events.INCIDENT_OPENED, "simone")
    assert stored.facts == {}
    assert stored.at.tzinfo is not None


def test_entry_carries_number_and_hash_of_the_incidents_last_line():
    first = append(events.INCIDENT_OPENED)
    append(events.INCIDENT_OPENED, incident="INC-2026-0043")

    second = append(events.PLAN_MADE)

    assert (first.n, first.fields["prev"]) == (1, "")
    assert (second.n, second.fields["prev"]) == (2, sha256(first.entry.encode()).hexdigest())


def test_entries_outside_incidents_form_a_chain_of_their_own():
    append(events.SIGN_IN_MADE, incident="")

    second = append(events.SIGN_IN_MADE, incident="")

    assert second.n == 2


def test_numbers_count_from_zero_without_a_gap():
    for _ in range(3):
        append(events.SIGN_IN_MADE)

    assert list(Entry.objects.order_by("seq").values_list("seq", flat=True)) == [0, 1, 2]


def test_two_entries_in_one_transaction_follow_each_other():
    with transaction.atomic():
        log.append(events.INCIDENT_OPENED, by="olivia", incident=INCIDENT)
        second = log.append(events.PLAN_MADE, by="olivia", incident=INCIDENT)

    assert second.n == 2
    assert log.verify_chain().is_unbroken


def test_rollback_gives_the_number_back():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        log.append(events.PLAN_MADE, by="olivia", incident=INCIDENT)
        _ = 1 / 0

    entry = append(events.PLAN_MADE)

    assert (entry.seq, entry.n) == (0, 1)


def test_entry_outside_a_transaction_is_a_fault():
    with pytest.raises(transaction.TransactionManagementError):
        log.append(events.PLAN_MADE, by="olivia", incident=INCIDENT)


def test_unknown_event_is_a_fault():
    with pytest.raises(ValueError, match=r"audit\.events"):
        append("plan.improved")


@pytest.mark.parametrize("key", ["v", "at", "n", "prev"])
def test_fact_cannot_replace_a_key_of_the_chain(key: str):
    with pytest.raises(ValueError, match="keys of the chain"):
        append(events.PLAN_MADE, **{key: "mine"})


@pytest.mark.parametrize("by", ["", None, 7])
def test_by_is_a_name(by: object):
    with pytest.raises(TypeError):
        append(events.PLAN_MADE, by=by)


def test_entry_beyond_64_kib_is_refused_and_leaves_nothing():
    with pytest.raises(EntryTooLarge):
        append(events.PLAN_MADE, reason="x" * 65_536)

    assert not Entry.objects.exists()


def test_append_without_a_place_is_refused():
    with pytest.raises(LogOutOfOrder), transaction.atomic():
        append_by_hand(line_at(("2026-11-22T09:00:00.000000Z", 1, "")))


def test_place_of_an_earlier_transaction_is_refused():
    with transaction.atomic():
        place = take_place(INCIDENT)

    with pytest.raises(LogOutOfOrder), transaction.atomic():
        append_by_hand(line_at(place))


def test_place_serves_one_entry_only():
    with pytest.raises(LogOutOfOrder), transaction.atomic():
        place = take_place(INCIDENT)
        append_by_hand(line_at(place))
        append_by_hand(line_at(place))


@pytest.mark.parametrize(
    "changed",
    [
        {"n": 7},
        {"n": "1"},
        {"n": None},
        {"prev": "0" * 64},
        {"incident": "INC-2026-0043"},
        {"at": "2026-11-22T09:00:00.000000Z"},
    ],
)
def test_line_that_claims_another_place_is_refused(changed: dict[str, object]):
    with pytest.raises(LogOutOfOrder), transaction.atomic():
        append_by_hand(line_at(take_place(INCIDENT), **changed))


def test_line_that_is_no_object_is_refused():
    with pytest.raises(LogOutOfOrder), transaction.atomic():
        take_place(INCIDENT)
        append_by_hand('["at","incident","n","prev"]')


def test_line_feed_in_a_line_is_refused():
    with pytest.raises(Exception, match="entry_is_one_line"), transaction.atomic():
        append_by_hand(line_at(take_place(INCIDENT)) + "\n")


def test_concurrent_appends_and_rollbacks_leave_no_gap_and_no_fork():
    faults = []

    def write(number: int) -> None:
        try:
            for turn in range(12):
                with transaction.atomic():
                    log.append(events.PLAN_MADE, by=f"writer{number}", incident=f"INC-{turn % 2}")
                    transaction.set_rollback(turn % 4 == 3)
        except Exception as fault:  # noqa: BLE001  a thread's fault must reach the test
            faults.append(fault)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert faults == []
    check = log.verify_chain()
    assert (check.entries, check.incidents, check.faults) == (6 * 9, 2, [])
