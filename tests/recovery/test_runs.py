"""A run on the real practice platform: the change is made once, nothing else changes, and nothing is left."""

import json

import pytest
from argon2 import PasswordHasher
from django.db import connection, transaction

from audit.models import Entry
from recovery.images import from_json
from recovery.models import Access, AdminUser, RunState
from recovery.planning.documents import PlanDocument
from recovery.run_refusals import ValuesMissing
from recovery.running import runs
from tests.recovery.stage import DANA, NEW, PASSWORD, Stage


def events(incident: str = "BG-2026-0001") -> list[str]:
    return list(Entry.objects.filter(incident=incident).order_by("seq").values_list("event", flat=True))


def test_reset_sets_the_password_that_was_typed(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("reset"))

    assert (run.state, run.reason) == (RunState.COMMITTED, "")
    row = stage.place.acme.owner()
    assert PasswordHasher().verify(row["password_hash"], PASSWORD)
    assert row["failed_logins"] == 0


def test_reset_changes_no_other_row(stage: Stage) -> None:
    everybody = "SELECT * FROM adminuser WHERE id <> 1 ORDER BY id"
    before = stage.place.acme.rows(everybody)

    stage.carry_out(stage.plan("reset"))

    assert stage.place.acme.rows(everybody) == before


def test_create_adds_one_owner_to_the_system_tenant(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("create"))

    assert (run.state, run.reason) == (RunState.COMMITTED, "")
    row = stage.place.acme.owner(NEW)
    assert (row["role"], row["tenant_id"], row["is_active"]) == ("platform_owner", 1, True)


def test_enable_needs_no_password(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("enable"))

    assert (run.state, run.reason) == (RunState.COMMITTED, "")
    assert stage.place.acme.owner("root@acme.example")["is_active"]


def test_sessions_of_the_account_end_with_a_reset(stage: Stage) -> None:
    stage.place.acme.rows(
        "INSERT INTO session (id, adminuser_id, expires_at) VALUES ('a', 1, now()), ('b', 4, now()) RETURNING id"
    )

    run = stage.carry_out(stage.plan("reset"))

    assert run.state == RunState.COMMITTED, run.reason
    assert [row["id"] for row in stage.place.acme.rows("SELECT id FROM session")] == ["b"]


def test_log_tells_every_move_in_order(stage: Stage) -> None:
    stage.carry_out(stage.plan("reset"))

    told = ["access.opened", "run.rehearsed", "run.prepared", "run.committed", "access.proven"]
    assert events() == told


def test_access_is_proven_gone_after_the_run(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("reset"))

    access = Access.objects.get(run=run)
    proof = json.loads(access.proof)
    assert access.proven_at is not None
    assert (proof["role_exists"], proof["sessions"], proof["login_tried_with_its_password"]) == (False, 0, True)
    assert stage.place.roles() == []


def test_history_holds_the_row_before_and_after(stage: Stage) -> None:
    stage.carry_out(stage.plan("reset"))

    row = AdminUser.objects.get(table_name="public.adminuser", row_key=DANA)
    moments = [entry.moment for entry in row.history.order_by("history_id")]
    before, after = (json.loads(entry.image) for entry in row.history.order_by("history_id"))
    assert moments == ["before", "after"]
    assert (before["failed_logins"], after["failed_logins"]) == (12, 0)
    assert before["password_hash"] != after["password_hash"]


def test_row_that_was_added_has_no_image_before(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("create"))

    before, after = from_json(run.before), from_json(run.after)
    assert [image.columns for image in before] == [None]
    assert after[0].columns["email"] == NEW


def test_statements_are_recorded_as_sent_but_without_the_secret(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("reset"))

    first, second = json.loads(run.statements)
    assert "password_hash = '[secret left out]'" in first["sql"]
    assert second["sql"] == "DELETE FROM session WHERE adminuser_id = '1' RETURNING adminuser_id, created_at"
    assert (first["rows"], second["rows"]) == (1, 0)


def test_no_console_table_holds_the_password_or_its_hash(stage: Stage) -> None:
    old = stage.place.acme.owner()["password_hash"]

    stage.carry_out(stage.plan("reset"))

    new = stage.place.acme.owner()["password_hash"]
    for secret in (PASSWORD, old, new, new.rpartition("$")[2]):
        assert tables_that_hold(secret) == []


def tables_that_hold(secret: str) -> list[str]:
    """Every table of the console of which some row, written out, contains this text."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname IN ('public', 'audit') AND has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT')"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT count(*) FROM {table} AS t WHERE position(%s IN t::text) > 0", [secret])
            found += [table] if cursor.fetchone()[0] else []
    return found


def test_values_are_never_shown(stage: Stage) -> None:
    values = runs.prepare_values(stage.plan("reset").content, password=PASSWORD)

    assert "argon2" in values.secret["password_hash"]
    assert "argon2" not in repr(values)


def test_new_hash_has_scheme_and_cost_of_the_replaced_one(stage: Stage) -> None:
    stage.carry_out(stage.plan("reset"))

    assert stage.place.acme.owner()["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_password_must_be_given_where_the_plan_needs_one(stage: Stage) -> None:
    with pytest.raises(ValuesMissing):
        runs.prepare_values(stage.plan("reset").content, password=None)


def test_run_belongs_into_no_transaction_of_its_caller(stage: Stage) -> None:
    run = stage.run(stage.plan("enable"))

    with pytest.raises(transaction.TransactionManagementError), transaction.atomic():
        runs.carry_out(run, values=runs.Values())


def test_second_run_of_the_same_plan_meets_the_changed_row(stage: Stage) -> None:
    document = stage.plan("enable")
    stage.carry_out(document)

    again = stage.carry_out(document)

    assert again.state == RunState.ABORTED
    assert "was changed since the plan was made" in again.reason


def test_plan_that_was_altered_after_approval_does_not_run(stage: Stage) -> None:
    document = stage.plan("enable")
    run = stage.run(document)
    altered = PlanDocument(document.content.replace("root@acme.example", "lee@acme.example"))
    run.content = altered.content

    with stage.keeper():
        runs.carry_out(run, values=runs.Values())

    assert run.state == RunState.ABORTED
    assert "no longer the one that was approved" in run.reason
