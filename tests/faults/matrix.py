"""The cells of the matrix: where a run is hit, and what hits it."""

import itertools
import signal
from dataclasses import dataclass

import pytest

from recovery.points import IN_ORDER

TWICE = {"after_lock"}  # once in the rehearsal, once in the change
KINDS = ("create", "reset", "enable")
ALWAYS = "reset"  # the outcome that is hit everywhere also in the short matrix
DECISIVE = {"after_flush", "before_prepared_commit", "after_prepared", "after_platform_commit"}


@dataclass(frozen=True)
class Cell:
    kind: str
    point: str
    time: int
    sent: signal.Signals = signal.SIGKILL

    @property
    def is_short(self) -> bool:
        return self.kind == ALWAYS or (self.point in DECISIVE and self.sent == signal.SIGKILL)

    def __str__(self) -> str:
        again = f"-{self.time}" if self.point in TWICE else ""
        return f"{self.kind}-{self.point}{again}"


def cells(sent: signal.Signals = signal.SIGKILL) -> list[Cell]:
    """Every point for every outcome, in order."""
    return [
        Cell(kind, point, time, sent)
        for kind in KINDS
        for point in IN_ORDER
        for time in ((1, 2) if point in TWICE else (1,))
    ]


def taken(found: list[Cell], config: pytest.Config) -> list[Cell]:
    """All of them for `--full`, else the decisive ones."""
    return [cell for cell in found if cell.is_short or config.getoption("--full", default=False)]


@dataclass(frozen=True)
class Crash:
    """Whose server dies, how, while the executor of this kind of run stands at the point."""

    whom: str
    how: str
    kind: str
    point: str
    time: int = 1

    def __str__(self) -> str:
        again = f"-{self.time}" if self.point in TWICE else ""
        return f"{self.whom}-{self.how}-{self.kind}-{self.point}{again}"


SHORT_CRASHES = [
    Crash("platform", "immediate", "reset", "after_flush"),
    Crash("platform", "kill", "create", "after_prepared"),
    Crash("platform", "terminate", "enable", "after_prepared"),
    Crash("platform", "kill", "reset", "after_platform_commit"),
    Crash("console", "immediate", "reset", "before_prepared_commit"),
    Crash("console", "kill", "enable", "after_prepared"),
    Crash("both", "kill", "reset", "after_prepared"),
]


def crashes(config: pytest.Config) -> list[Crash]:
    """For `--full` every point of every outcome; the two ways to die take turns."""
    if not config.getoption("--full", default=False):
        return SHORT_CRASHES
    ways = itertools.cycle(("immediate", "kill"))
    died = [Crash(whom, next(ways), *place(cell)) for whom in ("platform", "console", "both") for cell in cells()]
    return died + [Crash("platform", "terminate", *place(cell)) for cell in cells()]


def place(cell: Cell) -> tuple[str, str, int]:
    return cell.kind, cell.point, cell.time
