"""The matrix of faults C1 to C6: an executor is killed, or sleeps through the settling, at every point of A, B and C."""

import signal

import pytest

from recovery.models import RunState
from recovery.points import IN_ORDER
from recovery.running import settle
from tests.faults.invariants import Witness, close_left_over
from tests.faults.matrix import Cell, cells, taken
from tests.recovery.killed import kill_at, stopped_at
from tests.recovery.stage import Stage

INSIDE = {"before_prepared_commit", "before_committed_commit"}  # of a transaction of the console
KEPT_FROM = IN_ORDER.index("after_platform_commit")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    sent = {"killed": signal.SIGKILL, "slept": signal.SIGSTOP}
    for name in sent.keys() & set(metafunc.fixturenames):
        metafunc.parametrize(name, taken(cells(sent[name]), metafunc.config), ids=str)


def state_by_then(cell: Cell) -> str:
    """What a fault at this point leaves: before the platform's COMMIT nothing, afterwards the whole change."""
    return RunState.COMMITTED if IN_ORDER.index(cell.point) >= KEPT_FROM else RunState.ABORTED


def test_killed_executor_leaves_one_truth(stage: Stage, witness: Witness, killed: Cell) -> None:
    document = stage.plan(killed.kind)
    run = stage.run(document)

    kill_at(stage, run, killed.point, time=killed.time, **witness.traces)

    witness.require_all(run)
    assert run.state == state_by_then(killed)
    if run.state == RunState.ABORTED:
        witness.require_retry(document)


def test_executor_that_slept_changes_nothing_late(stage: Stage, witness: Witness, slept: Cell) -> None:
    run = stage.run(stage.plan(slept.kind))

    with stopped_at(stage, run, slept.point, time=slept.time, **witness.traces) as executor:
        settle.settle(run)
        close_left_over(run)
        counted = witness.changes()
        assert executor.go_on() == (slept.point in INSIDE)  # 1: the console's server has ended a transaction at rest

    assert witness.changes() == counted
    witness.require_all(run)
    assert run.state == state_by_then(slept)
