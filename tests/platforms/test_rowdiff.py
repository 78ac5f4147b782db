"""Rows before and after are compared to the letter: nothing too much, nothing missing."""

from tests.platforms.rowdiff import difference, state, unexpected
from tests.platforms.words import added, changed, removed

BEFORE = {"public.person": {"1": {"id": "1", "mail": "a", "seen": None}, "2": {"id": "2", "mail": "b", "seen": None}}}
OWN = {"public.person": frozenset({"seen"}), "public.log": frozenset()}


def after(**rows):
    return {"public.person": {**BEFORE["public.person"], **rows}}


def test_nothing_changed_is_no_difference():
    assert difference(BEFORE, after()) == []


def test_a_change_that_is_expected_is_no_fault():
    found = difference(BEFORE, after(**{"1": {"id": "1", "mail": "x", "seen": None}}))

    assert unexpected(found, (changed("public.person", "mail", id="1"),), {}) == []


def test_a_change_of_another_row_is_named():
    found = difference(BEFORE, after(**{"2": {"id": "2", "mail": "x", "seen": None}}))

    faults = unexpected(found, (changed("public.person", "mail", id="1"),), {})

    assert [fault.partition(":")[0] for fault in faults] == ["not expected", "missing"]


def test_a_change_of_one_more_column_is_named():
    found = difference(BEFORE, after(**{"1": {"id": "1", "mail": "x", "seen": "now"}}))

    assert len(unexpected(found, (changed("public.person", "mail"),), {})) == 2


def test_what_the_software_writes_at_a_sign_in_is_left_out():
    found = difference(
        BEFORE, after(**{"1": {"id": "1", "mail": "a", "seen": "now"}}) | {"public.log": {"9": {"id": "9"}}}
    )

    assert unexpected(found, (), OWN) == []


def test_a_row_of_an_account_that_appears_is_never_left_out():
    found = difference(BEFORE, after(**{"3": {"id": "3", "mail": "c", "seen": None}}))

    assert unexpected(found, (), OWN) == ["not expected: + public.person 3"]


def test_a_row_that_disappears_is_never_left_out():
    found = difference({"public.log": {"9": {"id": "9"}}}, {"public.log": {}})

    assert unexpected(found, (), OWN) == ["not expected: - public.log 9"]
    assert unexpected(found, (removed("public.log"),), OWN) == []


def test_each_expected_row_is_found_once():
    found = difference(BEFORE, after(**{"3": {"id": "3", "mail": "c", "seen": None}}))

    assert unexpected(found, (added("public.person"), added("public.person")), {}) == [
        f"missing: {added('public.person')}"
    ]


def test_rows_are_read_as_text_by_their_key_and_the_consoles_schema_is_left_out(platform):
    with platform.connect() as dba:
        found = state(dba)

    assert {"public.adminuser", "public.tenant"} <= found.keys()
    assert not [table for table in found if table.startswith("breakglass.")]
    assert all(row["id"] == key for key, row in found["public.tenant"].items())
