"""C7 and C8: the platform's server, the console's, or both die under a run that is under way; then other people work on."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connections

from recovery.models import Run, RunState
from recovery.planning import rollback
from recovery.points import IN_ORDER
from tests.faults.invariants import Witness
from tests.faults.matrix import Crash, crashes
from tests.faults.servers import Fragile, foreign_work
from tests.recovery.killed import stopped_at
from tests.recovery.stage import Stage

KEPT_FROM = IN_ORDER.index("after_platform_commit")
IN_TRANSACTION = {"after_lock", "after_statements", "after_flush", "before_prepared_commit", "after_prepared"}


@pytest.fixture
def strike(fragile: Stage, fragile_console: Fragile, fragile_platform: Fragile) -> Callable[[Crash], None]:
    """Let the servers die, come back, and be used by others."""

    def happen(crash: Crash) -> None:
        hit = {
            "platform": [fragile_platform],
            "console": [fragile_console],
            "both": [fragile_platform, fragile_console],
        }
        if crash.how == "terminate":
            fragile.place.acme.end_sessions()
        else:
            for server in hit[crash.whom]:
                server.crash() if crash.how == "immediate" else server.kill()
            for server in hit[crash.whom]:
                server.start()
        connections.close_all()
        foreign_work(fragile_platform, fragile.place.acme.dbname)

    return happen


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "crash" in metafunc.fixturenames:
        metafunc.parametrize("crash", crashes(metafunc.config), ids=str)


def test_crash_of_a_server_leaves_one_truth(
    fragile: Stage, tmp_path: Path, strike: Callable[[Crash], None], crash: Crash
) -> None:
    witness = Witness(fragile, tmp_path)
    document = fragile.plan(crash.kind)
    run = fragile.run(document)

    with stopped_at(fragile, run, crash.point, time=crash.time, **witness.traces):
        strike(crash)

    witness.require_all(run)
    assert run.state in states_by_then(crash)
    if run.state == RunState.ABORTED:
        witness.require_retry(document)


def states_by_then(crash: Crash) -> set[str]:
    """What the crash can leave. Outside of a platform transaction the executor may find the server up again and go on."""
    place = IN_ORDER.index(crash.point)
    if place >= KEPT_FROM:
        return {RunState.COMMITTED}
    if crash.whom == "console":
        return {RunState.COMMITTED} if crash.point == "after_prepared" else {RunState.ABORTED}
    return {RunState.ABORTED} if crash.point in IN_TRANSACTION else {RunState.ABORTED, RunState.COMMITTED}


def test_crash_of_the_console_loses_the_key_of_sealed_rows_and_no_fact(
    fragile: Stage, fragile_console: Fragile
) -> None:
    run = fragile.carry_out(fragile.plan("reset"))
    facts = Run.objects.filter(pk=run.pk).values().get()

    fragile_console.kill()
    fragile_console.start()
    connections.close_all()
    restored = fragile.carry_out(rollback.restore_document(run, window_minutes=30))

    assert Run.objects.filter(pk=run.pk).values().get() == facts
    assert restored.state == RunState.ABORTED
    assert "The sealed copy of the row as it was before can no longer be opened" in restored.reason
