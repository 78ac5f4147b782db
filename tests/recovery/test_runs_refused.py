"""Bad moments of a run: each ends ABORTED with its sentence, nothing on the platform is changed and no access is left."""

import threading
from datetime import timedelta

import psycopg
import pytest

from recovery.language.rights import capability
from recovery.models import Run, RunState
from recovery.planning.documents import PlanDocument
from recovery.running import runs
from tests.recovery.stage import PASSWORD, Stage


@pytest.fixture
def reset(stage: Stage) -> PlanDocument:
    return stage.plan("reset")


def refused(stage: Stage, document: PlanDocument) -> str:
    """The reason of a run that must not change the account."""
    watched = "SELECT password_hash, is_active FROM adminuser ORDER BY id"
    before = stage.place.acme.rows(watched)
    run = stage.carry_out(document)
    assert run.state == RunState.ABORTED
    assert stage.place.acme.rows(watched) == before
    assert stage.place.roles() == []
    return run.reason


def sql(stage: Stage, *statements: str) -> None:
    with stage.place.acme.connect() as connection:
        for statement in statements:
            connection.execute(statement)


def test_row_changed_since_the_plan_is_named_with_the_column(stage: Stage, reset: PlanDocument) -> None:
    sql(stage, "UPDATE adminuser SET display_name = 'Somebody Else' WHERE id = 1")

    reason = refused(stage, reset)

    assert (
        'public.adminuser dana@acme.example was changed since the plan was made: display_name: "Dana Diaz" → "Somebody Else"'
        in reason
    )


def test_password_changed_since_the_plan_is_seen_without_being_shown(stage: Stage, reset: PlanDocument) -> None:
    sql(stage, "UPDATE adminuser SET password_hash = 'something new' WHERE id = 1")

    reason = refused(stage, reset)

    assert "password_hash: a secret → a secret" in reason


def test_failed_sign_ins_since_the_plan_do_not_matter(stage: Stage, reset: PlanDocument) -> None:
    sql(stage, "UPDATE adminuser SET failed_logins = 99, last_failed_at = now(), updated_at = now() WHERE id = 1")

    run = stage.carry_out(reset)

    assert (run.state, run.reason) == (RunState.COMMITTED, "")


def test_target_that_was_deleted_is_named(stage: Stage, reset: PlanDocument) -> None:
    sql(stage, "DELETE FROM session WHERE adminuser_id = 1", "DELETE FROM adminuser WHERE id = 1")

    reason = refused(stage, reset)

    assert "The account dana@acme.example is not there" in reason


def test_login_that_was_taken_meanwhile_stops_a_create(stage: Stage) -> None:
    document = stage.plan("create")
    sql(
        stage,
        "INSERT INTO adminuser (tenant_id, email, display_name, role) VALUES (2, 'new-owner@acme.example', 'N', 'member')",
    )

    reason = refused(stage, document)

    assert "adminuser_email_key on adminuser" in reason


def test_locked_row_names_who_holds_it(stage: Stage, reset: PlanDocument) -> None:
    url = stage.place.acme.cluster.superuser_url(stage.place.acme.dbname)
    with psycopg.connect(url, application_name="nightly import") as holder:
        pid = holder.execute("SELECT pg_backend_pid() FROM adminuser WHERE id = 1 FOR UPDATE").fetchone()[0]
        reason = refused(stage, reset)

    assert "Somebody else holds a lock" in reason
    assert f"process {pid} of postgres (nightly import)" in reason


def test_right_that_was_taken_away_is_named(stage: Stage, reset: PlanDocument) -> None:
    reset_role = capability("reset", stage.place.acme.dbname)
    sql(stage, f"REVOKE UPDATE (password_hash) ON adminuser FROM {reset_role}")

    reason = refused(stage, reset)

    assert "lacks a right on the platform: permission denied for table adminuser" in reason


def test_column_that_was_renamed_is_named(stage: Stage, reset: PlanDocument) -> None:
    sql(stage, "ALTER TABLE adminuser RENAME failed_logins TO failures")

    reason = refused(stage, reset)

    assert "failed_logins does not exist" in reason


