"""A standby takes over, a backup is put back, a dump is loaded elsewhere: then transaction ids lie, and the rows decide.

More of them stand in slow/.
"""

from pathlib import Path

from breakglass.practice.cluster import Cluster
from recovery.models import RunState
from recovery.running import settle
from tests.faults.failover import LATER, bare_status, load, moved_to, settled, taken_over, wait_for
from tests.faults.servers import Fragile, foreign_work
from tests.recovery.killed import kill_at
from tests.recovery.stage import Stage


def test_commit_that_the_take_over_lost_is_not_believed(
    fragile: Stage, fragile_platform: Fragile, standby: Fragile, tmp_path: Path
) -> None:
    run = fragile.run(fragile.plan("enable"))
    wait_for(standby, fragile_platform)
    standby.stop()
    kill_at(fragile, run, "after_platform_commit")

    stage = taken_over(fragile, fragile_platform, standby)

    assert bare_status(stage, run) == "committed"
    assert settled(stage, run, tmp_path).state == RunState.ABORTED


def test_files_that_were_put_back_are_not_believed(fragile: Stage, fragile_platform: Fragile, earlier: Fragile) -> None:
    run = fragile.run(fragile.plan("reset"))
    kill_at(fragile, run, "after_platform_commit")
    fragile_platform.crash()
    earlier.start()
    foreign_work(earlier, fragile.place.acme.dbname, times=LATER)
    stage = moved_to(earlier, fragile)
    stage.place.acme.rows("UPDATE adminuser SET failed_logins = 13 RETURNING id")  # a failed sign-in since

    settle.settle(run)

    assert bare_status(stage, run) == "committed"
    assert run.state == RunState.NEEDS_HUMAN
    assert run.reason == "The platform calls the transaction committed, but the rows are untouched."


def test_copy_without_such_a_password_proves_nothing(fragile: Stage, loaded: Cluster) -> None:
    run = fragile.run(fragile.plan("enable"))
    kill_at(fragile, run, "after_platform_commit")
    load(fragile, loaded)

    settle.settle(run)

    assert run.state == RunState.NEEDS_HUMAN
    assert "lives on another server by now (another system identifier)" in run.reason
