"""Numbers from a counter table, canonical names, one row per group without a primary key, a block row, infinity."""

import bcrypt
import pytest

from recovery import diagnosis, readiness
from recovery.models import RunState
from recovery.planning import rollback
from recovery.run_refusals import KeyShared, LoginTaken
from tests.recovery.facts.place import Fact
from tests.recovery.stage import PASSWORD

INES, OTTO, NEXT = 9007199254740993, 9007199254740994, 9007199254740996


def test_platform_is_ready_after_the_script(fact: Fact) -> None:
    assert readiness.look(fact.stage.place.platform).missing == ()


def test_block_row_that_never_ends_is_a_blocker(fact: Fact) -> None:
    report = diagnosis.read(fact.stage.place.platform)

    assert {owner.login: owner.stops for owner in report.owners} == {"Ines": frozenset(), "Otto": {"disabled"}}
    assert "until infinity" in report.owners[1].blockers[0].detail


def test_create_takes_the_next_number_and_gives_every_group(fact: Fact) -> None:
    with fact.watched() as (gone, new):
        run = fact.run("create", login="nadia", name="Nadia N")

    assert gone == {"quill.counter": [{"what": "writer", "last_no": NEXT - 1}]}
    assert new["quill.counter"] == [{"what": "writer", "last_no": NEXT}]
    assert sorted(row["in_group"] for row in new["quill.in_group"]) == ["bureaucrat", "interface-admin", "sysop"]
    (writer,) = new["quill.writer"]
    assert (writer["writer_no"], writer["writer_name"], len(writer["remember_me"])) == (NEXT, "Nadia", 32)
    assert bcrypt.checkpw(PASSWORD.encode(), writer["secret"].encode())
    assert rollback.target_of(run, fact.stage.place.platform.profile) == (str(NEXT), "Nadia")


def test_repeated_statement_is_planned_once_for_each_value(fact: Fact) -> None:
    document = fact.plan("create", login="nadia")

    planned = [(entry["name"], entry["bound"]) for entry in document.statements[2:]]

    assert planned == [
        ("put the writer into the group (sysop)", {"member_of": "sysop"}),
        ("put the writer into the group (bureaucrat)", {"member_of": "bureaucrat"}),
        ("put the writer into the group (interface-admin)", {"member_of": "interface-admin"}),
    ]


def test_number_that_somebody_else_takes_meanwhile_does_not_void_the_plan(fact: Fact) -> None:
    document = fact.plan("create", login="nadia")
    fact.do("UPDATE quill.counter SET last_no = last_no + 10 WHERE what = 'writer'")

    run = fact.stage.carry_out(document)

    assert (run.state, run.reason) == (RunState.COMMITTED, "")
    assert fact.rows("SELECT writer_no FROM quill.writer WHERE writer_name = 'Nadia'") == [{"writer_no": NEXT + 10}]


def test_login_that_is_taken_in_its_canonical_form_is_refused_early(fact: Fact) -> None:
    with pytest.raises(LoginTaken, match="writer_name = Otto"):
        fact.plan("create", login="otto")


def test_reset_changes_one_row(fact: Fact) -> None:
    with fact.watched() as (gone, new):
        fact.run("reset", str(INES))

    assert (set(gone), set(new)) == ({"quill.writer"}, {"quill.writer"})
    (row,) = new["quill.writer"]
    assert bcrypt.checkpw(PASSWORD.encode(), row["secret"].encode())
    assert (row["writer_no"], row["remember_me"], len(row["touched"])) == (INES, None, 14)


def test_enable_removes_the_block_and_gives_only_the_group_that_is_missing(fact: Fact) -> None:
    with fact.watched() as (gone, new):
        fact.run("enable", str(OTTO))

    assert [row["writer_no"] for row in gone["quill.barred"]] == [OTTO]
    assert new == {"quill.in_group": [{"writer_no": OTTO, "in_group": "sysop", "until_at": "infinity"}]}


def test_disable_after_create_adds_a_block_that_never_ends(fact: Fact) -> None:
    run = fact.run("create", login="nadia")

    with fact.watched() as (gone, new):
        undo = fact.stage.carry_out(rollback.disable_document(run))

    assert (undo.state, undo.reason, gone) == (RunState.COMMITTED, "", {})
    assert new == {
        "quill.barred": [{"writer_no": NEXT, "why": "breakglass BG-2026-0001", "until_at": "infinity"}],
    }


def test_rows_that_share_a_key_are_refused_when_one_of_them_is_written(fact: Fact) -> None:
    fact.do("ALTER TABLE quill.barred DROP CONSTRAINT barred_writer_no_key")
    fact.do("INSERT INTO quill.barred VALUES (%s, 'twice', '2099-01-01')", OTTO)

    with pytest.raises(KeyShared, match=r"Several rows of quill\.barred have the same key"):
        fact.plan("enable", str(OTTO))
