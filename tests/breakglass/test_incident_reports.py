"""The incident report: written with the disabling, kept as evidence, sealed with the bundle; and an account is disabled once."""

import io
import zipfile

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from audit import blobs, verify
from audit.models import Entry
from breakglass.procedure import change_refusals, evidence, execution, jobs, refusals, rollback, sealing
from breakglass.procedure.models import EvidenceItem, Execution, Incident
from recovery.models import RunState
from tests import builders, cast, keepers
from tests.acme import Acme
from tests.breakglass import story
from tests.breakglass.rules import refused_by, sql
from tests.breakglass.test_rollback import WRONG, disabled

pytestmark = pytest.mark.django_db


def report_of(incident: Incident) -> str:
    item = incident.evidence_items.get(kind="incident_report")
    return b"".join(blobs.stream(item.sha256)).decode()


def test_report_says_what_was_wrong_what_was_changed_and_when_it_was_disabled(platform: Acme) -> None:
    incident = story.executed(platform)
    first = execution.last_committed(incident)

    run = disabled(incident)

    text = report_of(incident)
    assert "> The login belongs to somebody else.\n> The owner called." in text
    assert all(str(name) in text for name in (first.run_id, run.pk, first.plan.digest, first.plan.words))
    assert "Omar (omar) for Ops" in text
    assert "Sam (sam) for Security or Engineering" in text
    assert "is_active: true → false" in text
    assert f"{run.decided_at:%Y-%m-%d %H:%M:%S} UTC" in text


def test_report_shows_no_hash_and_no_fingerprint(platform: Acme) -> None:
    incident = story.executed(platform)

    disabled(incident)

    text = report_of(incident)
    assert "a secret → a secret" in text
    assert "$2b$" not in text
    assert "hmac:" not in text


def test_report_and_disabling_are_in_one_transaction(platform: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = story.executed(platform)
    monkeypatch.setattr(execution, "conclude", lambda _incident, *, by, run: run)
    disabled(incident)
    monkeypatch.undo()
    assert not incident.evidence_items.filter(kind="incident_report").exists()

    jobs.conclude_decided()

    last = list(Entry.objects.filter(incident=incident.reference).order_by("-seq")[:2])
    assert [one.event for one in last] == ["rollback.disabled", "evidence.added"]
    assert incident.evidence_items.get(kind="incident_report").account is None


@pytest.mark.parametrize("reason", ["", "  \n ", "\0", "x" * 10_001])
def test_disabling_says_what_was_wrong(platform: Acme, reason: str) -> None:
    incident = story.executed(platform)
    erin = builders.people().erin

    with pytest.raises((refusals.TextMissing, refusals.TextUnreadable, refusals.TextTooLong)):
        rollback.disable_now(incident, by=erin, code=cast.code_for(erin), reason=reason)

    assert platform.owner()["is_active"] is True


def test_account_is_disabled_once(platform: Acme) -> None:
    incident = story.executed(platform)
    disabled(incident)

    with pytest.raises(change_refusals.AlreadyDisabled):
        disabled(incident)

    assert Execution.objects.filter(kind="disable").count() == 1


def test_second_disabling_is_refused_past_the_step_as_well(platform: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = story.executed(platform)
    disabled(incident)
    monkeypatch.setattr(rollback, "_require_not_disabled", lambda undone: None)

    with pytest.raises(change_refusals.AlreadyDisabled):
        disabled(incident)


def test_attempt_that_changed_nothing_may_be_made_again(platform: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recovery.doors.openings.KEEPER_SECONDS", 1)
    incident = story.executed(platform)
    erin = builders.people().erin
    dead = rollback.disable_now(incident, by=erin, code=cast.code_for(erin), reason=WRONG)
    monkeypatch.undo()

    run = disabled(incident)

    assert (dead.state, run.state) == (RunState.ABORTED, RunState.COMMITTED)
    assert incident.evidence_items.filter(kind="incident_report").count() == 1


def test_reason_is_never_edited(platform: Acme, console: str) -> None:
    incident = story.executed(platform)
    disabled(incident)

    with refused_by("what_is_recorded_stays", using="owner"), transaction.atomic(using="owner"):
        Execution.objects.using("owner").filter(kind="disable").update(reason="Nothing was wrong.")
    with refused_by("42501"):
        sql("UPDATE procedure_execution SET reason = ''")


def test_report_is_in_the_bundle_and_missed_when_it_is_not(platform: Acme, tmp_path) -> None:
    incident = story.with_evidence(platform)
    disabled(incident)
    incident = builders.fresh(incident)
    evidence.collect(incident, by=incident.requester_account)
    bundle = evidence.seal(incident, by=incident.requester_account)
    olivia = incident.requester_account

    with sealing.export(bundle, by=olivia, code=cast.code_for(olivia)) as opened:
        names = zipfile.ZipFile(io.BytesIO(opened.read())).namelist()

    assert bundle.complete
    assert any("data/incident_report/run-" in name for name in names)
    lines = [
        one.facts | {"event": one.event, "by": one.by} for one in Entry.objects.filter(incident=incident.reference)
    ]
    without = [line for line in lines if "incident_report" not in str(line.get("evidence", ""))]
    assert any("incident report" in gap for gap in verify.find_gaps(without))


def test_nothing_is_sealed_between_the_run_and_its_report(platform: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = story.with_evidence(platform)
    monkeypatch.setattr(execution, "conclude", lambda _incident, *, by, run: run)
    disabled(incident)

    assert sealing.missing_kinds(incident) == [str(EvidenceItem.Kind.INCIDENT_REPORT.label)]


def test_page_asks_what_is_wrong(platform: Acme, console: str) -> None:
    incident = story.executed(platform)
    erin = builders.people().erin

    address = f"/incidents/{incident.reference}/rollback/disable/"
    answer = cast.signed_in(Client(), erin).post(address, {"code": cast.code_for(erin)})

    assert answer.status_code == 422
    assert platform.owner()["is_active"] is True


def test_admin_disables_with_the_reason_and_says_what_became_of_it(platform: Acme, console: str) -> None:
    incident = story.executed(platform)
    simone = builders.people().simone
    client = cast.signed_in(Client(), simone)
    action = reverse("admin:procedure_incident_named", args=[incident.pk, "disable-now"])

    with keepers.running():
        done = client.post(action, {"code": cast.code_for(simone), "reason": WRONG}, follow=True)
        again = client.post(action, {"code": cast.code_for(simone), "reason": WRONG})

    assert "The incident report is among the evidence" in done.text
    assert again.status_code == 409
    assert "already been disabled" in again.text
