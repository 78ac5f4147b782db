"""The database refuses by itself, as the app role and past every step: approvals (fault list S2, S5)."""

from datetime import timedelta

import pytest
from django.db import connections

from audit import clock
from breakglass.procedure import planning
from breakglass.procedure.models import Approval, Override, Participant, Plan
from tests import builders, cast
from tests.breakglass.rules import fresh_code, raw_approval, refused_by, sql

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(platform) -> Plan:
    return builders.planned(platform)


def test_true_approval_passes(plan):
    assert raw_approval(plan, builders.people().omar).pk


def test_requester_is_refused_by_a_check(plan):
    with refused_by("approver_is_not_requester", "approver_took_no_part"):
        raw_approval(plan, builders.people().olivia)


def test_requester_lies_about_who_requested(plan):
    people = builders.people()

    with refused_by("approval_requester", "approver_took_no_part"):
        raw_approval(plan, people.olivia, requester_person_id=people.erin.person_id)


def test_stranger_lies_about_who_requested(plan):
    people = builders.people()

    with refused_by("approval_requester"):
        raw_approval(plan, people.omar, requester_person_id=people.erin.person_id)


def test_account_lies_about_its_person(plan):
    people = builders.people()

    with refused_by("approval_account_person"):
        raw_approval(plan, people.olivia, person_id=people.omar.person_id)


def test_beneficiary_lies_about_who_gains(platform):
    omar = builders.people().omar
    plan = builders.planned(platform, beneficiary=omar.person)

    with refused_by("approval_plan"):
        raw_approval(plan, omar, beneficiary_person_id=builders.people().erin.person_id)


def test_beneficiary_is_refused_by_a_check(platform):
    omar = builders.people().omar
    plan = builders.planned(platform, beneficiary=omar.person)

    with refused_by("approver_is_not_beneficiary"):
        raw_approval(plan, omar)


def test_approval_of_another_digest(plan):
    omar = builders.people().omar

    with refused_by("approval_plan"):
        raw_approval(plan, omar, digest="0" * 64, step_up=fresh_code(omar, "0" * 64))


def test_code_that_was_given_for_another_plan(plan):
    omar = builders.people().omar

    with refused_by("approval_step_up"):
        raw_approval(plan, omar, step_up=fresh_code(omar, "0" * 64))


def test_code_of_somebody_else(plan):
    people = builders.people()

    with refused_by("approval_step_up"):
        raw_approval(plan, people.omar, step_up=fresh_code(people.sam, plan.digest))


def test_code_that_was_given_for_another_purpose(plan):
    omar = builders.people().omar

    with refused_by("approval_takes_a_fresh_code"):
        raw_approval(plan, omar, step_up=fresh_code(omar, plan.digest, purpose="run"))


def test_code_that_is_older_than_five_minutes(plan, pass_time):
    omar = builders.people().omar
    old = fresh_code(omar, plan.digest)
    pass_time(minutes=6)

    with refused_by("approval_takes_a_fresh_code"):
        raw_approval(plan, omar, step_up=old)


@pytest.mark.parametrize("shift", [timedelta(minutes=-20), timedelta(minutes=20)])
def test_approval_is_neither_dated_back_nor_ahead(plan, shift):
    with refused_by("approval_is_dated_now"):
        raw_approval(plan, builders.people().omar, at=clock.now() + shift)


def test_ops_does_not_sign_for_security(plan):
    with refused_by("approval_side_fits_duty"):
        raw_approval(plan, builders.people().omar, side="second")


def test_duty_that_the_approver_does_not_have(plan):
    with refused_by("approver_has_the_duty"):
        raw_approval(plan, builders.people().omar, side="second", duty="security")


def test_participant_approves(plan):
    omar = builders.people().omar
    Participant.objects.create(
        incident=plan.incident, account=omar, person=omar.person, part="took_over", at=clock.now()
    )

    with refused_by("approver_took_no_part"):
        raw_approval(plan, omar)


def test_approver_becomes_a_participant(plan):
    omar = builders.people().omar
    raw_approval(plan, omar)

    with refused_by("approver_takes_no_part"):
        Participant.objects.create(incident=plan.incident, account=omar, person=omar.person, part="ran", at=clock.now())


def test_plan_that_was_replaced(plan):
    planning.make(builders.fresh(plan.incident), by=plan.account)

    with refused_by("plan_is_the_latest"):
        raw_approval(plan, builders.people().omar)


def test_real_person_says_to_be_a_practice_person(plan):
    ruth = cast.person("ruth", ["ops"], practice=False)

    with refused_by("approval_practice_person", "practice_never_meets_real"):
        raw_approval(plan, ruth)


def test_disabled_account_approves(plan):
    omar = builders.people().omar
    type(omar).objects.filter(pk=omar.pk).update(is_active=False)

    with refused_by("account_is_active"):
        raw_approval(plan, omar)


def test_two_approvals_of_one_side(plan):
    raw_approval(plan, builders.people().omar)

    with refused_by("one_live_approval_per_side"):
        raw_approval(plan, cast.person("oscar", ["ops"], practice=True))


@pytest.mark.parametrize("column", ["digest = ''", "side = 'second'", "at = now()", "person_id = 1", "plan_id = 1"])
def test_approval_is_rewritten_as_app(plan, column):
    raw_approval(plan, builders.people().omar)

    with refused_by("42501"):
        sql(f"UPDATE procedure_approval SET {column}")


@pytest.mark.parametrize("column", ["digest = ''", "at = now()", "practice = false"])
def test_approval_is_rewritten_as_owner(plan, column):
    raw_approval(plan, builders.people().omar)

    with refused_by("BG004", using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(f"UPDATE procedure_approval SET {column}")


def test_withdrawal_is_not_taken_back(platform):
    approved = builders.approved(platform)
    Approval.objects.filter(plan=approved).update(withdrawn_at=clock.now(), withdrawn_reason="No.")

    with refused_by("what_is_recorded_stays"):
        Approval.objects.filter(plan=approved).update(withdrawn_at=None)


@pytest.mark.parametrize("name", ["olivia", "erin"])
def test_override_is_by_security_and_not_by_the_requester(platform, name):
    incident = builders.diagnosed(platform)
    by = getattr(builders.people(), name)

    with refused_by("override_is_by_security", "override_is_not_by_the_requester"):
        Override.objects.create(
            incident=incident,
            account=by,
            person=by.person,
            at=clock.now(),
            diagnosis=incident.diagnoses.get(),
            kind="create",
            reason="Because.",
        )


def test_plan_whose_digest_is_not_of_its_content(plan):
    with refused_by("plan_digest_is_of_its_content"):
        Plan.objects.create(**_copy(plan), digest="0" * 64)


def test_plan_number_is_not_skipped(plan):
    with refused_by("plan_number_once"):
        Plan.objects.create(**{**_copy(plan), "number": 7}, digest=plan.digest)


def _copy(plan: Plan) -> dict[str, object]:
    names = ("incident", "account", "person", "choice", "outcome", "content", "words", "window_minutes", "beneficiary")
    return {**{name: getattr(plan, name) for name in names}, "number": plan.number + 1, "at": clock.now()}
