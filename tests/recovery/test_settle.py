"""Executors that are killed or stopped at every point of a run: settling finds the truth, once, and never guesses."""

from dataclasses import replace

import pytest

from audit import log
from recovery.doors.openings import close
from recovery.models import Access, Run, RunState
from recovery.running import settle
from recovery.running.settle import Evidence, verdict
from tests.recovery.killed import kill_at, stopped_at
from tests.recovery.stage import NEW, Stage

BEFORE_COMMIT = [
    *("after_intent", "after_access", "after_rehearsal", "after_statements", "after_flush"),
    "after_prepared",
]
AFTER_COMMIT = ["after_platform_commit", "after_committed"]


def is_changed(stage: Stage, kind: str) -> bool:
    acme = stage.place.acme
    if kind == "create":
        return bool(acme.rows("SELECT FROM adminuser WHERE email = %s", NEW))
    if kind == "enable":
        return acme.owner("root@acme.example")["is_active"]
    return acme.owner()["failed_logins"] == 0


def close_all(run: Run) -> None:
    for access in Access.objects.filter(run=run, proven_at=None):
        close(access)


@pytest.mark.parametrize("point", BEFORE_COMMIT)
def test_killed_before_the_commit_changes_nothing(stage: Stage, point: str) -> None:
    run = stage.run(stage.plan("reset"))
    kill_at(stage, run, point)

    settle.settle(run)
    close_all(run)

    assert run.state == RunState.ABORTED
    assert not is_changed(stage, "reset")
    assert stage.place.roles() == []
    assert log.verify_chain().is_unbroken


@pytest.mark.parametrize("point", AFTER_COMMIT)
def test_killed_after_the_commit_is_found_to_be_committed(stage: Stage, point: str) -> None:
    run = stage.run(stage.plan("reset"))
    kill_at(stage, run, point)

    settle.settle(run)
    close_all(run)

    assert run.state == RunState.COMMITTED
    assert run.after == run.planned_after
    assert is_changed(stage, "reset")
    assert stage.place.roles() == []


@pytest.mark.parametrize("kind", ["create", "enable"])
@pytest.mark.parametrize("point", ["after_prepared", "after_platform_commit"])
def test_record_agrees_with_the_platform_whatever_the_outcome(stage: Stage, kind: str, point: str) -> None:
    run = stage.run(stage.plan(kind))
    kill_at(stage, run, point)

    settle.settle(run)

    assert run.is_decided
    assert is_changed(stage, kind) == (run.state == RunState.COMMITTED) == (point == "after_platform_commit")


def test_retry_after_a_settled_abort_applies_once(stage: Stage) -> None:
    document = stage.plan("reset")
    run = stage.run(document)
    kill_at(stage, run, "after_prepared")
    settle.settle(run)

    again = stage.carry_out(document)

    assert (again.state, again.reason) == (RunState.COMMITTED, "")


@pytest.mark.parametrize("point", ["after_statements", "after_prepared"])
def test_executor_that_slept_through_the_settling_changes_nothing_later(stage: Stage, point: str) -> None:
    run = stage.run(stage.plan("reset"))
    with stopped_at(stage, run, point):
        settle.settle(run)

    close_all(run)
    assert run.state == RunState.ABORTED
    assert not is_changed(stage, "reset")
    assert stage.place.roles() == []


def test_settling_twice_gives_the_same_and_one_entry(stage: Stage) -> None:
    run = stage.run(stage.plan("reset"))
    kill_at(stage, run, "after_platform_commit")

    states = [settle.settle(Run.objects.get(pk=run.pk)).state for _again in range(2)]

    assert states == [RunState.COMMITTED] * 2
    assert sum("run.committed" in line for line in log.lines(run.incident)) == 1


def test_other_timeline_is_decided_by_the_rows(stage: Stage) -> None:
    run = stage.run(stage.plan("reset"))
    kill_at(stage, run, "after_platform_commit")
    run.timeline = "000000FF"

    evidence = settle._evidence(run, stage.place.platform)

    assert evidence == Evidence(settle.UNKNOWN, is_ours=True, is_untouched=False, bears_mark=True)


UNSAID = Evidence(settle.UNKNOWN, is_ours=False, is_untouched=False)


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        (replace(UNSAID, status=settle.OPEN), RunState.PREPARED),
        (replace(UNSAID, status=settle.KEPT), RunState.COMMITTED),
        (replace(UNSAID, status=settle.KEPT, is_ours=True), RunState.COMMITTED),
        (replace(UNSAID, status=settle.KEPT, is_untouched=True), RunState.NEEDS_HUMAN),
        (replace(UNSAID, status=settle.TAKEN_BACK), RunState.ABORTED),
        (replace(UNSAID, status=settle.TAKEN_BACK, is_untouched=True), RunState.ABORTED),
        (replace(UNSAID, status=settle.TAKEN_BACK, is_ours=True), RunState.NEEDS_HUMAN),
        (replace(UNSAID, is_ours=True), RunState.COMMITTED),
        (replace(UNSAID, is_untouched=True), RunState.ABORTED),
        (replace(UNSAID, bears_mark=True), RunState.COMMITTED),
        (replace(UNSAID, looks_as_before=True), RunState.NEEDS_HUMAN),
        (replace(UNSAID, status=settle.KEPT, looks_as_before=True), RunState.NEEDS_HUMAN),
        (replace(UNSAID, status=settle.KEPT, looks_as_before=True, is_ours=True), RunState.COMMITTED),
        (replace(UNSAID, status=settle.TAKEN_BACK, bears_mark=True), RunState.NEEDS_HUMAN),
        (replace(UNSAID, is_same_server=False), RunState.NEEDS_HUMAN),
        (replace(UNSAID, is_same_server=False, is_untouched=True), RunState.NEEDS_HUMAN),
        (replace(UNSAID, is_same_server=False, is_ours=True), RunState.NEEDS_HUMAN),
        (replace(UNSAID, is_same_server=False, bears_mark=True), RunState.COMMITTED),
        (UNSAID, RunState.NEEDS_HUMAN),
    ],
)
def test_verdict_never_guesses(evidence: Evidence, state: str) -> None:
    assert verdict(evidence)[0] == state
