"""The window: two live approvals, one physical database, and the database's own clock."""

import pytest

from audit import events
from audit.models import Entry
from audit.refusals import ClockMovedBack
from breakglass.procedure import approvals, incidents, planning, windows
from breakglass.procedure.models import Message, Window
from breakglass.procedure.refusals import (
    ApprovalsMissing,
    ApproverMayNotTakePart,
    BeneficiaryMayNotTakePart,
    HealthyOwner,
    PlanVoid,
    WindowAlreadyOpen,
    WindowClosed,
    WindowTaken,
    WindowUsedUp,
)
from tests import builders, cast
from tests.breakglass.test_incidents import heal

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("outcome", ["reset", "enable", "create"])
def test_approved_plan_opens_a_window_of_its_length(platform, outcome):
    window = builders.window_open(platform, outcome)

    assert (window.during.upper - window.during.lower).total_seconds() == 30 * 60
    assert windows.current(window.incident) == window


def test_plan_without_approvals_opens_nothing(platform):
    with pytest.raises(ApprovalsMissing):
        builders.open_window(builders.planned(platform))


def test_one_approval_is_not_two(platform):
    plan = builders.planned(platform)
    builders.approve(plan, builders.people().omar)

    with pytest.raises(ApprovalsMissing):
        builders.open_window(plan)


def test_approvals_must_be_under_thirty_minutes_old(platform, pass_time):
    plan = builders.approved(platform)
    pass_time(minutes=30)

    with pytest.raises(ApprovalsMissing):
        builders.open_window(plan)


def test_approver_does_not_open_the_window(platform):
    plan = builders.approved(platform)

    with pytest.raises(ApproverMayNotTakePart):
        builders.open_window(plan, by=builders.people().omar)


def test_beneficiary_does_not_open_the_window(platform):
    erin = builders.people().erin
    plan = builders.approved(platform, beneficiary=erin.person)

    with pytest.raises(BeneficiaryMayNotTakePart):
        builders.open_window(plan, by=erin)


def test_void_plan_opens_nothing(platform):
    old = builders.approved(platform)
    planning.make(builders.fresh(old.incident), by=old.incident.requester_account)

    with pytest.raises(PlanVoid):
        builders.open_window(old)


def test_owner_who_recovers_meanwhile_keeps_the_window_shut(platform):
    plan = builders.approved(platform)
    heal(platform)
    incidents.diagnose(builders.fresh(plan.incident), by=plan.incident.requester_account)

    with pytest.raises(HealthyOwner):
        builders.open_window(plan)


def test_second_window_of_the_same_incident_is_refused(platform):
    window = builders.window_open(platform)

    with pytest.raises(WindowAlreadyOpen):
        builders.open_window(window.plan)


def test_second_window_on_the_same_database_names_the_other_incident(platform):
    first = builders.window_open(platform)
    second = builders.approved(platform)

    with pytest.raises(WindowTaken, match=first.incident.reference):
        builders.open_window(second)


def test_window_that_ended_leaves_room_for_another_incident(platform, pass_time):
    builders.window_open(platform, window_minutes=5)
    second = builders.approved(platform)
    pass_time(minutes=5)

    assert windows.current(builders.open_window(second).incident)


def test_approvals_open_one_window(platform):
    window = builders.window_open(platform)
    windows.shorten(window, by=builders.people().connie)

    with pytest.raises(WindowUsedUp):
        builders.open_window(window.plan)


def test_window_opens_again_with_new_approvals(platform, pass_time):
    window = builders.window_open(platform, window_minutes=5)
    pass_time(minutes=6)
    builders.approve(window.plan, builders.people().omar)
    builders.approve(window.plan, builders.people().sam)

    assert builders.open_window(window.plan).pk != window.pk


def test_window_ends_by_the_databases_clock(platform, pass_time):
    window = builders.window_open(platform, window_minutes=5)
    pass_time(minutes=4, seconds=50)
    assert windows.current(window.incident)

    pass_time(seconds=11)

    assert windows.current(window.incident) is None


def test_anybody_with_a_duty_ends_a_window_at_once(platform):
    window = builders.window_open(platform)

    windows.shorten(window, by=builders.people().connie)

    assert windows.current(window.incident) is None
    with pytest.raises(WindowClosed):
        windows.shorten(window, by=builders.people().connie)


def test_abandoning_ends_the_window(platform):
    window = builders.window_open(platform)

    incidents.abandon(window.incident, by=window.account, reason="Not needed.")

    assert windows.current(window.incident) is None


def test_no_during_the_window_ends_it(platform):
    window, simone = builders.window_open(platform), builders.people().simone

    approvals.refuse(window.plan, by=simone, code=cast.code_for(simone), reason="Stop.")

    assert windows.current(window.incident) is None


def test_ended_window_is_recorded_once(platform, pass_time):
    window = builders.window_open(platform, window_minutes=5)
    assert windows.record_ended() == 0
    pass_time(minutes=6)

    assert (windows.record_ended(), windows.record_ended()) == (1, 0)

    assert Entry.objects.filter(event=events.WINDOW_ENDED, incident=window.incident.reference).count() == 1
    assert Message.objects.filter(kind="window_ended").count() == 1


def test_clock_that_went_back_closes_every_window(platform, pass_time):
    window = builders.window_open(platform)
    pass_time(minutes=-19)

    with pytest.raises(ClockMovedBack):
        windows.current(window.incident)


def test_clock_that_went_back_does_not_reopen_an_ended_window(platform, pass_time):
    window = builders.window_open(platform, window_minutes=5)
    pass_time(minutes=6)
    assert windows.current(window.incident) is None

    pass_time(minutes=-4)

    with pytest.raises(ClockMovedBack):
        windows.current(window.incident)


def test_clock_that_jumps_ahead_closes_early_and_refuses_when_corrected(platform, pass_time):
    plan = builders.window_open(platform).plan
    pass_time(minutes=30 * 24 * 60)
    assert windows.current(plan.incident) is None

    pass_time(minutes=-30 * 24 * 60)

    with pytest.raises(ClockMovedBack):
        windows.shorten(Window.objects.get(), by=builders.people().olivia)
    assert Entry.objects.filter(event=events.STEP_REFUSED).latest("seq").facts["refusal"] == "clock_moved_back"
