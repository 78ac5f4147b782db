"""C4 and P10 of the fault list: killed while the COMMIT is under way, and a COMMIT after which nothing comes back."""

import os
import signal

import pytest

from recovery import database
from recovery.models import Run, RunState
from tests.faults.black_hole import swallowing
from tests.faults.invariants import Witness
from tests.recovery.killed import Executor, part_for
from tests.recovery.stage import Stage

PATHS = [(True, RunState.COMMITTED), (False, RunState.ABORTED)]  # whether the COMMIT reaches the platform
DEADLINE = 4.0  # seconds by the monotonic clock; in life 45


@pytest.mark.parametrize(("forwards", "state"), PATHS, ids=["commit-arrives", "commit-lost"])
def test_c4_killed_while_the_commit_is_under_way_is_never_guessed(
    stage: Stage, witness: Witness, forwards: bool, state: str
) -> None:
    acme, run = stage.place.acme, stage.run(stage.plan("reset"))
    executor = Executor(part_for(stage, run, **witness.traces))
    die = {"forwards": forwards, "on_commit": lambda: os.kill(executor.process.pid or 0, signal.SIGKILL)}
    with stage.keeper(), swallowing(acme.cluster, acme.file.parent / "acme-broker", **die):
        assert executor.start().wait() == -signal.SIGKILL

    run.refresh_from_db()
    assert run.state == RunState.PREPARED
    witness.require_all(run)
    assert run.state == state


@pytest.mark.parametrize(("forwards", "state"), PATHS, ids=["answer-lost", "commit-lost"])
def test_p10_silence_after_the_commit_is_unknown_yet_and_settled_later(
    stage: Stage, witness: Witness, monkeypatch: pytest.MonkeyPatch, forwards: bool, state: str
) -> None:
    monkeypatch.setitem(database.connect.__wrapped__.__kwdefaults__, "deadline", DEADLINE)
    acme = stage.place.acme
    with swallowing(acme.cluster, acme.file.parent / "acme-broker", forwards=forwards) as route:
        run = stage.carry_out(stage.plan("reset"))

    assert route.swallowing.is_set()
    assert (run.state, Run.objects.get().decided_at) == (RunState.PREPARED, None)
    assert "the result is unknown yet" in run.reason
    assert "fail" not in run.reason
    witness.require_all(run)
    assert run.state == state
