"""The admin: every record can be read, nothing can be edited, and named actions call the procedure's steps."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from breakglass.procedure.models import Incident, PostMortem
from breakglass.procedure.states import State
from tests import builders
from tests.acme import Acme
from tests.cast import signed_in

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.fixture
def incident(console: str, platform: Acme) -> Incident:
    return builders.window_open(platform).incident


@pytest.fixture
def simone(client: Client, incident: Incident) -> Client:
    return signed_in(client, builders.people().simone)


def page(incident: Incident) -> str:
    return reverse("admin:procedure_incident_change", args=[incident.pk])


def action(incident: Incident, name: str) -> str:
    return reverse("admin:procedure_incident_named", args=[incident.pk, name])


def test_every_list_and_every_record_can_be_read(simone: Client) -> None:
    for model in MODELS:
        listed = simone.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))

        assert listed.status_code == 200, model

        record = model._default_manager.first()
        if record is not None:
            address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[record.pk])

            assert simone.get(address).status_code == 200, model


def test_nothing_can_be_added_changed_or_deleted(simone: Client, incident: Incident) -> None:
    for model in MODELS:
        place = f"admin:{model._meta.app_label}_{model._meta.model_name}"

        assert simone.get(reverse(f"{place}_add")).status_code == 403, model

    assert simone.post(page(incident), {"state": State.CLOSED}).status_code == 403
    assert simone.post(reverse("admin:procedure_incident_delete", args=[incident.pk])).status_code == 403


@pytest.mark.parametrize("name", ["olivia", "erin", "mallory"])
def test_people_of_other_duties_do_not_get_in(client: Client, incident: Incident, name: str) -> None:
    signed_in(client, getattr(builders.people(), name))

    assert client.get(page(incident)).status_code != 200
    assert client.post(action(incident, "suspect-exposure")).status_code != 200
    assert not Incident.objects.get(pk=incident.pk).exposure_suspected


def test_password_alone_does_not_get_in(client: Client, incident: Incident) -> None:
    client.force_login(builders.people().simone)

    assert client.get(page(incident)).status_code == 302


def test_compliance_reads_and_has_no_buttons(client: Client, incident: Incident) -> None:
    signed_in(client, builders.people().connie)

    shown = client.get(page(incident))

    assert shown.status_code == 200
    assert "named-actions" not in shown.text
    assert client.post(action(incident, "suspect-exposure")).status_code == 403


def test_checklist_shows_where_the_procedure_stands(simone: Client, incident: Incident) -> None:
    shown = simone.get(page(incident))

    assert [step.key for step in shown.context["checklist"] if step.state == "open"] == ["execute"]


def test_an_action_is_asked_for_before_it_is_done(simone: Client, incident: Incident) -> None:
    asked = simone.get(action(incident, "suspect-exposure"))

    assert asked.status_code == 200
    assert not Incident.objects.get(pk=incident.pk).exposure_suspected


def test_an_action_calls_the_step_and_says_what_was_done(simone: Client, incident: Incident) -> None:
    done = simone.post(action(incident, "suspect-exposure"), follow=True)

    assert Incident.objects.get(pk=incident.pk).exposure_suspected
    assert "must now be rotated" in done.text


def test_a_refused_action_shows_its_sentence(simone: Client, incident: Incident) -> None:
    refused = simone.post(action(incident, "close"))

    assert refused.status_code == 409
    assert refused.context["refusal"].sentence
    assert Incident.objects.get(pk=incident.pk).state == State.PLANNED


def test_a_malformed_action_is_shown_again(simone: Client, incident: Incident) -> None:
    assert simone.post(action(incident, "review"), {"findings": ""}).status_code == 422


def test_an_unknown_action_is_not_found(simone: Client, incident: Incident) -> None:
    assert simone.post(action(incident, "delete-everything")).status_code == 404


def test_the_post_mortem_is_written_through_the_admin(simone: Client, incident: Incident) -> None:
    refused = simone.post(action(incident, "post-mortem"), {"root_cause": "A lost laptop."})

    assert refused.status_code == 409
    assert not PostMortem.objects.filter(incident=incident).exists()


def test_an_open_window_can_be_ended_from_the_admin(simone: Client, incident: Incident) -> None:
    window = incident.windows.get()

    done = simone.post(reverse("admin:procedure_window_named", args=[window.pk, "end"]), follow=True)

    assert done.status_code == 200
    assert "No run can begin in it" in done.text
