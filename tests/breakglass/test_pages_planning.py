"""The pages of the decision: outcome, plan, approval; for who may and who may not, and for what is typed badly."""

import re

import pytest
from django.test import Client

from breakglass.people.models import Account
from breakglass.procedure.models import Approval, Choice, Incident, Plan
from recovery.diagnosis import Report
from tests import builders, cast
from tests.acme import Acme

pytestmark = pytest.mark.django_db


def client_of(account: Account) -> Client:
    return cast.signed_in(Client(), account)


def address(incident: Incident, step: str) -> str:
    return f"/incidents/{incident.reference}/{step}/"


def wanted(incident: Incident, **other: str) -> dict[str, str]:
    owners = Report.from_json(incident.diagnoses.get().owners).owners
    said = {"outcome": "reset", "target_key": owners[0].key, "why": "Head of platform.", "reachable": "on"}
    return {**said, **builders.BENEFICIARY, **other}


def test_outcome_offers_the_recommended_one_first(platform: Acme, console: str) -> None:
    incident = builders.diagnosed(platform)

    page = client_of(builders.people().olivia).get(address(incident, "outcome"))

    assert re.search(r'<input[^>]* value="enable"[^>]* checked', page.text)
    assert "C fits best" in page.text


def test_choosing_leads_to_the_plan(platform: Acme, console: str) -> None:
    incident = builders.diagnosed(platform)

    answer = client_of(builders.people().olivia).post(address(incident, "outcome/choose"), wanted(incident))

    assert answer["Location"] == address(incident, "plan")
    assert Choice.objects.get().login == "dana@acme.example"


@pytest.mark.parametrize(
    ("field", "value"),
    [("target_key", ""), ("outcome", "disable"), ("beneficiary_name", ""), ("why", ""), ("target_key", "999999")],
)
def test_badly_filled_outcome_chooses_nothing(platform: Acme, console: str, field: str, value: str) -> None:
    incident = builders.diagnosed(platform)
    given = wanted(incident, **{field: value})

    answer = client_of(builders.people().olivia).post(address(incident, "outcome/choose"), given)

    assert answer.status_code == 422
    assert not Choice.objects.exists()


def test_creating_although_less_would_do_is_refused_on_the_page(platform: Acme, console: str) -> None:
    incident = builders.diagnosed(platform)
    given = wanted(incident, outcome="create", login="new@acme.example")

    answer = client_of(builders.people().olivia).post(address(incident, "outcome/choose"), given)

    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert "new@acme.example" in answer.text


def test_contact_of_somebody_else_is_refused_on_the_page(platform: Acme, console: str) -> None:
    incident = builders.diagnosed(platform)
    given = wanted(incident, beneficiary_name="Nora Novak", beneficiary_contact="omar@example.org")

    answer = client_of(builders.people().olivia).post(address(incident, "outcome/choose"), given)

    assert answer.status_code == 409
    assert "The console knows Omar by this contact" in answer.text
    assert 'value="Nora Novak"' in answer.text
    assert not Choice.objects.exists()


def test_login_of_an_owner_in_another_spelling_is_refused_on_the_page(platform: Acme, console: str) -> None:
    incident = builders.diagnosed(platform)
    given = wanted(incident, outcome="create", login="Dana@Acme.Example")

    answer = client_of(builders.people().olivia).post(address(incident, "outcome/choose"), given)

    assert answer.status_code == 409
    assert "the latest diagnosis lists it as the owner dana@acme.example" in answer.text
    assert not Choice.objects.exists()


def test_reason_of_security_is_seen_in_red_by_the_approvers(platform: Acme, console: str) -> None:
    plan = builders.planned(platform, "create")

    page = client_of(builders.people().omar).get(address(plan.incident, "approval"))

    assert "The owners have left the company." in page.text
    assert "note warn" in page.text


def test_override_is_offered_to_security_alone(platform: Acme, console: str) -> None:
    incident = builders.diagnosed(platform)
    people = builders.people()

    pages = {
        name: client_of(getattr(people, name)).get(address(incident, "diagnosis")).text for name in ("olivia", "sam")
    }

    assert "Lift this stop" not in pages["olivia"]
    assert "Lift this stop" in pages["sam"]


def test_override_by_somebody_else_is_forbidden(platform: Acme, console: str) -> None:
    incident = builders.diagnosed(platform)

    answer = client_of(builders.people().omar).post(
        address(incident, "diagnosis/override"), {"kind": "create", "reason": "Because."}
    )

    assert answer.status_code == 403


def test_plan_shows_the_change_and_its_words(platform: Acme, console: str) -> None:
    incident = builders.chosen(platform)

    page = client_of(incident.requester_account).post(
        address(incident, "plan/make"), {"window_minutes": "20"}, follow=True
    )

    assert "Plan 1: this change and nothing else" in page.text
    assert all(word in page.text for word in Plan.objects.get().words.split())
    assert "password_hash" in page.text


@pytest.mark.parametrize("minutes", ["4", "61", "", "x", "30.5", "9" * 30])
def test_window_of_no_allowed_length_makes_no_plan(platform: Acme, console: str, minutes: str) -> None:
    incident = builders.chosen(platform)

    answer = client_of(incident.requester_account).post(address(incident, "plan/make"), {"window_minutes": minutes})

    assert answer.status_code == 422
    assert not Plan.objects.exists()


