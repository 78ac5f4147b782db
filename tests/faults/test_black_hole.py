"""P10 of the fault list: after the COMMIT was sent nothing comes back. The client's own deadline ends the waiting."""

import pytest

from recovery import database
from recovery.models import Run, RunState
from tests.faults.black_hole import swallowing
from tests.faults.invariants import Witness
from tests.recovery.stage import Stage

DEADLINE = 4.0  # seconds by the monotonic clock; in life 45


@pytest.mark.parametrize(
    ("forwards", "state"), [(True, RunState.COMMITTED), (False, RunState.ABORTED)], ids=["answer-lost", "commit-lost"]
)
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
