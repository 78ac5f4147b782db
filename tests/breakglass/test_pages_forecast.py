"""\"Will it work?" on the pages: what would still stop the sign-in, what must be at hand, what nobody could look at."""

import re
from datetime import timedelta
from functools import partial

import pytest
from django.test import Client

from audit import clock
from breakglass.procedure import incidents
from recovery import diagnosis
from recovery.models import RunKind
from tests import acme_site, builders, cast
from tests.acme import Acme
from tests.breakglass import story
from tests.recovery import sites

pytestmark = pytest.mark.django_db

RESTART = "Acme keeps its accounts in memory: restart acme-web."
NO_FORECAST = re.sub(r"(?s)\n\[forecast\]\nsql = \"\"\".*?\"\"\"\n", "\n", sites.SAAS)


def with_profile(platform: Acme, text: str) -> Acme:
    """The platform with a profile of the test's own."""
    platform.file.with_name("mine.toml").write_text(text)
    acme_site.lead_to(platform, acme_site.NOBODY, profile="mine.toml")
    return platform


@pytest.fixture
def caching(platform: Acme) -> Acme:
    """A platform that must be restarted."""
    return with_profile(platform, re.sub(r'(?m)^restart = ""', f'restart = "{RESTART}"', sites.SAAS))


def shown(incident, step: str) -> str:
    return cast.signed_in(Client(), incident.requester_account).get(f"/incidents/{incident.reference}/{step}/").text


@pytest.mark.parametrize("step", ["plan", "approval"])
def test_what_a_new_password_does_not_mend_is_said_before_anybody_approves(platform, step):
    with platform.connect() as dba:
        dba.execute("UPDATE adminuser SET is_active = false, totp_secret = 'JBSWY3DPEHPK3PXP' WHERE id = 1")

    page = shown(builders.planned(platform).incident, step)

    assert "Not by this change alone. This would still stop the sign-in:" in page
    assert "disabled: a new password does not enable the account" in page
    assert "second factor is on: the existing device is asked for a one-time code" in page


@pytest.mark.parametrize("step", ["plan", "approval"])
def test_when_nothing_is_in_the_way_the_page_says_as_far_as_it_can_see(platform, step):
    assert "Nothing that the console can see would stop the sign-in" in shown(builders.planned(platform).incident, step)


def test_a_profile_that_does_not_say_is_called_not_known(platform):
    plan = builders.planned(with_profile(platform, NO_FORECAST), RunKind.CREATE)

    assert "Not known: the platform's profile does not say" in shown(plan.incident, "approval")


@pytest.mark.parametrize("step", ["plan", "approval", "execute"])
def test_a_restart_is_announced_on_every_page_before_the_change(caching, step):
    incident = builders.window_open(caching).incident

    assert RESTART in shown(incident, step)


@pytest.mark.parametrize("step", ["execute", "proof"])
def test_a_restart_is_reminded_of_after_the_change(caching, step):
    incident = story.executed(caching)

    assert RESTART in shown(incident, step)


def test_beneficiary_hears_of_a_restart_but_not_where(caching):
    run = story.run(caching)

    page = Client().get(f"/handover/done/{run.pk}/").text

    assert "only after a restart" in page
    assert RESTART not in page


def test_clocks_that_differ_are_a_warning_on_the_diagnosis(platform, monkeypatch):
    incident = builders.opened(platform)
    slow = partial(diagnosis.read, now=lambda: clock.now() - timedelta(seconds=7))
    monkeypatch.setattr("breakglass.procedure.outcomes.diagnosis.read", slow)

    incidents.diagnose(incident, by=incident.requester_account)

    assert "The clocks differ" in shown(incident, "diagnosis")
