"""T5 and T6 of the fault list: clocks that differ, and a window that ends while a run is under way."""

from collections.abc import Callable

import pytest

from audit.models import Entry
from breakglass.procedure import execution
from recovery.models import Run, RunState
from recovery.points import fail_points
from recovery.run_refusals import ResultUnrecorded
from recovery.running import runs, settle
from tests import keepers
from tests.acme import Acme
from tests.breakglass import story
from tests.breakglass.conftest import pass_time
from tests.breakglass.runs_made import claimed
from tests.faults.invariants import Witness
from tests.recovery.stage import Stage

__all__ = ["pass_time"]


def apart() -> list[str]:
    return list(Entry.objects.filter(event="clock.apart").values_list("entry", flat=True))


def test_t5_clocks_that_differ_by_seconds_are_logged(
    stage: Stage, witness: Witness, pass_time: Callable[..., None]
) -> None:
    document = stage.plan("enable")
    pass_time(seconds=10)

    run = stage.carry_out(document)

    witness.require_all(run)
    assert run.state == RunState.COMMITTED
    assert ['"seconds":"-10.' in line or '"seconds":"-9.' in line for line in apart()] == [True]


def test_t5_clocks_that_agree_are_not_mentioned(stage: Stage) -> None:
    stage.carry_out(stage.plan("enable"))

    assert apart() == []


def test_t5_clocks_that_are_half_a_minute_apart_stop_the_run(
    stage: Stage, witness: Witness, pass_time: Callable[..., None]
) -> None:
    document = stage.plan("enable")
    pass_time(seconds=40)

    run = stage.carry_out(document)

    witness.require_all(run)
    assert run.state == RunState.ABORTED
    assert "seconds away from the console's; 30 are allowed" in run.reason


@pytest.mark.django_db
def test_t6_window_that_ends_before_the_last_look_stops_the_change(
    platform: Acme, pass_time: Callable[..., None]
) -> None:
    before = platform.owner()
    run = claimed(platform)
    fail_points["after_flush"] = lambda: pass_time(minutes=31)

    with keepers.running():
        execution.carry_out(run, runs.prepare_values(run.content, password=story.PASSWORD), by="handover")

    assert Run.objects.get().state == RunState.ABORTED
    assert "The window ended before the change was made" in Run.objects.get().reason
    assert platform.owner() == before


@pytest.mark.django_db
def test_t6_window_that_ends_after_the_last_look_lets_the_commit_finish(
    platform: Acme, pass_time: Callable[..., None]
) -> None:
    run = claimed(platform)
    fail_points["after_prepared"] = lambda: pass_time(minutes=31)

    with keepers.running():
        execution.carry_out(run, runs.prepare_values(run.content, password=story.PASSWORD), by="handover")

    assert Run.objects.get().state == RunState.COMMITTED


def test_t1_console_clock_that_goes_back_after_the_commit_says_unknown_and_never_unchanged(
    stage: Stage, witness: Witness, pass_time: Callable[..., None]
) -> None:
    fail_points["after_platform_commit"] = lambda: pass_time(seconds=-60)

    with pytest.raises(ResultUnrecorded) as caught:
        stage.carry_out(stage.plan("enable"))

    pass_time(seconds=61)
    run = Run.objects.get()
    assert "So the result is unknown yet" in caught.value.sentence
    assert "Nothing was changed" not in caught.value.sentence
    assert settle.settle(run).state == RunState.COMMITTED
    witness.require_all(run)
