"""Where a platform may go: to a promoted standby, back to older files, into a copy that a dump was loaded into."""

import subprocess
import time
from dataclasses import replace
from pathlib import Path

from breakglass.practice import place, platform_file
from breakglass.practice.cluster import Cluster
from recovery.models import Run
from recovery.running import settle
from tests import acme
from tests.faults.invariants import Witness, close_left_over
from tests.faults.servers import Fragile, foreign_work
from tests.recovery.doors import furnish
from tests.recovery.stage import Stage

PAUSE = 0.02
LEFT_OUT = (
    b"CREATE SCHEMA public",
    b"information_schema",
    b"transaction_timeout",
)  # there already, ours, newer than 16
LATER = 40  # foreign transactions: more than a run takes, so that its transaction id is given out again


def wait_for(standby: Fragile, primary: Cluster) -> None:
    """Until the standby has all that the primary has written."""
    with primary.connect() as there, standby.connect() as here:
        wanted = there.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()[0]
        while not here.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [wanted]).fetchone()[0]:
            time.sleep(PAUSE)


def moved_to(cluster: Cluster, stage: Stage) -> Stage:
    """The platform file leads to the other server from now on."""
    here = stage.place.acme
    platform_file.write(
        here.file.parent, cluster, here.dbname, acme.LOGINS, sign_in_url="http://127.0.0.1:1/", log=here.file
    )
    return Stage(replace(stage.place, acme=replace(here, cluster=cluster)), stage.console)


def taken_over(stage: Stage, primary: Fragile, standby: Fragile) -> Stage:
    """The primary dies, the standby is promoted, and people work on."""
    if primary.running():
        primary.crash()
    standby.start()
    standby.promote()
    foreign_work(standby, stage.place.acme.dbname, times=LATER)
    return moved_to(standby, stage)


def bare_status(stage: Stage, run: Run) -> str:
    """What somebody believes who asks for the transaction id alone."""
    return stage.place.acme.rows("SELECT pg_xact_status(%s::text::xid8) AS said", run.xid)[0]["said"]


def settled(stage: Stage, run: Run, tmp_path: Path) -> Run:
    settle.settle(run)
    close_left_over(run)
    witness = Witness(stage, tmp_path)
    if run.is_decided:
        witness.require_counted(run)
    witness.require_same_again(run)
    witness.require_told(run)
    witness.require_nobody_left()
    return run


def load(stage: Stage, into: Cluster) -> Stage:
    """pg_dump and psql, and the DBA's set-up again."""
    dbname = stage.place.acme.dbname
    programs = place.binaries()
    dump = [
        programs / "pg_dump",
        "--no-owner",
        "--no-privileges",
        "--schema=public",
        stage.place.acme.cluster.superuser_url(dbname),
    ]
    text = subprocess.run(dump, check=True, capture_output=True).stdout
    lines = (line for line in text.splitlines() if not any(words in line for words in LEFT_OUT))
    psql = [programs / "psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", into.superuser_url(dbname)]
    subprocess.run(psql, check=True, input=b"\n".join(lines), capture_output=True)
    there = moved_to(into, stage)
    furnish(there.place.acme)
    return there
