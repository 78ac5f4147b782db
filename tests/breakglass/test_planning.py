"""Plans: what they cover, who may make them, and that a new one voids the old."""

import pytest

from audit import events
from audit.models import Entry
from breakglass.procedure import approvals, incidents, planning, windows
from breakglass.procedure.models import Message, Participant
from breakglass.procedure.refusals import (
    ApproverMayNotTakePart,
    ChoiceMissing,
    HealthyOwner,
    WindowTooLong,
)
from breakglass.procedure.states import State
from tests import builders
from tests.breakglass.test_incidents import heal

pytestmark = pytest.mark.django_db


def test_plan_moves_the_incident_on_and_asks_for_approval(platform):
    plan = builders.planned(platform)

    assert builders.fresh(plan.incident).state == State.PLANNED
    assert Message.objects.filter(incident=plan.incident, kind="approval_asked").count() == 1


def test_plan_without_a_choice_is_refused(platform):
    incident = builders.diagnosed(platform)

    with pytest.raises(ChoiceMissing):
        planning.make(incident, by=incident.requester_account)


@pytest.mark.parametrize("minutes", [4, 61, 0, -5])
def test_window_is_5_to_60_minutes(platform, minutes):
    with pytest.raises(WindowTooLong):
        builders.planned(platform, window_minutes=minutes)


def test_new_plan_voids_the_approvals_of_the_old(platform):
    old = builders.approved(platform)

    new = planning.make(builders.fresh(old.incident), by=old.incident.requester_account)

    assert (new.number, planning.is_void(old), approvals.live(old), approvals.live(new)) == (2, True, {}, {})
    assert Entry.objects.filter(event=events.PLAN_VOIDED).count() == 1


def test_new_choice_voids_the_plan(platform):
    plan = builders.approved(platform)

    builders.chosen(platform, incident=builders.fresh(plan.incident))

    assert planning.is_void(plan)
    assert approvals.live(plan) == {}


def test_new_plan_ends_the_open_window(platform):
    window = builders.window_open(platform)

    planning.make(builders.fresh(window.incident), by=window.account)

    assert windows.current(window.incident) is None


def test_colleague_who_edits_the_plan_becomes_a_participant(platform):
    incident, omar = builders.chosen(platform), builders.people().omar

    planning.make(incident, by=omar)

    assert incident.participants.filter(person=omar.person, part=Participant.Part.EDITED).exists()


def test_approver_does_not_edit_the_plan(platform):
    plan = builders.approved(platform)

    with pytest.raises(ApproverMayNotTakePart):
        planning.make(builders.fresh(plan.incident), by=builders.people().omar)


def test_owner_who_recovers_meanwhile_stops_the_plan(platform):
    incident = builders.chosen(platform)
    heal(platform)
    incidents.diagnose(incident, by=incident.requester_account)

    with pytest.raises(HealthyOwner):
        planning.make(builders.fresh(incident), by=incident.requester_account)
