"""Fixtures of the fault tests. `--full` takes every cell of the matrix (make faults); without it the decisive ones (make test)."""

from pathlib import Path

import pytest

from recovery.points import fail_points
from tests.acme import Acme
from tests.faults.invariants import Witness, counting
from tests.recovery.doors import furnish
from tests.recovery.stage import Stage


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="every cell of the fault matrix")


@pytest.fixture
def stage(console: str, platform: Acme) -> Stage:
    """The locked-out platform with its doors; a superuser's trigger counts every change that is kept."""
    with platform.connect() as connection:
        counting(connection)
    return Stage(furnish(platform), console)


@pytest.fixture
def witness(stage: Stage, tmp_path: Path) -> Witness:
    """Who looks, after each fault, whether everything that must always hold does hold."""
    return Witness(stage, tmp_path)


@pytest.fixture(autouse=True)
def no_point_stays() -> None:
    """No fault of one test waits for the next one."""
    fail_points.clear()
