"""C9: an executor is killed at any moment, not only at a named one."""

import random
import signal
import time

import pytest

from recovery.models import RunState
from tests.faults.invariants import Witness
from tests.recovery.killed import Executor, part_for
from tests.recovery.stage import Stage

LONGEST = 0.6  # seconds; about what a run takes
KINDS = ("create", "reset", "enable")


@pytest.mark.parametrize("seed", range(90))
def test_killed_at_any_moment_leaves_one_truth(stage: Stage, witness: Witness, seed: int) -> None:
    document = stage.plan(KINDS[seed % len(KINDS)])
    run = stage.run(document)

    with stage.keeper():
        executor = Executor(part_for(stage, run, **witness.traces)).start()
        time.sleep(random.Random(seed).uniform(0, LONGEST))
        assert executor.kill() in {0, -signal.SIGKILL}

    run.refresh_from_db()
    witness.require_all(run)
    if run.state == RunState.ABORTED:
        witness.require_retry(document)
