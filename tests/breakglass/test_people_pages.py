"""The pages of people and enrolment: the right and the wrong person, GET and POST, and the link that is shown once."""

import base64
import re

import pytest
from django.test import Client
from django.urls import reverse

from audit import clock
from audit.models import Entry
from breakglass.people import duties, invitations, totp
from breakglass.people.models import Account, Authenticator, Invitation
from tests import cast

pytestmark = pytest.mark.django_db

PASSWORD = "a quiet harbour at dawn"
NEW = {"name": "Nora New", "contact": "nora@example.org", "username": "nora", "duty_names": ["ops"]}


@pytest.fixture
def people():
    return cast.everybody()


@pytest.fixture
def sam(people) -> Client:
    return cast.signed_in(Client(), people.sam)


@pytest.fixture
def simone(people) -> Client:
    return cast.signed_in(Client(), people.simone)


def new_link(people) -> str:
    invitation = invitations.propose_person(by=people.sam, **NEW)
    return invitations.confirm(invitation, by=people.simone, code=cast.code_for(people.simone))


def addresses(people) -> list[tuple[str, str]]:
    """Every address of people: method and path."""
    duty = people.erin.person.duties.get()
    return [
        ("get", reverse("people")),
        ("get", reverse("person", args=[people.erin.person_id])),
        ("post", reverse("people-propose")),
        ("post", reverse("duty-propose", args=[people.erin.person_id])),
        ("post", reverse("duty-confirm", args=[duty.pk])),
        ("post", reverse("duty-end", args=[duty.pk])),
        ("post", reverse("reset-propose", args=[people.erin.pk])),
        ("post", reverse("account-disable", args=[people.erin.pk])),
        ("post", reverse("invitation-confirm", args=[1])),
    ]


@pytest.mark.parametrize("who", ["olivia", "erin", "connie", "mallory"])
def test_people_pages_are_for_security_only(people, who):
    client = cast.signed_in(Client(), getattr(people, who))

    answers = [getattr(client, method)(path).status_code for method, path in addresses(people)]

    assert set(answers) == {403}
    assert people.erin.person.duties.get().is_live


def test_strangers_are_led_to_the_sign_in(people, client):
    answers = [getattr(client, method)(path) for method, path in addresses(people)]

    assert {answer.status_code for answer in answers} == {302}
    assert {answer.url.partition("?")[0] for answer in answers} == {"/sign-in/"}


def test_buttons_are_no_links(people, sam):
    answers = [sam.get(path).status_code for method, path in addresses(people) if method == "post"]

    assert set(answers) == {405}


def test_page_lists_everybody_and_what_waits(people, sam):
    duties.propose(people.mallory.person, "ops", by=people.simone)

    page = sam.get("/people/").content.decode()

    assert all(name.capitalize() in page for name in cast.DUTIES)
    assert "proposed by Simone" in page
    assert "style=" not in page


def test_new_person_from_proposal_to_sign_in(people, sam, simone, client):
    person_page = sam.post("/people/propose/", NEW).url
    invitation = Invitation.objects.get()
    shown = simone.post(reverse("invitation-confirm", args=[invitation.pk]), {"code": cast.code_for(people.simone)})
    path = re.search(r"/enrol/[^/]+/", shown.content.decode())[0]
    page = client.get(path).content.decode()
    key = re.search(r'<p class="machine">([A-Z2-7 ]+)</p>', page)[1].replace(" ", "")
    code = totp.code(_seed(key), totp.step_at(clock.now()))
    done = client.post(path, {"password": PASSWORD, "repeated": PASSWORD, "code": code})

    assert done.status_code == 200
    assert "Nora New" in sam.get(person_page).content.decode()
    nora = Account.objects.get(username="nora")
    assert nora.check_password(PASSWORD)
    assert Authenticator.objects.get(user=nora).confirmed
    assert client.post("/sign-in/", {"username": "nora", "password": PASSWORD}).url == "/sign-in/code/"


