"""One fixture per invented platform."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from breakglass.practice.cluster import Cluster
from tests.recovery.facts.place import Fact, play


@pytest.fixture
def fact(
    request: pytest.FixtureRequest, console: str, platform_server: Cluster, settings: Settings, tmp_path: Path
) -> Iterator[Fact]:
    """The platform that the test's module is called after."""
    name = request.module.__name__.rpartition("test_")[2]
    with play(name, console, platform_server, settings, tmp_path) as found:
        yield found
