"""Approvals: two people, two duties, a fresh code for this very plan; and who may never give one."""

import pytest

from audit import events
from audit.models import Entry
from breakglass.people.models import StepUp
from breakglass.people.refusals import CodeAlreadyUsed, CodeRefused
from breakglass.procedure import approvals, incidents, planning, windows
from breakglass.procedure.models import Approval, PlanRefusal
from breakglass.procedure.refusals import (
    AccountDisabled,
    AlreadyWithdrawn,
    ApprovedBySamePerson,
    BeneficiaryMayNotApprove,
    DutyMissing,
    NotYourApproval,
    ParticipantMayNotApprove,
    PlanVoid,
    PracticeMeetsReal,
    SideTaken,
    TextMissing,
)
from tests import builders, cast

pytestmark = pytest.mark.django_db


def test_ops_and_security_approve_together(platform):
    plan = builders.approved(platform)

    live = approvals.live(plan)

    assert {side: approval.account.username for side, approval in live.items()} == {"ops": "omar", "second": "sam"}


def test_engineering_may_stand_in_for_security(platform):
    approval = builders.approve(builders.planned(platform), builders.people().erin)

    assert (approval.side, approval.duty) == ("second", "engineering")


def test_requester_cannot_approve_own_plan(platform):
    plan = builders.planned(platform)

    with pytest.raises(ParticipantMayNotApprove):
        builders.approve(plan, builders.people().olivia)


def test_colleague_who_took_over_cannot_approve(platform):
    incident, omar = builders.diagnosed(platform), builders.people().omar
    incidents.diagnose(incident, by=omar)
    plan = builders.planned(platform, incident=incident)

    with pytest.raises(ParticipantMayNotApprove):
        builders.approve(plan, omar)


def test_security_who_lifted_the_stop_cannot_approve(platform):
    plan = builders.planned(platform, "create")

    with pytest.raises(ParticipantMayNotApprove):
        builders.approve(plan, builders.people().simone)


def test_beneficiary_cannot_approve(platform):
    plan = builders.planned(platform, beneficiary=builders.people().sam.person)

    with pytest.raises(BeneficiaryMayNotApprove):
        builders.approve(plan, builders.people().sam)


@pytest.mark.parametrize("name", ["connie", "mallory"])
def test_compliance_and_people_without_duty_cannot_approve(platform, name):
    plan = builders.planned(platform)

    with pytest.raises(DutyMissing):
        builders.approve(plan, getattr(builders.people(), name))


def test_one_person_with_two_duties_approves_once(platform):
    plan, both = builders.planned(platform), cast.person("bo", ["ops", "security"], practice=True)
    builders.approve(plan, both, duty="ops")

    with pytest.raises(ApprovedBySamePerson):
        builders.approve(plan, both, duty="security")


def test_second_account_of_the_same_person_does_not_help(platform):
    plan, omar = builders.planned(platform), builders.people().omar
    builders.approve(plan, omar)
    other = type(omar)(username="omar2", person=omar.person, created_at=omar.created_at)
    other.save()

    with pytest.raises(ApprovedBySamePerson):
        builders.approve(plan, other)


def test_side_is_taken_once(platform):
    plan = builders.approved(platform)

    with pytest.raises(SideTaken):
        builders.approve(plan, builders.people().erin)


def test_real_person_cannot_approve_on_a_practice_platform(platform):
    plan = builders.planned(platform)

    with pytest.raises(PracticeMeetsReal):
        builders.approve(plan, cast.person("ruth", ["ops"], practice=False))


def test_disabled_account_cannot_approve(platform):
    plan, omar = builders.planned(platform), builders.people().omar
    code = cast.code_for(omar)
    type(omar).objects.filter(pk=omar.pk).update(is_active=False)

    with pytest.raises((AccountDisabled, CodeRefused)):
        approvals.give(plan, by=omar, code=code)


@pytest.mark.parametrize("code", ["000000", "", "12345", "abcdef", "1" * 60])
def test_wrong_code_approves_nothing(platform, code):
    plan, omar = builders.planned(platform), builders.people().omar
    cast.authenticator_of(omar)

    with pytest.raises(CodeRefused):
        approvals.give(plan, by=omar, code=code)

    assert not Approval.objects.exists()
    assert Entry.objects.filter(event=events.STEP_REFUSED, incident=plan.incident.reference).count() == 1


def test_code_is_bound_to_the_digest_and_the_purpose(platform):
    approval = builders.approve(builders.planned(platform), builders.people().omar)

    assert (approval.step_up.digest, approval.step_up.purpose) == (approval.plan.digest, "approve")


