"""Collects the evidence of an incident and seals it. Every file is named by a log entry before the bundle is written.

Evidence is added, never replaced; contents are blobs under their SHA-256.
"""

import json
from collections.abc import Collection
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from audit import blobs, clock, events, log, log_lines
from audit.bundle import safe_name
from breakglass.people.models import Account
from breakglass.procedure import colleagues, machine_evidence, sealing, standing, texts
from breakglass.procedure.change_refusals import (
    EvidenceEmpty,
    EvidenceKindUnknown,
    EvidenceNameTaken,
    NoLinesOfTheWindow,
)
from breakglass.procedure.machine_evidence import Piece
from breakglass.procedure.models import EvidenceItem, Incident, Participant, Window
from breakglass.procedure.refusals import WindowClosed
from breakglass.procedure.states import State
from breakglass.procedure.steps import recorded, step, username
from recovery import audit_rows, platforms

Kind = EvidenceItem.Kind
OPEN_FOR_EVIDENCE = (State.EXECUTED, State.PROVEN, State.REVOKED, State.SEALED)
UPLOADED = frozenset({Kind.PLATFORM_AUDIT, Kind.BACKEND_LOG, Kind.OTHER})
MARGIN = timedelta(minutes=5)
seal = sealing.seal
export = sealing.export


def period(incident: Incident) -> tuple[datetime, datetime]:
    """The time to which logs are cut: from five minutes before the first window until now. Raises WindowClosed."""
    first = Window.objects.filter(incident=incident).order_by("during").first()
    if first is None:
        raise WindowClosed
    return first.during.lower - MARGIN, clock.now()


def collect(incident: Incident, *, by: Account) -> list[EvidenceItem]:
    """Add everything that the console itself can testify, then the platform's own audit log if its profile says how.

    Asking again adds what is new.

    Raises:
        NotNow. PlatformRefused: the audit log could not be read; the console's own evidence is kept nevertheless.
    """
    _add(incident, by=by, pieces=machine_evidence.of(incident))
    place = platforms.get(incident.platform)
    if audit_rows.has_query(place):
        with recorded("evidence.collect", incident, by=by):
            since, until = period(incident)
            data = audit_rows.lines(place, since=since, until=until)
        name = f"platform_audit/{place.name}-{until:%Y%m%dT%H%M%S}.jsonl"
        source = _("read by the console, {since} to {until}").format(since=since.isoformat(), until=until.isoformat())
        _add(incident, by=by, pieces=[Piece(Kind.PLATFORM_AUDIT, name, data, source)])
    return items(incident)


def items(incident: Incident) -> list[EvidenceItem]:
    return list(incident.evidence_items.select_related("account"))


def upload(
    incident: Incident, *, by: Account, kind: str, name: str, data: bytes, request_ids: Collection[str] = ()
) -> EvidenceItem:
    """Add a file. Backend log lines are cut to the time of the incident and, if given, to these request ids.

    Args:
        kind: platform_audit, backend_log or other. name: as the file was called; it is made safe. data: at most 64 MiB.

    Raises:
        EvidenceKindUnknown, EvidenceEmpty, EvidenceNameTaken, NoLinesOfTheWindow, NotNow, BlobTooLarge
    """
    with recorded("evidence.upload", incident, by=by):
        texts.check(kind=kind)
        piece = _uploaded(incident, kind, safe_name(name), data, [number for number in request_ids if number])
    return _add(incident, by=by, pieces=[piece], joins=True)[0]


def _uploaded(incident: Incident, kind: str, name: str, data: bytes, request_ids: list[str]) -> Piece:
    if kind not in UPLOADED:
        raise EvidenceKindUnknown
    if not data:
        raise EvidenceEmpty
    if kind == Kind.BACKEND_LOG:
        return _cut(incident, name, data, request_ids)
    return Piece(kind, f"{kind}/{name}", data, _("uploaded as {name}").format(name=name))


def _cut(incident: Incident, name: str, data: bytes, request_ids: list[str]) -> Piece:
    start, end = period(incident)
    cut = log_lines.Cut([data], start=start, end=end, request_ids=request_ids)
    kept = b"".join(cut.jsonl())
    if not kept:
        raise NoLinesOfTheWindow(start=start.isoformat(timespec="seconds"), end=end.isoformat(timespec="seconds"))
    source = _("{kept} of {seen} lines of {name}, SHA-256 {sha256}").format(
        kept=cut.kept, seen=cut.seen, name=name, sha256=cut.sha256
    )
    return Piece(Kind.BACKEND_LOG, f"backend_log/{name.removesuffix('.jsonl')}.jsonl", kept, source)


def state_absence(incident: Incident, *, by: Account, kind: str, reason: str) -> EvidenceItem:
    """Write down why a kind of evidence does not exist, in a file of that kind; an auditor reads the reason.

    Raises:
        EvidenceKindUnknown, TextMissing, NotNow
    """
    with recorded("evidence.state_absence", incident, by=by):
        texts.check(kind=kind, reason=reason)
        texts.require(reason=reason)
        if kind not in {Kind.PLATFORM_AUDIT, Kind.BACKEND_LOG}:
            raise EvidenceKindUnknown
        said = {"absent": kind, "reason": reason.strip(), "said_by": by.username}
    data = json.dumps(said, ensure_ascii=False, indent=1, sort_keys=True).encode()
    piece = Piece(kind, f"{kind}/absent.json", data, _("stated by a person"))
    return _add(incident, by=by, pieces=[piece], joins=True)[0]


@step
def _add(incident: Incident, *, by: Account, pieces: list[Piece], joins: bool = False) -> list[EvidenceItem]:
    """Keep the pieces; one entry names them all. A piece that is there already, with the same content, is left alone."""
    incident = standing.lock(incident)
    standing.require_state(incident, *OPEN_FOR_EVIDENCE)
    colleagues.require(by, practice=incident.practice)
    if joins:
        colleagues.take_part(incident, by=by, part=Participant.Part.TOOK_OVER)
    now = clock.now()
    return keep(incident, pieces, by=by, at=now)


def keep(incident: Incident, pieces: list[Piece], *, by: Account | str, at: datetime) -> list[EvidenceItem]:
    """Inside a step, on a locked incident: keep the pieces and name those that are new in one entry.

    Raises:
        EvidenceNameTaken: a file of that name, with another content, is among the evidence.
    """
    account = None if isinstance(by, str) else by
    kept = [_keep(incident, piece, by=account, at=at) for piece in pieces]
    new = [item for item, is_new in kept if is_new]
    if new:
        named = [{"file": i.name, "bytes": i.bytes, "sha256": i.sha256, "kind": i.kind} for i in new]
        log.append(events.EVIDENCE_ADDED, by=username(by), incident=incident.reference, evidence=named)
    return [item for item, _is_new in kept]


def _keep(incident: Incident, piece: Piece, *, by: Account | None, at: datetime) -> tuple[EvidenceItem, bool]:
    ref = blobs.keep(piece.data, media_type=piece.media_type, name=piece.name)
    known = EvidenceItem.objects.filter(incident=incident, name=piece.name).first()
    if known is not None and known.sha256 == ref.sha256:
        return known, False
    if known is not None:
        raise EvidenceNameTaken(name=piece.name)
    item = EvidenceItem.objects.create(
        incident=incident,
        kind=piece.kind,
        name=piece.name,
        sha256=ref.sha256,
        bytes=ref.size,
        source=str(piece.source)[:255],
        account=by,
        at=at,
    )
    return item, True
