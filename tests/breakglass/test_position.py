"""Where an incident stands follows from its records alone."""

import pytest

from breakglass.procedure import approvals, incidents, planning, position, windows
from tests import builders, cast

pytestmark = pytest.mark.django_db


def here(incident) -> str:
    return position.first_open(builders.fresh(incident))


def test_each_record_opens_the_next_step(platform):
    incident = builders.opened(platform)
    seen = [here(incident)]
    incidents.diagnose(incident, by=incident.requester_account)
    seen.append(here(incident))
    builders.chosen(platform, incident=builders.fresh(incident))
    seen.append(here(incident))
    plan = planning.make(builders.fresh(incident), by=incident.requester_account)
    seen.append(here(incident))
    builders.approve(plan, builders.people().omar)
    seen.append(here(incident))
    builders.approve(plan, builders.people().sam)
    seen.append(here(incident))
    builders.open_window(plan)
    seen.append(here(incident))

    assert seen == ["diagnosis", "outcome", "plan", "approval", "approval", "window", "execute"]


def test_looking_again_does_not_take_an_approved_plan_back(platform):
    incident = builders.approved(platform).incident

    incidents.diagnose(builders.fresh(incident), by=incident.requester_account)

    assert here(incident) == "window"


def test_refused_plan_leads_back_to_the_plan(platform):
    plan, sam = builders.planned(platform), builders.people().sam

    approvals.refuse(plan, by=sam, code=cast.code_for(sam), reason="Wrong.")

    assert here(plan.incident) == "plan"


def test_ended_window_leads_back_to_approval(platform):
    window = builders.window_open(platform)

    windows.shorten(window, by=window.account)

    assert here(window.incident) == "approval"


def test_abandoned_incident_has_no_open_step(platform):
    incident = builders.diagnosed(platform)
    incidents.abandon(incident, by=incident.requester_account, reason="Mistaken.")

    rail = position.steps(builders.fresh(incident), person=incident.requester_person)

    assert "open" not in [step.state for step in rail]
    assert [step.key for step in rail if step.state == "done"] == ["when", "diagnosis"]


def test_rail_has_the_eleven_steps_and_their_addresses(platform):
    rail = position.steps(builders.opened(platform), person=None)

    assert [step.key for step in rail] == list(position.KEYS)
    assert {step.url_name for step in rail} == {f"incident-{key}" for key in position.KEYS}
