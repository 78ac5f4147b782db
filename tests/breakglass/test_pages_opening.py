"""The pages of the beginning: the list, opening an incident, the diagnosis; for the right person and the wrong one."""

import pytest
from django.test import Client

from breakglass.procedure.models import Incident
from tests import builders, cast
from tests.acme import Acme

SAID = {"platform": "acme", "trigger": "no_owner", "ticket": builders.TICKET, "reason": "Nobody can sign in."}

pytestmark = pytest.mark.django_db


def test_list_of_incidents_asks_for_both_factors(console: str) -> None:
    answer = Client().get("/")

    assert answer.status_code == 302


def test_somebody_without_duty_sees_no_incident(console: str) -> None:
    client = cast.signed_in(Client(), cast.person("mallory"))

    assert client.get("/").status_code == 403
    assert client.get("/incidents/open/").status_code == 403


def test_empty_list_says_that_nothing_is_under_way(console: str) -> None:
    client = cast.signed_in(Client(), cast.person("olivia", ["ops"]))

    assert "No incident is under way" in client.get("/").text


def test_opening_leads_to_the_diagnosis(platform: Acme, console: str) -> None:
    client = cast.signed_in(Client(), builders.people().olivia)

    answer = client.post("/incidents/open/", SAID, follow=True)

    assert answer.redirect_chain[-1][0].endswith("/diagnosis/")
    assert "Nobody has looked at the platform yet" in answer.text


def test_refused_ticket_keeps_what_was_typed(platform: Acme, console: str) -> None:
    client = cast.signed_in(Client(), builders.people().olivia)

    answer = client.post("/incidents/open/", SAID | {"ticket": "nonsense"})

    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert "Nobody can sign in." in answer.text


def test_form_without_reason_opens_nothing(platform: Acme, console: str) -> None:
    client = cast.signed_in(Client(), builders.people().olivia)

    answer = client.post("/incidents/open/", SAID | {"reason": ""})

    assert answer.status_code == 422
    assert not Incident.objects.exists()


def test_get_of_a_button_changes_nothing_and_leads_to_its_page(platform: Acme, console: str) -> None:
    incident = builders.opened(platform)
    client = cast.signed_in(Client(), builders.people().olivia)

    answer = client.get(f"/incidents/{incident.reference}/diagnosis/look/")

    assert answer["Location"] == f"/incidents/{incident.reference}/diagnosis/"
    assert not incident.diagnoses.exists()


def test_page_of_a_step_takes_no_post(platform: Acme, console: str) -> None:
    incident = builders.opened(platform)
    client = cast.signed_in(Client(), builders.people().olivia)

    assert client.post(f"/incidents/{incident.reference}/diagnosis/").status_code == 405


def test_address_typed_too_early_leads_to_the_open_step(platform: Acme, console: str) -> None:
    incident = builders.opened(platform)
    client = cast.signed_in(Client(), builders.people().olivia)

    answer = client.get(f"/incidents/{incident.reference}/evidence/")

    assert answer["Location"] == f"/incidents/{incident.reference}/diagnosis/"


def test_practice_people_do_not_see_real_incidents(platform: Acme, console: str) -> None:
    practice = builders.people().omar
    platform.file.write_text(platform.file.read_text().replace("practice = true", "practice = false"))
    incident = builders.opened(platform, by=cast.person("carla", ["ops"]))

    answer = cast.signed_in(Client(), practice).get(f"/incidents/{incident.reference}/when/")

    assert answer.status_code == 404
    assert incident.reference not in cast.signed_in(Client(), practice).get("/").text


def test_diagnosis_names_what_stops_each_owner(platform: Acme, console: str) -> None:
    incident = builders.opened(platform)
    client = cast.signed_in(Client(), builders.people().olivia)

    answer = client.post(f"/incidents/{incident.reference}/diagnosis/look/", follow=True)

    assert "Nobody can sign in as Platform Owner" in answer.text
    assert "disabled" in answer.text


def test_post_without_token_of_the_page_is_refused_in_plain_words(platform: Acme, console: str) -> None:
    client = cast.signed_in(Client(enforce_csrf_checks=True), builders.people().olivia)

    answer = client.post("/incidents/open/", SAID)

    assert answer.status_code == 403
    assert "too old to be sent" in answer.text


def test_markup_in_the_reason_stays_text(platform: Acme, console: str) -> None:
    incident = builders.opened(platform, reason="<script>alert(1)</script>")
    client = cast.signed_in(Client(), builders.people().olivia)

    assert "<script>alert" not in client.get(f"/incidents/{incident.reference}/when/").text


def test_abandoning_is_final_and_says_so(platform: Acme, console: str) -> None:
    incident = builders.opened(platform)
    client = cast.signed_in(Client(), builders.people().olivia)

    answer = client.post(f"/incidents/{incident.reference}/when/abandon/", {"reason": "Dana signed in."}, follow=True)

    assert "was abandoned, and that is final" in answer.text
