"""What the tests of the audit room share: an incident's log that tells a whole recovery, and its bundle."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import transaction

from audit import blobs, bundle, events, log
from audit.models import Entry

INCIDENT = "INC-2026-0042"

EVIDENCE = {
    "sql/001-statements.sql": ("statements", b"UPDATE adminuser SET enabled = true WHERE id = 7;\n"),
    "rows/002-rows.jsonl": ("rows", b'{"before":{"enabled":false},"after":{"enabled":true}}\n'),
    "platform-audit/003-export.csv": ("platform_audit", b"at,who,what\n2026-11-22T09:00:00Z,root,login\n"),
    "logs/004-backend.jsonl": ("backend_log", b'{"line":1,"raw":"boom"}\n' * 40),
}

BEFORE_EVIDENCE = (
    (events.INCIDENT_OPENED, "olivia"),
    (events.DIAGNOSIS_MADE, "olivia"),
    (events.OUTCOME_CHOSEN, "olivia"),
    (events.PLAN_MADE, "olivia"),
    (events.APPROVAL_GIVEN, "omar"),
    (events.APPROVAL_GIVEN, "sam"),
    (events.WINDOW_OPENED, "olivia"),
    (events.RUN_CLAIMED, "olivia"),
    (events.RUN_COMMITTED, "olivia"),
    (events.ACCESS_PROVEN, "worker"),
    (events.PROOF_SEEN, "worker"),
)


def append(event: str, by: str = "olivia", incident: str = INCIDENT, **facts: object) -> Entry:
    """One entry in a transaction of its own."""
    with transaction.atomic():
        return log.append(event, by=by, incident=incident, **facts)


def add_evidence(file: str, kind: str, content: bytes, incident: str = INCIDENT) -> None:
    with transaction.atomic():
        kept = blobs.keep(content, media_type="text/plain", name=file)
        log.append(events.EVIDENCE_ADDED, by="olivia", incident=incident, evidence=[kept.as_evidence(file, kind=kind)])


def tell_recovery(without: str = "", without_kind: str = "") -> None:
    """The log of a whole recovery, sealed; one event or one kind of evidence may be left out."""
    for event, by in BEFORE_EVIDENCE:
        if event != without:
            append(event, by)
    for file, (kind, content) in EVIDENCE.items():
        if kind != without_kind:
            add_evidence(file, kind, content)
    append(events.BUNDLE_SEALED)


def write_bundle(path: Path, incident: str = INCIDENT, upto: int | None = None) -> bundle.BundleRef:
    with path.open("wb") as target:
        return bundle.write(incident, target, upto=upto)


@pytest.fixture
def recovery_bundle(console: str, tmp_path: Path) -> Path:
    """The zip of a whole, sealed recovery."""
    tell_recovery()
    write_bundle(tmp_path / "bundle.zip")
    return tmp_path / "bundle.zip"


@pytest.fixture
def refused(console: str) -> Callable[..., str]:
    """Runs one SQL statement that must fail; gives its SQLSTATE."""

    def run(connection: object, statement: str) -> str:
        with pytest.raises(Exception) as caught, transaction.atomic(using=connection.alias):
            connection.cursor().execute(statement)
        return caught.value.__cause__.sqlstate

    return run
