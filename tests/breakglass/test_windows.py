"""The window: two live approvals, one physical database, and the database's own clock."""

import pytest

from breakglass.procedure import windows
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("outcome", ["reset", "enable", "create"])
def test_approved_plan_opens_a_window_of_its_length(platform, outcome):
    window = builders.window_open(platform, outcome)

    assert (window.during.upper - window.during.lower).total_seconds() == 30 * 60
    assert windows.current(window.incident) == window