def test_enrolment_page_writes_nothing_and_shows_the_same_code_each_time(people, client):
    path = reverse("enrol", args=[new_link(people)])
    before = (Authenticator.objects.count(), Entry.objects.count())

    first, second = client.get(path).context["key"], client.get(path).context["key"]

    assert first == second
    assert (Authenticator.objects.count(), Entry.objects.count()) == before


def test_enrolment_page_passes_the_content_security_policy(people, client):
    page = client.get(reverse("enrol", args=[new_link(people)])).content.decode()

    assert "<svg" in page
    assert "style=" not in page
    assert 'autocomplete="new-password"' in page


@pytest.mark.parametrize("token", ["unknown", "x" * 500, "%00", "%ED%A0%80"])
def test_unknown_link_gets_a_sentence(client, console, token):
    assert client.get(f"/enrol/{token}/").status_code in (400, 410)


def test_used_link_says_so(people, client):
    token = new_link(people)
    code = totp.code(invitations.seed_of(token), totp.step_at(clock.now()))
    client.post(reverse("enrol", args=[token]), {"password": PASSWORD, "repeated": PASSWORD, "code": code})

    answer = client.get(reverse("enrol", args=[token]))

    assert answer.status_code == 410
    assert answer.context["refusal"].code == "invitation_dead"


def test_refused_enrolment_shows_no_password_again(people, client):
    path = reverse("enrol", args=[new_link(people)])

    answer = client.post(path, {"password": PASSWORD, "repeated": PASSWORD, "code": "000000"})

    assert answer.status_code == 422
    assert PASSWORD not in answer.content.decode()


def test_proposer_sees_no_button_to_confirm_and_pressing_is_refused(people, sam):
    duty = duties.propose(people.mallory.person, "ops", by=people.sam)
    path = reverse("duty-confirm", args=[duty.pk])

    page = sam.get(reverse("person", args=[people.mallory.person_id])).content.decode()
    answer = sam.post(path, {"code": cast.code_for(people.sam)})

    assert path not in page
    assert answer.status_code == 403
    assert answer.context["refusal"].code == "two_people_needed"


def test_another_confirms_with_a_code(people, simone):
    duty = duties.propose(people.mallory.person, "ops", by=people.sam)

    answer = simone.post(reverse("duty-confirm", args=[duty.pk]), {"code": cast.code_for(people.simone)})

    duty.refresh_from_db()
    assert answer.status_code == 302
    assert duty.is_live


@pytest.mark.parametrize("code", ["", "12", "abcdef", "000000"])
def test_wrong_code_changes_nothing_and_says_so(people, simone, code):
    duty = duties.propose(people.mallory.person, "ops", by=people.sam)

    answer = simone.post(reverse("duty-confirm", args=[duty.pk]), {"code": code})

    duty.refresh_from_db()
    assert answer.status_code == 422
    assert not duty.is_live


def test_duty_is_proposed_and_ended_by_press(people, sam):
    erin = people.erin.person
    sam.post(reverse("duty-propose", args=[erin.pk]), {"name": "ops"})
    sam.post(reverse("duty-end", args=[erin.duties.get(name="engineering").pk]))

    assert [duty.proposed_by for duty in erin.duties.filter(name="ops")] == [people.sam.person]
    assert erin.duties.get(name="engineering").ended_at


def test_reset_and_disable_by_press(people, sam):
    sam.post(reverse("reset-propose", args=[people.erin.pk]), {"kind": "both"})
    sam.post(reverse("account-disable", args=[people.erin.pk]))

    people.erin.refresh_from_db()
    assert Invitation.objects.get().kind == "both"
    assert not people.erin.is_active


def test_malformed_proposal_is_shown_again(people, sam):
    answer = sam.post("/people/propose/", {**NEW, "username": "Not A Name!"})

    assert answer.status_code == 422
    assert not Account.objects.filter(person__name="Nora New").exists()


def test_practice_people_are_not_seen_from_the_real_world(people, sam):
    pete = cast.person("pete", ["ops"], practice=True)

    assert "Pete" not in sam.get("/people/").content.decode()
    assert sam.get(reverse("person", args=[pete.person_id])).status_code == 404


def _seed(key: str) -> bytes:
    padding = "=" * (-len(key) % 8)
    return base64.b32decode(key + padding)
