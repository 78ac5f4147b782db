"""Writes and reads the append-only log. No entry, no action: it is the last statement of its transaction."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from django.db import connection, transaction

from audit import canonical, events
from audit.faults import as_refusals
from audit.models import CHAIN_KEYS, Entry
from audit.refusals import EntryTooLarge

LARGEST_LINE = 64 * 1024


def append(event: str, *, by: str, incident: str = "", **facts: Any) -> Entry:
    """Append one entry inside the caller's transaction, as its last statement.

    Args:
        event: a constant of audit.events.
        by: an account's username, or "keeper", "worker", "handover".
        incident: the incident's reference; "" puts the entry into the console's own chain.
        facts: what a JSON line can say; never a secret, large contents as evidence=[{"file", "bytes", "sha256"}].

    Raises:
        TransactionManagementError, ValueError, TypeError: a fault of the caller.
        EntryTooLarge: the line is longer than 64 KiB.
        LogBusy, LogOutOfOrder: see audit.refusals.
    """
    _require_sound_call(event, by, incident, facts)
    with as_refusals(), connection.cursor() as cursor:
        cursor.execute("SELECT at, n, prev FROM audit.lock(%s)", [incident])
        at, n, prev = cursor.fetchone()
        place = {"v": 1, "event": event, "by": by, "at": at, "incident": incident, "n": n, "prev": prev}
        line = canonical.line({**facts, **place})
        _require_short(line)
        cursor.execute("SELECT audit.append(%s)", [line])
        return Entry(seq=cursor.fetchone()[0], entry=line, incident=incident, event=event, by=by)


def _require_sound_call(event: str, by: str, incident: str, facts: dict[str, Any]) -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("an entry belongs to the transaction of what it tells")
    if event not in events.ALL:
        raise ValueError(f"{event!r} is not in audit.events")
    if not isinstance(by, str) or not by or not isinstance(incident, str):
        raise TypeError("by and incident are text; by is never empty")
    if taken := facts.keys() & set(CHAIN_KEYS):
        raise ValueError(f"{sorted(taken)} are keys of the chain, not facts")


def _require_short(line: str) -> None:
    size = len(line.encode())
    if size > LARGEST_LINE:
        raise EntryTooLarge(size=size, limit=LARGEST_LINE)


def lines(incident: str) -> list[str]:
    """The incident's lines in order, exactly as they were hashed."""
    return list(Entry.objects.filter(incident=incident).order_by("seq").values_list("entry", flat=True))


@dataclass
class ChainCheck:
    """What a full reading found. Faults are sentences; none means that numbers and chains are unbroken."""

    entries: int = 0
    incidents: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def is_unbroken(self) -> bool:
        return not self.faults


def verify_chain() -> ChainCheck:
    """Read the whole log again: numbers from 0 without a gap, and each incident's n and prev from its first line."""
    check = ChainCheck()
    tips: dict[str, tuple[int, str]] = {}
    for seq, line in Entry.objects.order_by("seq").values_list("seq", "entry").iterator(chunk_size=5000):
        if seq != check.entries:
            check.faults.append(f"Entry {check.entries} is missing: entry {seq} follows.")
            check.entries = seq
        check.entries += 1
        if fault := _follow(seq, line, tips):
            check.faults.append(fault)
    check.incidents = len(tips.keys() - {""})
    return check


def _follow(seq: int, line: str, tips: dict[str, tuple[int, str]]) -> str:
    """The fault of a line against the tip of its chain ("" when it follows); the line becomes the new tip."""
    said = json.loads(line)
    incident = said["incident"]
    n, prev = tips.get(incident, (0, ""))
    tips[incident] = (said["n"], sha256(line.encode()).hexdigest())
    if (said["n"], said["prev"]) == (n + 1, prev):
        return ""
    return f"Entry {seq} does not follow line {n} of {incident or 'the console'}."
