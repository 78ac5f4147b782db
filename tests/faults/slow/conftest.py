"""Fault tests that need other software or much time: for `make faults` (`--full`) alone, where nothing of them is skipped."""

import pytest


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    return None if config.getoption("--full", default=False) else True