def test_approver_sees_the_sentence_the_words_and_the_button_of_his_duty(platform: Acme, console: str) -> None:
    plan = builders.planned(platform)

    page = client_of(builders.people().simone).get(address(plan.incident, "approval"))

    assert "Reset one password on acme" in page.text
    assert "Approve as Security" in page.text
    assert "What to say on the telephone" in page.text


def test_requester_is_told_whose_turn_it_is_and_gets_no_button(platform: Acme, console: str) -> None:
    plan = builders.planned(platform)

    page = client_of(builders.people().olivia).get(address(plan.incident, "approval"))

    assert "Waiting for Security or Engineering:" in page.text
    assert "erin, sam or simone" in page.text
    assert "approve_form" not in page.text


def test_approval_by_a_fresh_code_counts(platform: Acme, console: str) -> None:
    plan, omar = builders.planned(platform), builders.people().omar
    given = {"plan": plan.pk, "code": cast.code_for(omar), "duty": "ops"}

    answer = client_of(omar).post(address(plan.incident, "approval/approve"), given, follow=True)

    assert "You approved plan 1 for Ops" in answer.text
    assert Approval.objects.get().person_id == omar.person_id


def test_requester_who_posts_an_approval_is_forbidden(platform: Acme, console: str) -> None:
    plan, olivia = builders.planned(platform), builders.people().olivia
    given = {"plan": plan.pk, "code": cast.code_for(olivia), "duty": "ops"}

    answer = client_of(olivia).post(address(plan.incident, "approval/approve"), given)

    assert answer.status_code == 403
    assert "You took part in this incident" in answer.text
    assert not Approval.objects.exists()


def test_wrong_code_approves_nothing_and_is_not_sent_back(platform: Acme, console: str) -> None:
    plan, omar = builders.planned(platform), builders.people().omar
    good = cast.code_for(omar)
    wrong = f"{(int(good) + 1) % 1_000_000:06d}"

    answer = client_of(omar).post(
        address(plan.incident, "approval/approve"), {"plan": plan.pk, "code": wrong, "duty": "ops"}
    )

    assert answer.status_code == 422
    assert wrong not in answer.text
    assert not Approval.objects.exists()


@pytest.mark.parametrize("code", ["", "12345", "123456789", "abcdef", "１２３４５６", "12 34 5x"])
def test_what_is_no_code_is_not_even_looked_at(platform: Acme, console: str, code: str) -> None:
    plan, omar = builders.planned(platform), builders.people().omar

    answer = client_of(omar).post(
        address(plan.incident, "approval/approve"), {"plan": plan.pk, "code": code, "duty": "ops"}
    )

    assert answer.status_code == 422
    assert not Approval.objects.exists()


def test_approving_the_plan_that_was_on_the_page_fails_when_a_newer_one_replaced_it(
    platform: Acme, console: str
) -> None:
    old, omar = builders.planned(platform), builders.people().omar
    page = {"plan": old.pk, "code": cast.code_for(omar), "duty": "ops"}
    client_of(old.account).post(address(old.incident, "plan/make"), {"window_minutes": "10"})

    answer = client_of(omar).post(address(old.incident, "approval/approve"), page)

    assert answer.status_code == 409
    assert not Approval.objects.exists()


def test_plan_of_another_incident_is_not_found_here(platform: Acme, console: str) -> None:
    plan, omar = builders.planned(platform), builders.people().omar
    given = {"plan": plan.pk + 1000, "code": cast.code_for(omar), "duty": "ops"}

    assert client_of(omar).post(address(plan.incident, "approval/approve"), given).status_code == 404


def test_refusal_needs_a_reason_and_stays_visible(platform: Acme, console: str) -> None:
    plan, sam = builders.planned(platform), builders.people().sam
    client, given = client_of(sam), {"plan": plan.pk, "code": cast.code_for(sam)}

    without = client.post(address(plan.incident, "approval/refuse"), {**given, "reason": ""})
    with_one = client.post(address(plan.incident, "approval/refuse"), {**given, "reason": "Wrong person."}, follow=True)

    assert without.status_code == 422
    assert "sam refused plan 1" in with_one.text
    assert "Wrong person." in with_one.text


def test_own_approval_is_withdrawn_and_somebody_elses_is_not(platform: Acme, console: str) -> None:
    plan, people = builders.planned(platform), builders.people()
    given = builders.approve(plan, people.omar)
    button = address(plan.incident, f"approval/{given.pk}/withdraw")

    other = client_of(people.erin).post(button, {"reason": "Not mine."})
    own = client_of(people.omar).post(button, {"reason": "I was not sure."})

    assert other.status_code == 403
    assert own.status_code == 302
    assert Approval.objects.get().withdrawn_reason == "I was not sure."


def test_ten_megabytes_in_a_field_are_refused_before_any_step(platform: Acme, console: str) -> None:
    plan, sam = builders.planned(platform), builders.people().sam
    given = {"plan": plan.pk, "code": "123456", "reason": "x" * 10_000_000}

    assert client_of(sam).post(address(plan.incident, "approval/refuse"), given).status_code in (413, 422)


def test_new_row_is_shown_without_a_past(platform: Acme, console: str) -> None:
    plan = builders.planned(platform, "create")

    page = client_of(builders.people().omar).get(address(plan.incident, "approval")).text

    assert "a new row of adminuser" in page
    assert 'class="was"' not in page
