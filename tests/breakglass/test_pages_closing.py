"""The pages of the end: revoke, evidence, post-mortem, closing, rollback, and the practice inbox."""

import io
import zipfile

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from breakglass.people.models import Account
from breakglass.procedure import revocation
from breakglass.procedure.models import Bundle, EvidenceItem, Incident, RevocationItem
from recovery.models import Run
from tests import builders, cast, keepers
from tests.acme import Acme
from tests.breakglass import story

pytestmark = pytest.mark.django_db


def client_of(account: Account) -> Client:
    return cast.signed_in(Client(), account)


def address(incident: Incident, step: str) -> str:
    return f"/incidents/{incident.reference}/{step}/"


def prepared(platform: Acme) -> tuple[Incident, list[RevocationItem]]:
    incident = story.proven(platform)
    return incident, revocation.prepare(incident, by=incident.requester_account)


def test_revocation_is_walked_item_by_item(platform: Acme, console: str) -> None:
    incident, items = prepared(platform)
    client = client_of(incident.requester_account)

    for item in items:
        button = "check" if item.kind == "login" else "done"
        client.post(address(incident, f"revoke/{item.pk}/{button}"), {"output": "0 rules left"})
    page = client.post(address(incident, "revoke/finish"), follow=True)

    assert page.redirect_chain[-1][0] == address(incident, "evidence")
    assert builders.fresh(incident).state == "revoked"


def test_finishing_too_early_names_what_is_left(platform: Acme, console: str) -> None:
    incident, _items = prepared(platform)

    answer = client_of(incident.requester_account).post(address(incident, "revoke/finish"))

    assert answer.status_code == 409
    assert 'role="alert"' in answer.text


def test_waiver_is_offered_to_security_without_part_alone(platform: Acme, console: str) -> None:
    incident, _items = prepared(platform)
    people = builders.people()

    pages = {
        name: client_of(getattr(people, name)).get(address(incident, "revoke")).text for name in ("olivia", "simone")
    }

    assert "waive_form" not in pages["olivia"]
    assert "waive_form" in pages["simone"]


def test_waiver_by_somebody_with_part_is_forbidden(platform: Acme, console: str) -> None:
    incident, items = prepared(platform)
    sam = builders.people().sam
    network = next(item for item in items if item.kind == "network")
    given = {"reason": "Later.", "until": "2099-01-01", "code": cast.code_for(sam)}

    assert client_of(sam).post(address(incident, f"revoke/{network.pk}/waive"), given).status_code == 403


def test_item_of_another_incident_is_not_found(platform: Acme, console: str) -> None:
    incident, items = prepared(platform)

    answer = client_of(incident.requester_account).post(
        address(incident, f"revoke/{items[-1].pk + 99}/done"), {"output": "x"}
    )

    assert answer.status_code == 404


def test_suspicion_makes_rotation_mandatory(platform: Acme, console: str) -> None:
    incident, _items = prepared(platform)

    page = client_of(builders.people().erin).post(address(incident, "rollback/exposure"), follow=True)

    assert "Every secret must be rotated" in page.text
    assert builders.fresh(incident).exposure_suspected


def test_evidence_is_collected_uploaded_and_sealed(platform: Acme, console: str) -> None:
    incident = story.revoked(platform)
    client = client_of(incident.requester_account)
    file = io.BytesIO(story.log_lines(incident))
    file.name = "../../acme.log"

    client.post(address(incident, "evidence/collect"))
    client.post(address(incident, "evidence/upload"), {"kind": "backend_log", "file": file})
    page = client.post(address(incident, "evidence/seal"), follow=True)

    assert "The evidence is sealed" in page.text
    assert EvidenceItem.objects.get(kind="backend_log").name == "backend_log/acme.log.jsonl"


def test_upload_of_eleven_megabytes_is_refused_in_words(platform: Acme, console: str) -> None:
    incident = story.revoked(platform)
    file = io.BytesIO(b"x" * (11 * 1024 * 1024))
    file.name = "big.log"

    answer = client_of(incident.requester_account).post(
        address(incident, "evidence/upload"), {"kind": "other", "file": file}
    )

    assert answer.status_code == 422
    assert "The file has 11 MB; 10 MB are allowed" in answer.text


def test_absence_is_explained_in_a_file_of_its_own(platform: Acme, console: str) -> None:
    incident = story.revoked(platform)

    client_of(incident.requester_account).post(
        address(incident, "evidence/absence"), {"kind": "backend_log", "reason": "It was switched off."}
    )

    assert EvidenceItem.objects.get().name == "backend_log/absent.json"


