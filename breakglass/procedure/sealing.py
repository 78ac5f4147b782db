"""Seals the evidence into one bundle, verifies it as a stranger would, and hands it out again byte for byte."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from audit import bundle as bundles
from audit import clock, events, log, verify
from audit.models import Entry
from breakglass.people.models import Account
from breakglass.people.step_up import EXPORT, StepUp
from breakglass.procedure import colleagues, standing
from breakglass.procedure.change_refusals import BundleNotSound, ChangeUnknownYet, EvidenceMissing
from breakglass.procedure.models import Bundle, EvidenceItem, Execution, Incident, Participant
from breakglass.procedure.states import State
from breakglass.procedure.steps import recorded, step
from recovery.models import RunKind, RunState

Kind = EvidenceItem.Kind
ALWAYS_NEEDED = tuple(kind for kind in Kind if kind not in {Kind.OTHER, Kind.INCIDENT_REPORT})
SEALABLE = (State.REVOKED, State.SEALED)
LONGEST_FINDINGS = 10_000


@dataclass(frozen=True)
class Made:
    """A bundle as it was written and verified: its SHA-256 (hex), its size, up to which entry, and what was found."""

    sha256: str
    bytes: int
    upto: int
    report: verify.Report

    @property
    def findings(self) -> str:
        return "\n".join([*self.report.faults, *self.report.gaps])[:LONGEST_FINDINGS]


def seal(incident: Incident, *, by: Account) -> Bundle:
    """Seal all evidence into one bundle with its two verdicts; sealing again, with more evidence, makes a newer bundle.

    Raises:
        EvidenceMissing: a kind of evidence is neither there nor explained. ChangeUnknownYet: a run is not decided.
        BundleNotSound: the log or a kept file is not what it should be; nothing was sealed.
        NotNow: access is not revoked yet.
    """
    with recorded("sealing.seal", incident, by=by):
        _require_sound(_make(incident.reference))
    upto = _seal(incident, by=by)
    with recorded("sealing.seal", incident, by=by):
        made = _require_sound(_make(incident.reference, upto=upto))
    return _record(incident, by=by, made=made)


def missing_kinds(incident: Incident) -> list[str]:
    """The kinds of evidence that are neither there nor explained, for people to read."""
    there = set(incident.evidence_items.values_list("kind", flat=True))
    return [str(kind.label) for kind in _needed(incident) if kind not in there]


def _needed(incident: Incident) -> tuple[EvidenceItem.Kind, ...]:
    """What was disabled has its incident report; between the run and its conclusion there is none yet."""
    disabled = Execution.objects.filter(incident=incident, kind=RunKind.DISABLE, run__state=RunState.COMMITTED)
    return (*ALWAYS_NEEDED, Kind.INCIDENT_REPORT) if disabled.exists() else ALWAYS_NEEDED


@step
def _seal(incident: Incident, *, by: Account) -> int:
    incident = standing.lock(incident)
    standing.require_state(incident, *SEALABLE)
    undecided = {RunState.INTENT, RunState.PREPARED, RunState.NEEDS_HUMAN}
    if Execution.objects.filter(incident=incident, run__state__in=undecided).exists():
        raise ChangeUnknownYet
    if missing := missing_kinds(incident):
        raise EvidenceMissing(kinds=", ".join(missing))
    colleagues.take_part(incident, by=by, part=Participant.Part.TOOK_OVER)
    if incident.state == State.REVOKED:
        standing.move(incident, State.SEALED)
    files = incident.evidence_items.count()
    return log.append(events.BUNDLE_SEALED, by=by.username, incident=incident.reference, files=files).n


def _make(reference: str, *, upto: int | None = None) -> Made:
    with tempfile.TemporaryDirectory(prefix="bg-seal-") as folder:
        path = Path(folder) / "bundle.zip"
        with path.open("w+b") as target:
            ref = bundles.write(reference, target, upto=upto)
            target.seek(0)
            digest = hashlib.file_digest(target, "sha256").hexdigest()
        return Made(digest, path.stat().st_size, ref.entries, verify.check(path))


def _require_sound(made: Made) -> Made:
    if not made.report.is_intact:
        raise BundleNotSound(findings="; ".join(made.findings.splitlines()))
    return made


@step
def _record(incident: Incident, *, by: Account, made: Made) -> Bundle:
    incident = standing.lock(incident)
    sealed = Bundle.objects.create(
        incident=incident,
        account=by,
        person_id=by.person_id,
        at=clock.now(),
        sha256=made.sha256,
        bytes=made.bytes,
        integrity=made.report.is_intact,
        complete=made.report.is_complete,
        findings=made.findings,
    )
    _log_exported(sealed, by=by, upto=made.upto)
    return sealed


def latest(incident: Incident) -> Bundle | None:
    """The newest bundle; it is the one that counts."""
    return Bundle.objects.filter(incident=incident).order_by("-id").first()


def export(bundle: Bundle, *, by: Account, code: str) -> BinaryIO:
    """The bundle as an open temporary file, at its beginning; whoever gets it closes it. `code` is a fresh one.

    It is written anew from the log, and given out only if every byte is as it was when it was sealed.

    Raises:
        BundleNotSound: the log or a kept file has been changed since.
        DutyMissing, CodeRefused, CodeAlreadyUsed
    """
    upto = _export(bundle, by=by, code=code)
    target = tempfile.TemporaryFile(prefix="bg-export-")  # noqa: SIM115 - the page streams it and closes it
    try:
        with recorded("sealing.export", bundle, by=by):
            bundles.write(bundle.incident.reference, target, upto=upto)
            target.seek(0)
            if hashlib.file_digest(target, "sha256").hexdigest() != bundle.sha256:
                raise BundleNotSound(findings=_("its SHA-256 is no longer {sha256}").format(sha256=bundle.sha256))
    except BaseException:
        target.close()
        raise
    target.seek(0)
    return target


@step(step_up=EXPORT, digest=lambda bundle: bundle.sha256)
def _export(bundle: Bundle, *, by: Account, step_up: StepUp) -> int:
    incident = standing.lock(bundle.incident)
    colleagues.require(by, practice=incident.practice)
    upto = _upto(bundle)
    _log_exported(bundle, by=by, upto=upto)
    return upto


def _upto(bundle: Bundle) -> int:
    """How many entries the bundle holds, from the entry that recorded it."""
    recorded_in = Entry.objects.filter(
        incident=bundle.incident.reference, event=events.BUNDLE_EXPORTED, entry__contains=f'"{bundle.sha256}"'
    )
    return recorded_in.order_by("seq")[0].facts["upto"]


def _log_exported(bundle: Bundle, *, by: Account, upto: int) -> None:
    log.append(
        events.BUNDLE_EXPORTED,
        by=by.username,
        incident=bundle.incident.reference,
        sha256=bundle.sha256,
        bytes=bundle.bytes,
        upto=upto,
        integrity=bundle.integrity,
        complete=bundle.complete,
    )
