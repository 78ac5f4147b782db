"""P1 to P8 of the fault list: what the platform may have become between the plan and the run, each with its sentence."""

import psycopg
import pytest

from recovery import answers, database
from recovery.language.rights import capability
from recovery.models import Run, RunState
from recovery.run_refusals import SetupMissing
from tests.faults import changes
from tests.faults.invariants import Witness
from tests.recovery.stage import PASSWORD, Stage


def sql(stage: Stage, text: str) -> None:
    with stage.place.acme.connect() as connection:
        connection.execute(text)


def aborted(stage: Stage, witness: Witness, text: str, kind: str = "reset") -> str:
    """The reason of a run whose platform was changed after the plan; everything that must hold holds."""
    document = stage.plan(kind)
    sql(stage, text)
    run = stage.carry_out(document)
    witness.require_all(run)
    assert run.state == RunState.ABORTED
    return run.reason


def test_p1_run_goes_through_when_the_lock_is_gone(stage: Stage, witness: Witness) -> None:
    document = stage.plan("reset")
    url = stage.place.acme.cluster.superuser_url(stage.place.acme.dbname)
    with psycopg.connect(url, application_name="nightly import") as holder:
        holder.execute("SELECT FROM adminuser WHERE id = 1 FOR UPDATE")
        run = stage.carry_out(document)

    witness.require_all(run)
    assert "Somebody else holds a lock on what this statement needs: process" in run.reason
    assert "(nightly import)" in run.reason
    witness.require_retry(document)


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        (changes.COLUMN_DROPPED, "reset", "The platform does not have what the profile names"),
        (changes.TYPE_CHANGED, "reset", "was changed since the plan was made"),
        (changes.COLUMN_ADDED, "create", 'null value in column "region"'),
        (changes.ROWS_HIDDEN, "reset", "The account dana@acme.example is not there"),
        (changes.RAISES, "enable", "(P0001): accounts are frozen this week"),
    ],
    ids=["column-dropped", "type-changed", "column-added", "rows-hidden", "trigger-raises"],
)
def test_p3_and_p4_changed_schema_is_found_by_the_rehearsal(
    stage: Stage, witness: Witness, text: str, kind: str, sentence: str
) -> None:
    assert sentence in aborted(stage, witness, text, kind)
    assert Run.objects.get().rehearsed_at is None


def test_p3_missing_column_stops_the_plan_already(stage: Stage) -> None:
    sql(stage, changes.COLUMN_DROPPED)

    with pytest.raises(SetupMissing, match="failed_logins does not exist"):
        stage.plan("reset")


def test_p4_trigger_that_hangs_is_told_to_stop(stage: Stage, witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (database, answers):
        monkeypatch.setattr(module, "STATEMENT_SECONDS", 1)

    reason = aborted(stage, witness, changes.HANGS, "enable")

    assert "needed longer than 1 seconds for one statement and was told to stop" in reason


def test_p5_rule_that_breaks_inside_the_commit_aborts_a_prepared_run(stage: Stage, witness: Witness) -> None:
    reason = aborted(stage, witness, changes.BOMB.format(state="23503"))

    assert "A rule of the platform's own tables refuses the change: books_balance on bomb" in reason
    run = Run.objects.get()
    assert (run.prepared_at is not None, run.decided_by) == (True, "executor")


@pytest.mark.parametrize("state", ["40001", "40P01"])
@pytest.mark.parametrize("times", ["1", "2"], ids=["in-the-rehearsal", "in-the-change"])
def test_p6_collision_is_tried_once_more(stage: Stage, witness: Witness, state: str, times: str) -> None:
    document = stage.plan("enable")
    sql(stage, changes.BUSY.format(times=times, state=state))

    run = stage.carry_out(document)

    witness.require_all(run)
    assert (run.state, run.reason) == (RunState.COMMITTED, "")


def test_p6_second_collision_is_told(stage: Stage, witness: Witness) -> None:
    reason = aborted(stage, witness, changes.BUSY.format(times="1, 2", state="40001"), "enable")

    assert "Another session changed the same rows at the same moment (40001)" in reason


def test_p6_collision_inside_the_commit_is_not_tried_again(stage: Stage, witness: Witness) -> None:
    reason = aborted(stage, witness, changes.BOMB.format(state="40001"), "enable")

    assert "Another session changed the same rows at the same moment (40001)" in reason
    assert stage.place.acme.rows("SELECT count(*) AS n FROM information_schema.bomb") == [{"n": 0}]


def test_p7_right_that_was_taken_away_stops_the_plan_already(stage: Stage) -> None:
    sql(stage, f"REVOKE UPDATE (is_active) ON adminuser FROM {capability('enable', stage.place.acme.dbname)}")

    with pytest.raises(SetupMissing, match="lacks UPDATE on public.adminuser"):
        stage.plan("enable")


def test_left_over_access_is_named_before_a_plan_is_made(stage: Stage) -> None:
    role = stage.place.open().role

    with pytest.raises(SetupMissing, match=f"The access {role} is not closed. The worker closes it"):
        stage.plan("enable")


def test_password_stands_in_no_sentence_of_a_refusal(stage: Stage, witness: Witness) -> None:
    body = "RAISE EXCEPTION 'no: %', NEW.password_hash;"

    reason = aborted(stage, witness, changes.TRIGGER.format(name="tell", body=body))

    assert "[secret left out]" in reason
    assert PASSWORD not in reason
