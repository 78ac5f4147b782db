"""What the platform's own scheme would cut or could not read is refused while the beneficiary still sits at the page."""

import pytest

from breakglass.procedure import handover
from recovery.models import Run
from recovery.refusals import PasswordRefused, SchemeUnknown
from tests import builders
from tests.breakglass import story
from tests.breakglass.runs_made import link

pytestmark = pytest.mark.django_db


def hashed(platform, text: str) -> None:
    platform.rows("UPDATE adminuser SET password_hash = %s WHERE email = 'dana@acme.example' RETURNING id", text)


def test_password_that_bcrypt_would_cut_makes_no_run_and_leaves_the_link(platform):
    hashed(platform, "$2b$04$" + "a" * 53)
    row, token = link(platform)
    long = "correct horse battery staple " * 3

    with pytest.raises(PasswordRefused, match="72 bytes"):
        story.hand_over(token, code=handover.code_of(row), password=long, repeated=long)

    assert not Run.objects.exists()
    assert handover.find(token)


def test_hash_of_unknown_form_stops_the_plan_before_anybody_approves(platform):
    hashed(platform, "900150983cd24fb0d6963f7d28e17f72")

    with pytest.raises(SchemeUnknown, match="declare its own"):
        builders.planned(platform)
