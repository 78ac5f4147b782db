"""Moments in which a run cannot know by itself: it says so, tries no more than it may, and settling finds out."""

import threading
from collections.abc import Iterator

import pytest
from django.db import DatabaseError

from recovery.models import Run, RunState
from recovery.points import fail_points
from recovery.running import runs, settle
from tests.recovery.stage import PASSWORD, Stage


@pytest.fixture
def points() -> Iterator[dict[str, object]]:
    yield fail_points
    fail_points.clear()


def end_run_s_session(stage: Stage) -> None:
    stage.place.acme.end_sessions()


def test_lost_answer_to_the_commit_leaves_the_run_unknown(stage: Stage, points: dict[str, object]) -> None:
    points["after_prepared"] = lambda: end_run_s_session(stage)

    run = stage.carry_out(stage.plan("enable"))

    assert run.state == RunState.PREPARED
    assert "the result is unknown yet" in run.reason


def test_unknown_run_is_settled_by_what_the_platform_says(stage: Stage, points: dict[str, object]) -> None:
    points["after_prepared"] = lambda: end_run_s_session(stage)
    run = stage.carry_out(stage.plan("enable"))

    settle.settle(run)

    assert run.state == RunState.ABORTED
    assert not stage.place.acme.owner("root@acme.example")["is_active"]


def test_connection_lost_before_prepared_changes_nothing(stage: Stage, points: dict[str, object]) -> None:
    points["after_statements"] = lambda: end_run_s_session(stage)

    run = stage.carry_out(stage.plan("enable"))

    assert run.state == RunState.ABORTED
    assert "The connection to the platform broke in the middle" in run.reason


def test_run_that_was_settled_meanwhile_is_left_alone(stage: Stage, points: dict[str, object]) -> None:
    points["after_flush"] = lambda: settle.settle(Run.objects.get())

    run = stage.carry_out(stage.plan("enable"))

    assert (run.state, run.decided_by) == (RunState.ABORTED, "settle")
    assert not stage.place.acme.owner("root@acme.example")["is_active"]


def test_row_that_another_session_lets_go_is_tried_once_more(stage: Stage) -> None:
    document = stage.plan("reset")
    values = runs.prepare_values(document.content, password=PASSWORD)
    with stage.place.acme.connect() as holder, stage.keeper():
        holder.autocommit = False
        holder.execute("UPDATE adminuser SET failed_logins = failed_logins + 1 WHERE id = 1")
        letting_go = threading.Timer(1.5, holder.commit)
        letting_go.start()
        run = runs.carry_out(stage.run(document), values=values)
        letting_go.join()

    assert (run.state, run.reason) == (RunState.COMMITTED, "")


def test_decided_run_is_never_decided_again(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("enable"))

    with pytest.raises(DatabaseError, match="no way leads from committed to aborted"):
        Run.objects.filter(pk=run.pk).update(state=RunState.ABORTED)
