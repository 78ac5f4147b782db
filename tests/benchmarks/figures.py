"""One measured number beside its floor and its goal, and the table of all of them. A number that misses its goal fails nothing."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

HEAD = ("what", "measured", "floor", "ratio", "goal", "")
NOTE = (
    "Medians over several rounds in one process, both servers on disk with every flush. On a noisy machine the absolute\n"
    "times mean little: what counts is the ratio to the floor, which was measured between the same rounds."
)


@dataclass(frozen=True)
class Figure:
    """`floor` is what the same work costs with nothing of ours around it; None where the design names none."""

    what: str
    unit: str
    measured: float
    goal: str
    is_met: bool
    floor: float | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        floor = "" if self.floor is None else _number(self.floor, self.unit)
        ratio = "" if self.floor is None else f"{self.measured / self.floor:.2f}"
        return (self.what, _number(self.measured, self.unit), floor, ratio, self.goal, "ok" if self.is_met else "not")


def _number(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def table(figures: list[Figure]) -> str:
    """The figures as text, one line each."""
    rows = [HEAD, *(figure.cells for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _timed(work: Callable[..., object], given: Callable[[], tuple]) -> float:
    arguments = given()
    return seconds(lambda: work(*arguments))


def medians(
    first: Callable[..., object], second: Callable[..., object], *, rounds: int, given: Callable[[], tuple] = tuple
) -> tuple[float, float]:
    """Seconds of both, taken in turns so that a slow minute of the machine slows both; one round warms up and is left out.

    given: makes the arguments of each call, outside of what is measured.
    """
    pairs = [(_timed(first, given), _timed(second, given)) for _ in range(rounds + 1)][1:]
    return statistics.median(one for one, _ in pairs), statistics.median(other for _, other in pairs)
