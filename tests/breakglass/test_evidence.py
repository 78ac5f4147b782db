"""Evidence: collected, cut, named in the log, sealed into a bundle that a stranger can verify, given out unchanged."""

import json

import pytest
from django.db import connections

from audit import blobs, log, verify
from breakglass.procedure import change_refusals, evidence, refusals, sealing
from breakglass.procedure.models import Bundle, EvidenceItem
from breakglass.procedure.states import State
from tests import builders, cast
from tests.breakglass import story

pytestmark = pytest.mark.django_db
Kind = EvidenceItem.Kind


def olivia():
    return builders.people().olivia


def test_console_testifies_and_reads_the_platforms_audit_log(platform):
    incident = story.revoked(platform)

    items = evidence.collect(incident, by=olivia())

    assert {item.kind for item in items} == set(Kind.values) - {Kind.BACKEND_LOG, Kind.INCIDENT_REPORT, Kind.OTHER}


def test_every_file_is_named_by_an_entry(platform):
    incident = story.with_evidence(platform)

    named = {file["sha256"] for line in log.lines(incident.reference) for file in json.loads(line).get("evidence", [])}

    assert {item.sha256 for item in evidence.items(incident)} <= named


def test_rows_hold_before_and_after_without_the_hash(platform):
    incident = story.revoked(platform)
    evidence.collect(incident, by=olivia())

    rows = blobs.read(EvidenceItem.objects.get(kind=Kind.ROWS).sha256).decode()

    assert json.loads(rows)["before"]
    assert platform.owner()["password_hash"] not in rows


def test_backend_log_is_cut_to_the_time_of_the_incident(platform):
    story.with_evidence(platform)

    kept = blobs.read(EvidenceItem.objects.get(kind=Kind.BACKEND_LOG).sha256)

    assert b"password changed" in kept
    assert b"long before" not in kept


def test_backend_log_is_cut_to_a_request_id(platform):
    incident = story.revoked(platform)

    with pytest.raises(change_refusals.NoLinesOfTheWindow):
        evidence.upload(
            incident,
            by=olivia(),
            kind=Kind.BACKEND_LOG,
            name="acme.log",
            data=story.log_lines(incident),
            request_ids=["req-2"],
        )


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ({"kind": "rows"}, change_refusals.EvidenceKindUnknown),
        ({"data": b""}, change_refusals.EvidenceEmpty),
        ({"data": b"other content"}, change_refusals.EvidenceNameTaken),
    ],
)
def test_upload_that_does_not_fit_is_refused(platform, sent, kind):
    incident = story.revoked(platform)
    first = {"kind": "other", "name": "note.txt", "data": b"content"}
    evidence.upload(incident, by=olivia(), **first)

    with pytest.raises(kind):
        evidence.upload(incident, by=olivia(), **{**first, **sent})


def test_name_of_an_upload_cannot_leave_its_folder(platform):
    incident = story.revoked(platform)

    item = evidence.upload(incident, by=olivia(), kind="other", name="../../etc/passwd", data=b"x")

    assert item.name == "other/passwd"


def test_absence_of_a_log_is_stated_with_its_reason(platform):
    incident = story.revoked(platform)

    item = evidence.state_absence(incident, by=olivia(), kind=Kind.BACKEND_LOG, reason="The host was wiped.")

    assert json.loads(blobs.read(item.sha256))["reason"] == "The host was wiped."


def test_missing_evidence_is_named_and_nothing_is_sealed(platform):
    incident = story.revoked(platform)

    with pytest.raises(change_refusals.EvidenceMissing, match="backend log lines"):
        evidence.seal(incident, by=olivia())

    assert builders.fresh(incident).state == State.REVOKED


def test_sealed_bundle_is_intact_and_complete(platform):
    incident = story.sealed(platform)

    bundle = sealing.latest(incident)

    assert (bundle.integrity, bundle.complete, bundle.findings) == (True, True, "")
    assert incident.state == State.SEALED


def test_export_gives_the_very_bytes_that_were_sealed(platform, tmp_path):
    incident = story.sealed(platform)
    erin, path = builders.people().erin, tmp_path / "bundle.zip"

    with evidence.export(sealing.latest(incident), by=erin, code=cast.code_for(erin)) as file:
        path.write_bytes(file.read())

    assert verify.check(path).is_complete


def test_export_takes_a_fresh_code(platform):
    incident = story.sealed(platform)

    with pytest.raises(refusals.Refused):
        evidence.export(sealing.latest(incident), by=builders.people().erin, code="000000")


def test_kept_file_that_root_changed_is_found_before_sealing(platform, console_server, console):
    incident = story.with_evidence(platform)
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE audit.blob_chunk DISABLE TRIGGER USER")
        cursor.execute("UPDATE audit.blob_chunk SET data = 'forged' WHERE n = 0")

    with pytest.raises(refusals.Refused):
        evidence.seal(incident, by=olivia())

    assert not Bundle.objects.exists()
    assert builders.fresh(incident).state == State.REVOKED


def test_nothing_is_added_before_the_change(platform):
    incident = builders.planned(platform).incident

    with pytest.raises(refusals.NotNow):
        evidence.collect(incident, by=olivia())
