"""For fault tests: an executor in a process of its own, which dies or stops at a named point of its run.

The process is forked from one that has Django loaded and no connection open: a start costs no second.
"""

import itertools
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
from django.apps import apps

if not apps.ready:  # in the process that executors are forked from
    django.setup()

from django.conf import settings
from django.db import connections

from recovery.database import Session
from recovery.doors import access
from recovery.models import Run
from recovery.planning.documents import PlanDocument
from recovery.points import fail_points
from recovery.running import runs
from tests.recovery.stage import PASSWORD, Stage

FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["tests.recovery.killed"])
NOWHERE_ELSE = ("HOST", "PORT", "USER", "PASSWORD", "NAME")
PAUSE = 0.01


@dataclass(frozen=True)
class Part:
    """What an executor is told. point: where it gets the signal, the time that it passes there; "" for nowhere.

    impatience: how long the console's server lets it stay idle inside a transaction.
    """

    run: str
    platforms: str
    console: dict[str, Any] = field(repr=False)
    point: str = ""
    time: int = 1
    sent: signal.Signals = signal.SIGKILL
    then: str = ""  # where it dies after it was woken
    impatience: str = "1s"
    is_unflushed: bool = False  # a control: what happens without the flush
    notes: str = os.devnull  # where it writes the temporary password, for whoever looks whether it stands anywhere
    words: str = ""  # where its error output goes


def play(part: Part) -> None:
    """The executor's side: carry the run out, and send this process the signal at the point."""
    if part.words:
        os.dup2(os.open(part.words, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
    options = {"options": f"-c idle_in_transaction_session_timeout={part.impatience}"}
    connections.databases["default"] |= part.console | {"OPTIONS": options}
    settings.PLATFORMS_FILE = part.platforms
    _note_passwords(Path(part.notes))
    run = Run.objects.get(pk=part.run)
    password = PASSWORD if PlanDocument(run.content).needs_password else None
    values = runs.prepare_values(run.content, password=password)
    times = itertools.count(1)
    fail_points[part.point] = lambda: next(times) == part.time and os.kill(os.getpid(), part.sent)
    if part.is_unflushed:
        Session.flush = lambda *_given: None
    if part.then:
        fail_points[part.then] = lambda: os.kill(os.getpid(), signal.SIGKILL)
    runs.carry_out(run, values=values)


def _note_passwords(notes: Path) -> None:
    prepare = access.prepare

    def noted(*given: Any) -> access.Login:
        login = prepare(*given)
        notes.write_text(login.password)
        return login

    access.prepare = noted


def part_for(stage: Stage, run: Run, point: str = "", **how: Any) -> Part:
    place = connections.databases["default"]
    console = {name: place[name] for name in NOWHERE_ELSE}
    return Part(run=str(run.pk), platforms=str(stage.place.acme.file), console=console, point=point, **how)


class Executor:
    """The test's side of one such process."""

    def __init__(self, part: Part) -> None:
        self.process = FORKING.Process(target=play, args=[part], daemon=True)

    def start(self) -> "Executor":
        self.process.start()
        return self

    def wait(self) -> int:
        """How it ended: 0, 1 for a fault of its own, or minus the signal that killed it."""
        self.process.join()
        return self.process.exitcode or 0

    def wait_until_stopped(self) -> None:
        while self._state() != "T":
            assert self.process.is_alive(), f"the executor did not come to its point: {self.process.exitcode}"
            time.sleep(PAUSE)

    def go_on(self) -> int:
        os.kill(self.process.pid or 0, signal.SIGCONT)
        return self.wait()

    def kill(self) -> int:
        self.process.kill()
        return self.wait()

    def _state(self) -> str:
        try:
            told = Path(f"/proc/{self.process.pid}/stat").read_text()
        except FileNotFoundError:
            return ""
        return told.rpartition(")")[2].split()[0]


def kill_at(stage: Stage, run: Run, point: str, **how: Any) -> None:
    """Let an executor work until it kills itself at the point."""
    with stage.keeper():
        assert Executor(part_for(stage, run, point, **how)).start().wait() == -signal.SIGKILL
    run.refresh_from_db()


@contextmanager
def stopped_at(stage: Stage, run: Run, point: str, **how: Any) -> Iterator[Executor]:
    """An executor that sleeps at the point while the block looks; it goes on when the block ends, if it was not woken."""
    with stage.keeper():
        executor = Executor(part_for(stage, run, point, sent=signal.SIGSTOP, **how)).start()
        executor.wait_until_stopped()
        try:
            yield executor
        finally:
            if executor.process.is_alive():
                executor.go_on()
    run.refresh_from_db()
