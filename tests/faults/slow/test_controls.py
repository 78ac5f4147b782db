"""Controls: what would happen without a part of the protocol, and that the witness sees it."""

from pathlib import Path

import pytest
from django.db import connections

from recovery.models import RunState
from recovery.running import settle
from tests.faults.failover import bare_status
from tests.faults.invariants import Witness
from tests.faults.servers import Fragile, foreign_work
from tests.recovery.killed import stopped_at
from tests.recovery.stage import Stage


def test_without_the_flush_a_stranger_gets_the_same_id_and_only_the_rows_keep_from_a_false_verdict(
    fragile: Stage, fragile_platform: Fragile
) -> None:
    fragile_platform.configure(wal_writer_delay="10s")  # nobody else writes the log out by chance
    fragile_platform.reload()
    run = fragile.run(fragile.plan("reset"))

    with stopped_at(fragile, run, "after_prepared", is_unflushed=True) as executor:
        fragile_platform.crash()
        fragile_platform.start()
        connections.close_all()
        foreign_work(fragile_platform, fragile.place.acme.dbname)
        executor.kill()
    said = bare_status(fragile, run)
    settle.settle(run)

    assert (said, run.state) == ("committed", RunState.NEEDS_HUMAN)
    assert run.reason == "The platform calls the transaction committed, but the rows are untouched."


def test_with_the_flush_the_id_is_nobody_else_s(fragile: Stage, fragile_platform: Fragile) -> None:
    fragile_platform.configure(wal_writer_delay="10s")
    fragile_platform.reload()
    run = fragile.run(fragile.plan("reset"))

    with stopped_at(fragile, run, "after_prepared") as executor:
        fragile_platform.crash()
        fragile_platform.start()
        connections.close_all()
        foreign_work(fragile_platform, fragile.place.acme.dbname)
        executor.kill()
    said = bare_status(fragile, run)
    settle.settle(run)

    assert (said, run.state) == ("aborted", RunState.ABORTED)


def test_witness_sees_a_second_change(stage: Stage, tmp_path: Path) -> None:
    witness = Witness(stage, tmp_path)
    run = stage.carry_out(stage.plan("reset"))
    stage.place.acme.rows("UPDATE adminuser SET failed_logins = 0 WHERE id = 1 RETURNING id")

    with pytest.raises(AssertionError, match="2 changes were kept"):
        witness.require_counted(run)


def test_witness_sees_a_secret_that_was_kept(stage: Stage, tmp_path: Path) -> None:
    witness = Witness(stage, tmp_path)
    stage.carry_out(stage.plan("reset"))
    (tmp_path / "words").write_text(f"password={stage.place.acme.owner()['password_hash']}")

    with pytest.raises(AssertionError, match="error output"):
        witness.require_no_secret()
