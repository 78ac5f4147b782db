"""Keeps the practice set-up's processes alive: starts, restarts within bounds, and ends all of them by their own ids."""

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

MOST_RESTARTS = 5
WITHIN = 60.0  # seconds
PATIENCE = 15.0  # seconds for an orderly end
PR_SET_PDEATHSIG = 1


class GaveUp(Exception):
    """A process died again and again; the message names it and its log."""


@dataclass
class Child:
    """One process: its command, its environment, the log that takes its output."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    log: Path
    cwd: Path
    process: subprocess.Popen | None = None
    deaths: list[float] = field(default_factory=list)

    def start(self) -> None:
        with self.log.open("a") as output:
            # A session of its own: Ctrl-C in the terminal reaches us alone, and we end the children in order.
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )

    def keep_alive(self) -> None:
        """Start it again if it died. Raises GaveUp when that happens too often."""
        if self.process is None or self.process.poll() is None:
            return
        now = time.monotonic()
        self.deaths = [moment for moment in self.deaths if now - moment < WITHIN] + [now]
        if len(self.deaths) > MOST_RESTARTS:
            raise GaveUp(
                f"The {self.name} ended {len(self.deaths)} times within a minute. Its last words are in {self.log}"
            )
        self.start()

    def ask_to_end(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def end(self, deadline: float) -> None:
        """Wait for its end until the deadline (time.monotonic), then kill it."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def end_all(children: Sequence[Child]) -> None:
    for child in children:
        child.ask_to_end()
    deadline = time.monotonic() + PATIENCE
    for child in children:
        child.end(deadline)


def _die_with_parent() -> None:
    """If we are killed so hard that we cannot end the children, Linux does it: no port stays taken."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