def test_code_is_used_once_also_after_a_refused_step(platform):
    plan, olivia = builders.planned(platform), builders.people().olivia
    code = cast.code_for(olivia)
    with pytest.raises(ParticipantMayNotApprove):
        approvals.give(plan, by=olivia, code=code)

    with pytest.raises(CodeAlreadyUsed):
        windows.open(plan, by=olivia, code=code)

    assert StepUp.objects.filter(account=olivia, purpose="approve").count() == 1


def test_refusal_is_in_the_log_with_its_sentence(platform):
    plan = builders.planned(platform)
    with pytest.raises(ParticipantMayNotApprove) as caught:
        builders.approve(plan, builders.people().olivia)

    entry = Entry.objects.filter(event=events.STEP_REFUSED, incident=plan.incident.reference).latest("seq")

    assert (entry.by, entry.facts["step"], entry.facts["refusal"]) == (
        *("olivia", "approvals.give"),
        ParticipantMayNotApprove.code,
    )
    assert entry.facts["told"] == caught.value.sentence


def test_no_voids_the_plan_and_stays_visible(platform):
    plan, simone = builders.approved(platform), builders.people().simone

    approvals.refuse(plan, by=simone, code=cast.code_for(simone), reason="The wrong tenant.")

    assert approvals.live(plan) == {}
    assert PlanRefusal.objects.get(plan=plan).reason == "The wrong tenant."
    with pytest.raises(PlanVoid):
        builders.approve(plan, builders.people().erin)


def test_no_needs_a_reason(platform):
    plan, simone = builders.planned(platform), builders.people().simone

    with pytest.raises(TextMissing):
        approvals.refuse(plan, by=simone, code=cast.code_for(simone), reason=" ")


def test_compliance_does_not_say_no(platform):
    plan, connie = builders.planned(platform), builders.people().connie

    with pytest.raises(DutyMissing):
        approvals.refuse(plan, by=connie, code=cast.code_for(connie), reason="No.")


def test_withdrawn_approval_counts_no_more_and_makes_room(platform):
    plan, people = builders.approved(platform), builders.people()

    approvals.withdraw(approvals.live(plan)["second"], by=people.sam, reason="I was too fast.")
    builders.approve(plan, people.erin)

    assert approvals.live(plan)["second"].account == people.erin
    assert Approval.objects.filter(plan=plan).count() == 3


def test_withdrawing_ends_the_open_window(platform):
    window = builders.window_open(platform)

    approvals.withdraw(window.ops_approval, by=builders.people().omar, reason="Second thoughts.")

    assert windows.current(window.incident) is None


def test_security_may_withdraw_for_somebody_else(platform):
    plan = builders.approved(platform)

    withdrawn = approvals.withdraw(approvals.live(plan)["ops"], by=builders.people().simone, reason="Phone stolen.")

    assert withdrawn.withdrawn_by == builders.people().simone.person


def test_others_do_not_withdraw(platform):
    plan = builders.approved(platform)

    with pytest.raises(NotYourApproval):
        approvals.withdraw(approvals.live(plan)["ops"], by=builders.people().olivia, reason="Hm.")


def test_approval_is_withdrawn_once(platform):
    approval = approvals.live(builders.approved(platform))["ops"]
    omar = builders.people().omar
    approvals.withdraw(approval, by=omar, reason="Once.")

    with pytest.raises(AlreadyWithdrawn):
        approvals.withdraw(approval, by=omar, reason="Twice.")


def test_lapsed_approval_is_given_again(platform, pass_time):
    plan, people = builders.approved(platform), builders.people()
    pass_time(minutes=31)
    assert approvals.live(plan) == {}

    builders.approve(plan, people.omar)
    builders.approve(plan, people.erin)

    assert {one.account.username for one in approvals.live(plan).values()} == {"omar", "erin"}
    lapsed = Approval.objects.filter(plan=plan, withdrawn_reason=approvals.LAPSED)
    assert {one.account.username for one in lapsed} == {"omar", "sam"}


def test_approval_lives_as_long_as_its_window(platform, pass_time):
    window = builders.window_open(platform, window_minutes=60)
    pass_time(minutes=45)

    assert set(approvals.live(window.plan)) == {"ops", "second"}
    pass_time(minutes=16)
    assert approvals.live(window.plan) == {}


@pytest.mark.parametrize("how", ["duty", "account"])
def test_approver_who_loses_duty_or_account_counts_no_more(platform, how):
    plan, omar = builders.approved(platform), builders.people().omar
    if how == "duty":
        duty = omar.person.duties.get(name="ops")
        duty.ended_at = duty.confirmed_at
        duty.save(update_fields=["ended_at"])
    else:
        type(omar).objects.filter(pk=omar.pk).update(is_active=False)

    assert set(approvals.live(plan)) == {"second"}


def test_void_plan_has_no_live_approval(platform):
    plan = builders.approved(platform)
    planning.make(builders.fresh(plan.incident), by=plan.incident.requester_account)

    assert approvals.live(plan) == {}
