"""Fixtures of the platform side."""

import pytest

from tests.acme import Acme
from tests.recovery.doors import furnish
from tests.recovery.stage import Stage


@pytest.fixture
def stage(console: str, platform: Acme) -> Stage:
    """The locked-out platform with its doors, and a fresh console database."""
    return Stage(furnish(platform), console)