def test_bundle_is_handed_out_for_a_fresh_code(platform: Acme, console: str) -> None:
    incident = story.sealed(platform)
    bundle, olivia = Bundle.objects.get(), incident.requester_account

    answer = client_of(olivia).post(address(incident, f"evidence/{bundle.pk}/export"), {"code": cast.code_for(olivia)})

    content = b"".join(answer.streaming_content)
    assert answer["Content-Type"] == "application/zip"
    assert zipfile.is_zipfile(io.BytesIO(content))


def test_bundle_is_not_handed_out_by_a_link(platform: Acme, console: str) -> None:
    incident = story.sealed(platform)

    answer = client_of(incident.requester_account).get(address(incident, f"evidence/{Bundle.objects.get().pk}/export"))

    assert answer["Location"] == address(incident, "evidence")


def test_incident_is_written_up_reviewed_and_closed(platform: Acme, console: str) -> None:
    incident = story.sealed(platform)
    olivia, simone = client_of(incident.requester_account), client_of(builders.people().simone)
    boxes = {"root_cause": "Too many locks.", "permissions_review": "- dana: keep", "backlog_item": "OPS-9"}

    olivia.post(address(incident, "post-mortem/write"), boxes)
    simone.post(address(incident, "post-mortem/review"), {"findings": "As it should be."})
    page = olivia.post(address(incident, "post-mortem/close"), follow=True)

    assert "The incident is closed" in page.text
    assert builders.fresh(incident).state == "closed"


def test_closing_too_early_names_what_is_missing(platform: Acme, console: str) -> None:
    incident = story.sealed(platform)

    answer = client_of(incident.requester_account).post(address(incident, "post-mortem/close"))

    assert answer.status_code == 409
    assert "root cause" in answer.text


def test_review_by_an_approver_is_forbidden(platform: Acme, console: str) -> None:
    incident = story.sealed(platform)

    answer = client_of(builders.people().sam).post(address(incident, "post-mortem/review"), {"findings": "Mine."})

    assert answer.status_code == 403


def test_draft_of_the_review_lists_all_owners_and_keeps_what_was_typed(platform: Acme, console: str) -> None:
    incident = story.sealed(platform)

    page = client_of(incident.requester_account).post(
        address(incident, "post-mortem/draft"), {"root_cause": "Not kept yet."}
    )

    assert "lee@acme.example" in page.text
    assert "Not kept yet." in page.text


@pytest.mark.parametrize("url", ["javascript:alert(1)", "not an address"])
def test_backlog_address_is_an_address(platform: Acme, console: str, url: str) -> None:
    incident = story.sealed(platform)

    answer = client_of(incident.requester_account).post(address(incident, "post-mortem/write"), {"backlog_url": url})

    assert answer.status_code == 422


def test_disable_now_needs_no_approval_but_a_fresh_code(platform: Acme, console: str) -> None:
    incident = story.executed(platform)
    erin = builders.people().erin

    given = {"code": cast.code_for(erin), "reason": "The wrong account was reset."}

    with keepers.running():
        page = client_of(erin).post(address(incident, "rollback/disable"), given, follow=True)

    assert "dana@acme.example is disabled" in page.text
    assert "The incident report is among the evidence" in page.text
    assert platform.owner()["is_active"] is False


def test_disabling_before_any_change_is_refused(platform: Acme, console: str) -> None:
    incident = builders.opened(platform)
    olivia = incident.requester_account

    given = {"code": cast.code_for(olivia), "reason": "The wrong account was reset."}
    answer = client_of(olivia).post(address(incident, "rollback/disable"), given)

    assert answer.status_code == 409
    assert not Run.objects.exists()


def test_restore_is_planned_and_waits_for_two_approvals_of_its_own(platform: Acme, console: str) -> None:
    incident = story.executed(platform)

    client_of(incident.requester_account).post(address(incident, "rollback/restore"))

    page = client_of(builders.people().erin).get(address(incident, "approval"))
    assert "back as they were before" in page.text
    assert "Approve as Engineering" in page.text


def test_inbox_shows_what_went_out(platform: Acme, console: str) -> None:
    builders.opened(platform)

    assert "break-glass on" in client_of(builders.people().connie).get("/inbox/").text


def test_inbox_is_for_practice_consoles_only(console: str, settings: Settings) -> None:
    settings.PRACTICE = False

    assert client_of(cast.person("olivia", ["ops"])).get("/inbox/").status_code == 404


def test_log_is_closed_to_somebody_without_duty(console: str) -> None:
    assert client_of(cast.person("mallory")).get("/log/").status_code == 403
    assert client_of(cast.person("connie", ["compliance"])).get("/log/").status_code == 200
