"""A standby takes over, a backup is put back, a dump is loaded elsewhere: the rows decide. The rest of them."""

from pathlib import Path

import pytest

from breakglass.practice.cluster import Cluster
from recovery.models import RunState
from recovery.running import settle
from tests.faults.failover import LATER, bare_status, load, moved_to, settled, taken_over, wait_for
from tests.faults.servers import Fragile, foreign_work
from tests.recovery.killed import kill_at
from tests.recovery.stage import Stage


@pytest.mark.parametrize("kind", ["create", "reset", "enable"])
def test_commit_that_reached_the_standby_is_found_by_its_rows(
    fragile: Stage, fragile_platform: Fragile, standby: Fragile, tmp_path: Path, kind: str
) -> None:
    run = fragile.run(fragile.plan(kind))
    kill_at(fragile, run, "after_platform_commit")
    wait_for(standby, fragile_platform)

    stage = taken_over(fragile, fragile_platform, standby)

    assert settled(stage, run, tmp_path).state == RunState.COMMITTED
    assert run.reason.startswith("The server's history has changed")


def test_transaction_that_was_open_at_the_take_over_is_aborted(
    fragile: Stage, fragile_platform: Fragile, standby: Fragile, tmp_path: Path
) -> None:
    run = fragile.run(fragile.plan("reset"))
    kill_at(fragile, run, "after_prepared")
    wait_for(standby, fragile_platform)

    stage = taken_over(fragile, fragile_platform, standby)

    assert settled(stage, run, tmp_path).state == RunState.ABORTED


def test_intent_alone_is_aborted_wherever_the_platform_went(
    fragile: Stage, fragile_platform: Fragile, standby: Fragile, tmp_path: Path
) -> None:
    run = fragile.run(fragile.plan("reset"))
    kill_at(fragile, run, "after_statements")
    wait_for(standby, fragile_platform)

    stage = taken_over(fragile, fragile_platform, standby)

    assert settled(stage, run, tmp_path).state == RunState.ABORTED


def test_account_that_was_used_since_the_take_over_still_bears_the_run_s_password(
    fragile: Stage, fragile_platform: Fragile, standby: Fragile
) -> None:
    run = fragile.run(fragile.plan("reset"))
    kill_at(fragile, run, "after_platform_commit")
    wait_for(standby, fragile_platform)
    stage = taken_over(fragile, fragile_platform, standby)
    stage.place.acme.rows("UPDATE adminuser SET last_login_at = now() WHERE id = 1 RETURNING id")

    settle.settle(run)

    assert run.state == RunState.COMMITTED
    assert "the password that only this run has set" in run.reason


def test_standby_is_asked_nothing(fragile: Stage, fragile_platform: Fragile, standby: Fragile) -> None:
    run = fragile.run(fragile.plan("reset"))
    kill_at(fragile, run, "after_platform_commit")
    moved_to(standby, fragile)

    with pytest.raises(settle.PlatformReadOnly):
        settle.settle(run)

    assert run.state == RunState.PREPARED


@pytest.mark.parametrize(("kind", "state"), [("reset", RunState.COMMITTED), ("create", RunState.COMMITTED)])
def test_password_that_only_the_run_made_proves_the_change_also_in_a_copy(
    fragile: Stage, loaded: Cluster, kind: str, state: str
) -> None:
    run = fragile.run(fragile.plan(kind))
    kill_at(fragile, run, "after_platform_commit")
    load(fragile, loaded)

    settle.settle(run)

    assert (run.state, "the password that only this run has set" in run.reason) == (state, True)


@pytest.mark.parametrize("kind", ["create", "reset"])
def test_commit_that_the_take_over_lost_is_not_believed(
    fragile: Stage, fragile_platform: Fragile, standby: Fragile, tmp_path: Path, kind: str
) -> None:
    run = fragile.run(fragile.plan(kind))
    wait_for(standby, fragile_platform)
    standby.stop()
    kill_at(fragile, run, "after_platform_commit")

    stage = taken_over(fragile, fragile_platform, standby)

    assert bare_status(stage, run) == "committed"
    assert settled(stage, run, tmp_path).state == RunState.ABORTED


@pytest.mark.parametrize("kind", ["create", "reset", "enable"])
def test_files_that_were_put_back_are_not_believed(
    fragile: Stage, fragile_platform: Fragile, earlier: Fragile, kind: str
) -> None:
    run = fragile.run(fragile.plan(kind))
    kill_at(fragile, run, "after_platform_commit")
    fragile_platform.crash()
    earlier.start()
    foreign_work(earlier, fragile.place.acme.dbname, times=LATER)
    stage = moved_to(earlier, fragile)

    settle.settle(run)

    assert (bare_status(stage, run), run.state) == ("committed", RunState.NEEDS_HUMAN)


def test_copy_that_was_made_before_the_change_proves_nothing(fragile: Stage, loaded: Cluster) -> None:
    run = fragile.run(fragile.plan("enable"))
    kill_at(fragile, run, "after_prepared")
    load(fragile, loaded)

    settle.settle(run)

    assert run.state == RunState.NEEDS_HUMAN


def test_p8_run_on_a_standby_is_refused_before_anything_is_sent(
    fragile: Stage, fragile_platform: Fragile, standby: Fragile
) -> None:
    document = fragile.plan("reset")
    wait_for(standby, fragile_platform)

    run = moved_to(standby, fragile).carry_out(document)

    assert run.state == RunState.ABORTED
    assert "The platform's database takes no changes: it is read-only or a standby" in run.reason


def test_p8_run_goes_through_on_a_promoted_standby(fragile: Stage, fragile_platform: Fragile, standby: Fragile) -> None:
    document = fragile.plan("reset")
    wait_for(standby, fragile_platform)

    run = taken_over(fragile, fragile_platform, standby).carry_out(document)

    assert (run.state, run.reason) == (RunState.COMMITTED, "")
