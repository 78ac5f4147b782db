"""J4: a thousand openings and closings leave the platform's catalogs as they were."""

import pytest

from recovery.doors import access
from tests.acme import Acme
from tests.recovery.doors import Place, furnish
from tests.recovery.test_closing import is_gone, rights_held

CYCLES = 1000


@pytest.fixture
def place(platform: Acme) -> Place:
    return furnish(platform)


def test_thousand_openings_leave_no_role_and_no_right_behind(place: Place) -> None:
    before = rights_held(place.acme)

    for _number in range(CYCLES):
        login = place.open()
        with place.connect(login) as connection:
            connection.execute("UPDATE adminuser SET failed_logins = 0 WHERE id = 1")
        access.close(place.platform, login.access_id)

    assert rights_held(place.acme) == before
    assert is_gone(place)
