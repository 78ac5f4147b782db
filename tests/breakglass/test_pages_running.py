"""The pages of the change: the window, link and code, the beneficiary's page, what was changed, the proof."""

import re

import pytest
from django.test import Client

from breakglass.people.models import Account
from breakglass.procedure import handover
from breakglass.procedure.models import Handover, Incident, Window
from recovery.models import Run
from tests import builders, cast, keepers
from tests.acme import Acme
from tests.breakglass import story
from tests.breakglass.runs_made import link

pytestmark = pytest.mark.django_db


def client_of(account: Account) -> Client:
    return cast.signed_in(Client(), account)


def address(incident: Incident, step: str) -> str:
    return f"/incidents/{incident.reference}/{step}/"


def typed(row: Handover, **other: str) -> dict[str, str]:
    return {"code": handover.code_of(row), "password": story.PASSWORD, "repeated": story.PASSWORD, **other}


def test_window_is_opened_with_a_fresh_code_and_counts_down(platform: Acme, console: str) -> None:
    plan = builders.approved(platform)
    olivia = plan.incident.requester_account
    given = {"plan": plan.pk, "code": cast.code_for(olivia)}

    page = client_of(olivia).post(address(plan.incident, "window/open"), given, follow=True)

    assert page.redirect_chain[-1][0] == address(plan.incident, "execute")
    assert "data-until=" in page.text
    assert Window.objects.count() == 1


def test_second_press_on_the_same_page_opens_no_second_window(platform: Acme, console: str) -> None:
    plan = builders.window_open(platform).plan
    olivia = plan.incident.requester_account

    answer = client_of(olivia).post(
        address(plan.incident, "window/open"), {"plan": plan.pk, "code": cast.code_for(olivia)}
    )

    assert answer.status_code == 409
    assert Window.objects.count() == 1


def test_window_is_ended_early_and_the_way_leads_back_to_the_approvals(platform: Acme, console: str) -> None:
    incident = builders.window_open(platform).incident

    client_of(incident.requester_account).post(address(incident, "window/end"))

    answer = client_of(incident.requester_account).get(address(incident, "execute"))
    assert answer["Location"] == address(incident, "approval")


def test_link_is_shown_once_with_its_picture_and_never_again(platform: Acme, console: str) -> None:
    incident = builders.window_open(platform).incident
    client = client_of(incident.requester_account)

    once = client.post(address(incident, "execute/link"), {"code": cast.code_for(incident.requester_account)})
    again = client.get(address(incident, "execute"))

    assert "/handover/" in once.text
    assert "<svg" in once.text
    assert "style=" not in once.text
    assert "/handover/" not in again.text


def test_approver_gets_the_code_and_the_operator_does_not(platform: Acme, console: str) -> None:
    row, _token = link(platform)
    olivia, sam = row.account, builders.people().sam

    refused = client_of(olivia).post(address(row.incident, "execute/code"), {"code": cast.code_for(olivia)})
    shown = client_of(sam).post(address(row.incident, "execute/code"), {"code": cast.code_for(sam)})

    assert handover.code_of(row) not in refused.text
    assert refused.status_code == 403
    assert handover.code_of(row) in shown.text


def test_beneficiary_sets_the_password_without_a_session(platform: Acme, console: str) -> None:
    row, token = link(platform)

    with keepers.running():
        page = Client().post(f"/handover/{token}/", typed(row), follow=True)

    assert "Your new password counts now" in page.text
    assert Run.objects.get().state == "committed"


def test_link_that_was_used_says_so_and_takes_nothing(platform: Acme, console: str) -> None:
    row, token = link(platform)
    with keepers.running():
        Client().post(f"/handover/{token}/", typed(row))

    again = Client().post(f"/handover/{token}/", typed(row))

    assert again.status_code == 410
    assert "already been used" in again.text
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    ("other", "status"),
    [
        ({"code": "AAAA-AAAA"}, 422),
        ({"code": ""}, 422),
        ({"code": "<b>"}, 422),
        ({"repeated": "another one entirely"}, 422),
        ({"password": "short", "repeated": "short"}, 422),
        ({"password": "p" * 2000, "repeated": "p" * 2000}, 422),
    ],
)
def test_what_is_typed_badly_changes_nothing_and_no_password_is_sent_back(
    platform: Acme, console: str, other: dict[str, str], status: int
) -> None:
    row, token = link(platform)

    answer = Client().post(f"/handover/{token}/", typed(row, **other))

    assert answer.status_code == status
    assert story.PASSWORD not in answer.text
    assert not Run.objects.exists()


def test_operator_who_opens_the_link_is_refused(platform: Acme, console: str) -> None:
    row, token = link(platform)

    answer = client_of(row.account).get(f"/handover/{token}/")

    assert answer.status_code == 403
    assert "<input" not in answer.text.split("<main")[1]


def test_unknown_link_is_not_found(console: str) -> None:
    assert Client().get("/handover/nothing-of-the-kind/").status_code == 404


def test_handover_page_asks_for_the_token_of_its_form(platform: Acme, console: str) -> None:
    row, token = link(platform)

    answer = Client(enforce_csrf_checks=True).post(f"/handover/{token}/", typed(row))

    assert answer.status_code == 403
    assert not Run.objects.exists()


def test_button_of_c_makes_the_change_once(platform: Acme, console: str) -> None:
    incident = builders.window_open(platform, "enable").incident
    client = client_of(incident.requester_account)

    with keepers.running():
        page = client.post(
            address(incident, "execute/run"), {"code": cast.code_for(incident.requester_account)}, follow=True
        )
        again = client.post(address(incident, "execute/run"), {"code": cast.code_for(incident.requester_account)})

    assert "Changed once, and nothing else" in page.text
    assert again.status_code == 409
    assert Run.objects.count() == 1


def test_page_of_the_change_shows_rows_as_fingerprints_and_no_hash(platform: Acme, console: str) -> None:
    incident = story.executed(platform)

    page = client_of(incident.requester_account).get(address(incident, "execute")).text

    assert re.search(r"fingerprint [0-9a-f]{8}…", page)
    assert "$2b$" not in page
    assert "proven gone" in page


def test_keeper_that_is_dead_leaves_a_sentence_and_no_change(
    platform: Acme, console: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recovery.doors.openings.KEEPER_SECONDS", 1)
    incident = builders.window_open(platform, "enable").incident
    client = client_of(incident.requester_account)

    page = client.post(
        address(incident, "execute/run"), {"code": cast.code_for(incident.requester_account)}, follow=True
    )

    assert "The last attempt changed nothing" in page.text


def test_sign_in_is_confirmed_by_a_person(platform: Acme, console: str) -> None:
    incident = story.executed(platform)
    client = client_of(incident.requester_account)

    not_seen = client.post(address(incident, "proof/look"), follow=True)
    confirmed = client.post(address(incident, "proof/confirm"), {"detail": "Dana is in."}, follow=True)

    assert "Waiting for the sign-in of dana@acme.example" in not_seen.text
    assert "dana@acme.example is in" in confirmed.text
