"""For fault tests: an executor in a process of its own, which dies or stops at a named point of its run."""

import os
import signal
import subprocess
import sys

from recovery import runs
from recovery.documents import PlanDocument
from recovery.models import Run
from tests.plugin import NOWHERE, ROOT
from tests.recovery.stage import PASSWORD, Stage


def play(run_id: str, point: str, sent: str) -> None:
    """The executor's side: carry the run out, and send this process the signal at the point."""
    run = Run.objects.get(pk=run_id)
    password = PASSWORD if PlanDocument(run.content).needs_password else None
    values = runs.prepare_values(run.content, password=password)
    runs.fail_points[point] = lambda: os.kill(os.getpid(), signal.Signals[sent])
    runs.carry_out(run, values=values)


def start(stage: Stage, run: Run, point: str, sent: str) -> subprocess.Popen[bytes]:
    """The test's side: such an executor, running."""
    program = f"from tests.recovery.killed import play; play({str(run.pk)!r}, {point!r}, {sent!r})"
    environment = os.environ | {
        "DATABASE_URL": os.environ["DATABASE_URL"].replace(NOWHERE, stage.console),
        "BREAKGLASS_PLATFORMS": str(stage.place.acme.file),
    }
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", program]
    return subprocess.Popen(command, cwd=ROOT, env=environment)


def kill_at(stage: Stage, run: Run, point: str) -> None:
    """Let an executor work until it kills itself at the point."""
    with stage.keeper(), start(stage, run, point, "SIGKILL") as process:
        assert process.wait() == -signal.SIGKILL
    run.refresh_from_db()
