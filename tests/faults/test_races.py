"""C10: two executors of one run, two settlers, settler and executor, and a login that is made after it was proven gone."""

import signal
import threading
from collections.abc import Callable

import pytest
from django.db import connections

from audit.models import Entry
from breakglass.procedure import reaping
from recovery.models import Access, Run, RunState
from recovery.running import settle
from tests.faults.invariants import Witness, close_left_over
from tests.recovery.killed import Executor, kill_at, part_for, stopped_at
from tests.recovery.stage import Stage


def together(*work: Callable[[], object]) -> None:
    """All at once, each with connections of its own. What one of them raises is raised here."""
    raised: list[BaseException] = []

    def alone(one: Callable[[], object]) -> None:
        try:
            one()
        except BaseException as error:
            raised.append(error)
            raise
        finally:
            connections.close_all()

    threads = [threading.Thread(target=alone, args=[one]) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []


@pytest.mark.parametrize("kind", ["create", "reset", "enable"])
def test_two_executors_of_one_run_change_once(stage: Stage, witness: Witness, kind: str) -> None:
    run = stage.run(stage.plan(kind))

    with stage.keeper():
        both = [Executor(part_for(stage, run, **witness.traces)).start() for _number in range(2)]
        ended = [one.wait() for one in both]

    assert ended == [0, 0]
    run.refresh_from_db()
    witness.require_all(run)


def test_executor_that_was_frozen_finds_that_a_second_one_made_the_change(stage: Stage, witness: Witness) -> None:
    run = stage.run(stage.plan("reset"))

    with stopped_at(stage, run, "after_access", **witness.traces):
        assert Executor(part_for(stage, run)).start().wait() == 0

    witness.require_all(run)
    assert run.state == RunState.COMMITTED


@pytest.mark.parametrize("point", ["after_flush", "after_prepared", "after_platform_commit"])
def test_two_settlers_at_once_say_the_same_once(stage: Stage, witness: Witness, point: str) -> None:
    run = stage.run(stage.plan("reset"))
    kill_at(stage, run, point, **witness.traces)

    together(*(lambda: settle.settle(Run.objects.get(pk=run.pk)) for _number in range(4)))

    witness.require_all(run)


@pytest.mark.parametrize(
    "point", ["after_statements", "before_prepared_commit", "after_prepared", "after_platform_commit"]
)
def test_settler_that_comes_while_the_executor_works_changes_no_truth(
    stage: Stage, witness: Witness, point: str
) -> None:
    run = stage.run(stage.plan("enable"))

    with stopped_at(stage, run, point, **witness.traces) as executor:
        together(lambda: settle.settle(Run.objects.get(pk=run.pk)), executor.go_on)

    witness.require_all(run)


def test_second_run_after_a_kept_change_is_refused(stage: Stage, witness: Witness) -> None:
    document = stage.plan("reset")
    run = stage.carry_out(document)

    again = stage.carry_out(document)

    assert (run.state, again.state) == (RunState.COMMITTED, RunState.ABORTED)
    assert "was changed since the plan was made" in again.reason
    assert witness.changes() == 1


@pytest.fixture
def late_login(stage: Stage, witness: Witness) -> Run:
    """An executor slept until its access was proven gone, then it woke, had the door opened, and died."""
    run = stage.run(stage.plan("reset"))
    with stopped_at(stage, run, "after_access_asked", then="after_access_made", **witness.traces) as executor:
        settle.settle(run)
        close_left_over(run)
        assert executor.go_on() == -signal.SIGKILL
    assert Access.objects.get(run=run).proven_at is not None
    assert len(stage.place.roles()) == 1
    return run


def test_login_made_after_it_was_proven_gone_is_closed_by_the_worker(
    stage: Stage, witness: Witness, late_login: Run
) -> None:
    stage.place.acme.rows("UPDATE breakglass.access SET until = opened_at RETURNING id")

    reaping.reap(0)

    witness.require_all(late_login)
    assert Entry.objects.filter(event="access.closed", by="worker").count() == 1


def test_reaping_leaves_a_login_alone_that_has_not_come_to_its_end(stage: Stage, late_login: Run) -> None:
    reaping.reap(0)

    assert len(stage.place.roles()) == 1
    assert not Entry.objects.filter(event="access.closed").exists()
