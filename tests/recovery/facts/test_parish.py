"""Names that need quotes, owners in a row of the settings, an inverted boolean, disabled by a group, hexadecimal ids, seconds."""

import pytest

from recovery import diagnosis, readiness
from recovery.models import RunState
from recovery.planning import rollback
from recovery.run_refusals import NothingToDo
from tests.recovery.facts.place import Fact

ANN, BEN = "a" * 32, "b" * 32


def test_platform_is_ready_after_the_script(fact: Fact) -> None:
    assert readiness.look(fact.stage.place.platform).missing == ()


def test_owners_are_those_of_the_settings_row(fact: Fact) -> None:
    report = diagnosis.read(fact.stage.place.platform)

    assert {owner.login: len(owner.blockers) for owner in report.owners} == {"ann": 0, "ben": 2}


def test_create_lists_the_new_owner_and_keeps_the_rest_of_the_list(fact: Fact) -> None:
    document = fact.plan("create", login="Dot", name="Dot")

    with fact.watched() as (gone, new):
        run = fact.stage.carry_out(document)

    assert (run.state, run.reason) == (RunState.COMMITTED, "")
    (person,) = new["Parish Hall.select"]
    assert (person["Id"], person["from"], person["not allowed"]) == (document.known_values["new_id"], "dot", False)
    assert abs(person["table"] - run.claimed_at.timestamp()) < 60
    assert [row["group"] for row in new["Parish Hall.members"]] == ["own " + document.known_values["code"][:10]]
    assert [row["list"] for row in new["Parish Hall.settings"]] == [["ann", "ben", 1.5, "dot"]]
    assert set(gone) == {"Parish Hall.settings"}


def test_secret_that_the_platform_makes_is_not_in_the_plan(fact: Fact) -> None:
    document = fact.plan("create", login="dot")

    row = next(row for row in document.rows if row.image.table == "Parish Hall.select")

    assert (row.after["token"], row.after["pass word"]) == ({"kind": "expression"}, {"kind": "password_hash"})


def test_secret_that_is_emptied_stands_in_the_plan_as_a_secret(fact: Fact) -> None:
    changes = {change.column: change for change in fact.plan("reset", ANN).diff()}

    assert (changes["token"].now, changes["token"].after, changes["token"].kind) == (
        "set (secret)",
        "set (secret)",
        "unchanged",
    )


def test_reset_changes_one_row(fact: Fact) -> None:
    with fact.watched() as (gone, new):
        fact.run("reset", ANN)

    assert {table: len(rows) for table, rows in (gone | new).items()} == {"Parish Hall.select": 1}


def test_enable_undoes_both_ways_of_being_disabled(fact: Fact) -> None:
    with fact.watched() as (gone, new):
        fact.run("enable", BEN)

    assert gone["Parish Hall.members"] == [{"who": BEN, "group": "stopped"}]
    assert [(row["Id"], row["not allowed"]) for row in new["Parish Hall.select"]] == [(BEN, False)]


def test_enable_of_an_account_that_nothing_stops_is_refused(fact: Fact) -> None:
    with pytest.raises(NothingToDo, match="none of the profile's statements applies"):
        fact.plan("enable", ANN)


def test_disable_strikes_the_account_from_the_list(fact: Fact) -> None:
    run = fact.run("reset", ANN)

    with fact.watched() as (_gone, new):
        undo = fact.stage.carry_out(rollback.disable_document(run))

    assert (undo.state, undo.reason) == (RunState.COMMITTED, "")
    assert [row["list"] for row in new["Parish Hall.settings"]] == [["ben", 1.5]]
    assert new["Parish Hall.members"] == [{"who": ANN, "group": "stopped"}]


def test_restore_writes_json_and_fractions_as_they_were(fact: Fact) -> None:
    before = fact.rows('SELECT list::text, value::text, factor::text FROM "Parish Hall".settings ORDER BY id')
    run = fact.run("create", login="dot")

    undo = fact.stage.carry_out(rollback.restore_document(run))

    assert (undo.state, undo.reason) == (RunState.COMMITTED, "")
    assert fact.rows('SELECT list::text, value::text, factor::text FROM "Parish Hall".settings ORDER BY id') == before
