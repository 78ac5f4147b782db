"""One of four flags, ids from the login, tables without unique rules, left-over rows, a repair that needs the new id."""

import pytest

from recovery import diagnosis, readiness
from recovery.models import RunState, Tenant
from recovery.planning import rollback
from recovery.run_refusals import KeyShared, StatementUnfit
from tests.recovery.facts.place import Fact

ABE, BEA = "op:abe@beacon.example", "op:bea@beacon.example"


def test_platform_is_ready_after_the_script(fact: Fact) -> None:
    assert readiness.look(fact.stage.place.platform).missing == ()


def test_flags_tell_owner_and_stop_apart(fact: Fact) -> None:
    report = diagnosis.read(fact.stage.place.platform)

    assert {owner.login: owner.stops for owner in report.owners} == {
        "abe@beacon.example": {"locked"},
        "bea@beacon.example": {"disabled"},
    }


def test_create_makes_the_id_from_the_login_and_repairs_the_house(fact: Fact) -> None:
    with fact.watched() as (gone, new):
        fact.run("create", login="Dora@Beacon.example", name="Dora")

    own = "op:dora@beacon.example"
    assert [(row["id"], row["flags"]) for row in new["ops.operator"]] == [(own, 1 | 8 | 16)]
    assert [(row["login"], row["operator_id"]) for row in new["ops.login"]] == [("dora@beacon.example", own)]
    assert sorted((row["operator_id"], row["duty"]) for row in new["ops.duty"]) == [(own, "admin"), (own, "reader")]
    assert [(row["slug"], row["created_by"]) for row in new["ops.site"]] == [("house", own)]
    assert {table: len(rows) for table, rows in gone.items()} == {"ops.site": 1}
    assert Tenant.objects.get().label == "house"


def test_create_leaves_a_house_alone_that_belongs_to_somebody(fact: Fact) -> None:
    fact.do("UPDATE ops.site SET created_by = %s WHERE slug = 'house'", ABE)

    with fact.watched() as (_gone, new):
        fact.run("create", login="dora@beacon.example")

    assert set(new) == {"ops.operator", "ops.login", "ops.duty"}


def test_create_links_the_left_over_sign_in_and_replaces_left_over_duties(fact: Fact) -> None:
    with fact.watched() as (gone, new):
        fact.run("create", login="gone@beacon.example")

    own = "op:gone@beacon.example"
    assert [row["operator_id"] for row in gone["ops.login"]] == ["op:4711"]
    assert [(row["login"], row["operator_id"]) for row in new["ops.login"]] == [("gone@beacon.example", own)]
    assert [(row["operator_id"], row["duty"]) for row in new["ops.duty"]] == [
        (own, "admin")
    ]  # the other one is as it was


def test_value_that_no_statement_of_the_plan_returns_is_refused(fact: Fact) -> None:
    fact.do("INSERT INTO ops.login VALUES ('new@beacon.example', %s, 'x')", ABE)  # taken by a living account

    with pytest.raises(StatementUnfit, match="give the duty \\(admin\\): it needs sign_in, but every statement"):
        fact.plan("create", login="new@beacon.example")


def test_enable_clears_one_flag_and_keeps_the_others(fact: Fact) -> None:
    with fact.watched() as (gone, new):
        fact.run("enable", BEA)

    assert (set(gone), [row["flags"] for row in new["ops.operator"]]) == ({"ops.operator"}, [1 | 8])


def test_reset_writes_two_tables_and_no_stranger(fact: Fact) -> None:
    with fact.watched() as (gone, new):
        fact.run("reset", ABE)

    assert {table: len(rows) for table, rows in gone.items()} == {"ops.operator": 1, "ops.login": 1}
    assert [(row["id"], row["tries"], row["flags"]) for row in new["ops.operator"]] == [(ABE, 0, 1 | 8)]


def test_disable_removes_rows_whose_key_is_partly_empty(fact: Fact) -> None:
    run = fact.run("reset", ABE)

    with fact.watched() as (gone, new):
        undo = fact.stage.carry_out(rollback.disable_document(run))

    assert (undo.state, undo.reason) == (RunState.COMMITTED, "")
    assert [(row["operator_id"], row["shift_from"]) for row in gone["ops.duty"]] == [(ABE, None)]
    assert [row["flags"] for row in new["ops.operator"]] == [1 | 4 | 8]


def test_rows_alike_in_a_table_without_unique_rule_are_refused(fact: Fact) -> None:
    fact.do("INSERT INTO ops.duty SELECT * FROM ops.duty WHERE operator_id = %s", ABE)

    with pytest.raises(KeyShared, match=r"Several rows of ops\.duty have the same key"):
        fact.plan("disable", ABE)


SESSIONS = "INSERT INTO ops.session VALUES ('one', %s, 1800000000), ('two', %s, 1800000000), ('other', %s, 1800000000)"


def test_reset_ends_sessions_that_are_alike_but_for_their_secret(fact: Fact) -> None:
    fact.do(SESSIONS, ABE, ABE, BEA)

    with fact.watched() as (gone, _new):
        fact.run("reset", ABE)

    assert {row["cookie"] for row in gone["ops.session"]} == {"one", "two"}


def test_disable_ends_sessions_that_are_alike_but_for_their_secret(fact: Fact) -> None:
    run = fact.run("reset", ABE)
    fact.do(SESSIONS, ABE, ABE, BEA)

    with fact.watched() as (gone, _new):
        undo = fact.stage.carry_out(rollback.disable_document(run))

    assert (undo.state, undo.reason) == (RunState.COMMITTED, "")
    assert {row["cookie"] for row in gone["ops.session"]} == {"one", "two"}


def test_session_that_was_used_since_the_plan_is_ended_as_well(fact: Fact) -> None:
    fact.do(SESSIONS, ABE, ABE, BEA)
    document = fact.plan("reset", ABE)
    fact.do("UPDATE ops.session SET seen_s = seen_s + 60 WHERE cookie = 'two'")

    run = fact.stage.carry_out(document)

    assert (run.state, run.reason) == (RunState.COMMITTED, "")
    assert [row["cookie"] for row in fact.rows("SELECT cookie FROM ops.session")] == ["other"]


def test_row_that_a_statement_did_not_meet_in_the_plan_stops_the_run(fact: Fact) -> None:
    document = fact.plan("reset", ABE)
    fact.do("UPDATE ops.operator SET full_name = 'Impostor' WHERE id = %s", BEA)

    run = fact.stage.carry_out(document)

    assert run.state == RunState.ABORTED
    assert "stop impostors meets 1 rows in ops.operator, but 0 are expected" in run.reason


def test_row_to_which_only_an_earlier_statement_leads_stops_the_run(fact: Fact) -> None:
    run = fact.run("reset", ABE)
    fact.do("UPDATE ops.operator SET full_name = 'Chained' WHERE id = %s", ABE)

    undo = fact.stage.carry_out(rollback.disable_document(run))

    assert undo.state == RunState.ABORTED
    assert "clear the tries of who is stopped meets 1 rows in ops.operator, but 0 are expected" in undo.reason
