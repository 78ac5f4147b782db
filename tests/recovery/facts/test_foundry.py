"""Reserved and camelCase names, an enum, an array, JSON, disabled as a number, a sequence by name, moments, no tenants."""

from datetime import UTC, datetime

import bcrypt
import pytest

from recovery import diagnosis, readiness
from recovery.models import RunState, Tenant
from recovery.planning import rollback
from tests.recovery.facts.place import Fact
from tests.recovery.stage import PASSWORD

FAY, GIL = (f"00000000-0000-0000-0000-00000000000{last}" for last in "ab")


def test_platform_without_tenants_is_ready_after_the_script(fact: Fact) -> None:
    assert readiness.look(fact.stage.place.platform).missing == ()


def test_only_people_are_owners_and_no_robots_or_groups(fact: Fact) -> None:
    report = diagnosis.read(fact.stage.place.platform)

    assert {owner.login: owner.stops for owner in report.owners} == {"fay": frozenset(), "gil": {"disabled", "locked"}}


def test_plan_says_what_must_be_restarted(fact: Fact) -> None:
    assert fact.plan("reset", FAY).restart.startswith("Foundry keeps its principals in memory")


def test_create_adds_one_person_and_one_membership_per_group(fact: Fact) -> None:
    document = fact.plan("create", login="Hal", name="Hal")

    with fact.watched() as (gone, new):
        run = fact.stage.carry_out(document)

    assert (run.state, run.reason, gone) == (RunState.COMMITTED, "", {})
    (person,) = new["public.user"]
    assert (person["kind"], person["loginName"], person["scopes"]) == ("person", "hal", ["build", "all"])
    assert person["userId"] == document.known_values["new_id"]
    memberships = {entry["bound"]["member_code"]: entry["bound"]["group_id"] for entry in document.statements[1:3]}
    assert {row["groupId"]: row["inGroup"] for row in new["public.group"]} == memberships
    assert len(memberships) == 2
    assert [row["no"] for row in new["public.Event"]] == [71]  # the rehearsal has taken one number


def test_all_moments_of_a_new_account_are_the_same(fact: Fact) -> None:
    with fact.watched() as (_gone, new):
        fact.run("create", login="hal")

    (person,) = new["public.user"]
    naive = datetime.fromisoformat(person["createdAt"]).replace(tzinfo=UTC)
    assert naive.timestamp() * 10**6 == pytest.approx(person["createdUs"], abs=1)
    assert person["createdUs"] // 1000 == person["createdMs"]
    assert person["createdDay"] == naive.date().isoformat()


def test_reset_keeps_the_rest_of_the_json(fact: Fact) -> None:
    with fact.watched() as (gone, new):
        fact.run("reset", GIL)

    assert [len(gone["public.user"]), len(new["public.user"]), set(new)] == [1, 1, {"public.user"}]
    (row,) = new["public.user"]
    assert bcrypt.checkpw(PASSWORD.encode(), row["passwordHash"].encode())
    assert (row["prefs"], row["isDisabled"]) == ({}, 2)


def test_enable_and_restore_put_number_array_and_json_back(fact: Fact) -> None:
    with fact.watched() as (gone, new):
        run = fact.run("enable", GIL)

        (row,) = fact.rows('SELECT * FROM "user" WHERE "userId" = %s', GIL)
        assert (row["isDisabled"], row["scopes"], row["prefs"]) == (0, ["build"], {"locked": False})
        undo = fact.stage.carry_out(rollback.restore_document(run))
        assert (undo.state, undo.reason) == (RunState.COMMITTED, "")

    assert (gone, new) == ({}, {})


def test_disable_after_reset_counts_as_a_number(fact: Fact) -> None:
    run = fact.run("reset", FAY)

    undo = fact.stage.carry_out(rollback.disable_document(run))

    assert (undo.state, undo.reason) == (RunState.COMMITTED, "")
    assert fact.rows('SELECT "isDisabled" AS is, scopes FROM "user" WHERE "userId" = %s', FAY) == [
        {"is": 1, "scopes": ["build", "blocked"]}
    ]


def test_platform_without_tenants_leaves_no_image_of_one(fact: Fact) -> None:
    fact.run("enable", GIL)

    assert not Tenant.objects.exists()


def test_create_takes_up_the_row_of_a_deleted_account_and_it_can_be_disabled_again(fact: Fact) -> None:
    fact.do('UPDATE "user" SET "isDisabled" = 9 WHERE "loginName" = %s', "visitor")

    with fact.watched() as (gone, new):
        run = fact.run("create", login="Visitor", name="Vi")

    assert [row["userId"] for row in gone["public.user"]] == [row["userId"] for row in new["public.user"]]
    assert {row["memberId"] for row in new["public.group"]} == {new["public.user"][0]["userId"]}
    undo = fact.stage.carry_out(rollback.disable_document(run))
    assert (undo.state, undo.reason) == (RunState.COMMITTED, "")
    assert fact.rows('SELECT "isDisabled" AS is FROM "user" WHERE "loginName" = %s', "visitor") == [{"is": 1}]