def test_trigger_that_writes_another_table_is_named(stage: Stage, reset: PlanDocument) -> None:
    sql(
        stage,
        "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        " $$ BEGIN INSERT INTO audit_log (actor, action) VALUES ('trigger', 'told'); RETURN NEW; END $$",
        "CREATE TRIGGER tell AFTER UPDATE ON adminuser FOR EACH ROW EXECUTE FUNCTION tell()",
    )

    reason = refused(stage, reset)

    assert "public.audit_log, which no statement names (1 added)" in reason


def test_trigger_that_writes_another_row_is_named(stage: Stage, reset: PlanDocument) -> None:
    sql(
        stage,
        "CREATE FUNCTION spread() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        " $$ BEGIN UPDATE adminuser SET must_change_password = true WHERE id = 4; RETURN NEW; END $$",
        "CREATE TRIGGER spread AFTER UPDATE OF password_hash ON adminuser FOR EACH ROW"
        " WHEN (NEW.id = 1) EXECUTE FUNCTION spread()",
    )

    reason = refused(stage, reset)

    assert "public.adminuser: 2 changed instead of 1 changed" in reason
    assert '{"id": 4}' in reason


def test_trigger_that_changes_a_planned_value_is_named(stage: Stage, reset: PlanDocument) -> None:
    sql(
        stage,
        "CREATE FUNCTION bend() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.failed_logins := 5; NEW.role := 'member'; RETURN NEW; END $$",
        "CREATE TRIGGER bend BEFORE UPDATE ON adminuser FOR EACH ROW EXECUTE FUNCTION bend()",
    )

    reason = refused(stage, reset)

    assert 'failed_logins: 0 → 5; role: "platform_owner" → "member"' in reason


def test_deferred_rule_is_found_in_the_rehearsal(stage: Stage, reset: PlanDocument) -> None:
    sql(
        stage,
        "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not on a Sunday'; END $$",
        "CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON adminuser DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION late()",
    )

    reason = refused(stage, reset)

    assert "P0001): not on a Sunday" in reason
    assert Run.objects.get().rehearsed_at is None


def test_work_of_other_sessions_at_the_same_moment_is_not_ours(stage: Stage, reset: PlanDocument) -> None:
    with busy(stage):
        run = stage.carry_out(reset)

    assert (run.state, run.reason) == (RunState.COMMITTED, "")


class busy:
    """Another session that writes the same table without pause."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.stop = stage, threading.Event()
        self.thread = threading.Thread(target=self._write)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_error: object) -> None:
        self.stop.set()
        self.thread.join()

    def _write(self) -> None:
        with self.stage.place.acme.connect() as connection:
            while not self.stop.wait(0.01):
                connection.execute("UPDATE adminuser SET last_login_at = now() WHERE id = 7")


def test_keeper_that_is_silent_leaves_the_door_shut(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recovery.doors.openings.KEEPER_SECONDS", 0.2)
    run = stage.run(stage.plan("enable"))

    runs.carry_out(run, values=runs.Values())

    assert run.state == RunState.ABORTED
    assert "The keeper has not answered" in run.reason
    assert stage.place.roles() == []


def test_clocks_that_are_far_apart_are_refused(
    stage: Stage, reset: PlanDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "LARGEST_SKEW", timedelta(0))

    reason = refused(stage, reset)

    assert "seconds away from the console's" in reason


def test_platform_that_is_away_is_said(stage: Stage, reset: PlanDocument) -> None:
    folder = stage.place.acme.file.parent
    for name in ("acme-broker", "acme-reader"):
        (folder / name).write_text("host=/nowhere dbname=acme user=nobody")

    run = stage.carry_out(reset)

    assert run.state == RunState.ABORTED
    assert "The platform's database does not answer" in run.reason


def test_other_database_behind_the_connection_is_refused(stage: Stage, reset: PlanDocument) -> None:
    document = PlanDocument(reset.content.replace(reset.system_identifier, "7000000000000000001"))

    run = stage.carry_out(document)

    assert run.state == RunState.ABORTED
    assert stage.place.acme.owner()["failed_logins"] == 12


def test_window_that_ended_before_the_access_opens_keeps_the_door_shut(stage: Stage, reset: PlanDocument) -> None:
    run = stage.run(reset, minutes=-1)

    with stage.keeper():
        runs.carry_out(run, values=runs.prepare_values(reset.content, password=PASSWORD))

    assert run.state == RunState.ABORTED
    assert "The platform's door did not open" in run.reason
