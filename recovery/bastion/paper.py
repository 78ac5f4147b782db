"""Makes the script of a run on paper and keeps it sealed until the run is decided. The console itself changes nothing."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from audit import canonical, clock, events, log
from audit.refusals import Refused

from .. import database, images
from ..answers import MARK
from ..hashing import passwords
from ..language import derived
from ..language.columns import Table
from ..models import PaperScript, Run, RunState
from ..planning.documents import PlannedRow
from ..planning.parameters import Values
from ..platform_refusals import ConnectionLost, PlatformLoginRefused, PlatformUnreachable
from ..refusals import ConnectionMissing, SecretFileOpen
from ..run_refusals import Overtaken, RowChanged, SealBroken
from ..running import records, runs, seals
from ..running.changes import Job
from . import paper_script, receipts
from .paper_refusals import ScriptGone, ScriptOver
from .paper_rows import Sheet, Stamps

LIFETIME = timedelta(minutes=15)  # nobody can call a paper back, so it lives for less than a window may
AWAY = (ConnectionMissing, SecretFileOpen, PlatformUnreachable, PlatformLoginRefused, ConnectionLost)


def make(run: Run, *, values: Values) -> Run:
    """Write the script of a claimed run and put on record that it is out.

    Returns:
        The run: PREPARED, unknown until reconcile finds out; or ABORTED, its reason says why no script was made.
    """
    try:
        _make(run, runs.job_of(run, values))
    except Refused as refused:
        run.refresh_from_db()
        if isinstance(refused, Overtaken):
            return run
        if run.state != RunState.INTENT:
            raise
        told = {"decided_by": runs.EXECUTOR, "by": run.operator, "refusal": refused.code}
        return records.aborted(run, refused.sentence, of=RunState.INTENT, **told)
    return run


def _make(run: Run, job: Job) -> None:
    until = min(run.window_end, clock.now() + LIFETIME).replace(microsecond=0)
    stamps = _stamps(job)
    sheet = Sheet(job, until, stamps or {}, receipts.proof_of(run))
    text = paper_script.write(sheet).encode()
    marks = {name: images.fingerprint(passwords.stamp(value)) for name, value in job.values.secret.items()}

    def keep(now: datetime) -> dict[str, Any]:
        nonce, sealed = seals.closed(run, text, context=_context(run))
        made = {"until": until, "sha256": sha256(text).hexdigest(), "fingerprints": canonical.line(marks)}
        PaperScript.objects.create(run=run, nonce=nonce, sealed=sealed, made_at=now, **made)
        told = {"until": until.isoformat(), "script_sha256": made["sha256"]}
        return told | {"secrets_compared": stamps is not None}

    statements = ",".join(canonical.line(sent) for sent in paper_script.sent(sheet, hidden=MARK))
    records.script_out(run, facts={"statements": f"[{statements}]"}, keep=keep)


def text_of(script: PaperScript, *, at: datetime) -> str:
    """The script in clear, for the one who may see it. at: the guarded clock. Raises ScriptOver, ScriptGone."""
    if script.wiped_at is not None:
        raise ScriptGone(why=_("it was wiped when the run was decided"))
    if at >= script.until:
        raise ScriptOver
    try:
        clear = seals.opened(script.run, bytes(script.nonce), bytes(script.sealed), context=_context(script.run))
    except SealBroken as broken:
        raise ScriptGone(why=broken.facts["why"]) from broken
    return clear.decode()


def wipe_decided(*, by: str = "worker") -> int:
    """Destroy the sealed text of every script whose run is decided. Gives how many."""
    decided = PaperScript.objects.select_related("run").filter(wiped_at=None)
    return sum(wipe(script, by=by) for script in decided.exclude(run__state__in=_undecided()))


def wipe(script: PaperScript, *, by: str) -> bool:
    """Destroy one script's text; the seal's key goes when the incident is closed."""
    with transaction.atomic():
        now = clock.now()
        gone = {"nonce": b"", "sealed": b"", "wiped_at": now}
        if not PaperScript.objects.filter(pk=script.pk, wiped_at=None).update(**gone):
            return False
        log.append(events.PAPER_WIPED, by=by, incident=script.run.incident, run=str(script.run_id))
    return True


def _undecided() -> Iterable[str]:
    return [state for state in RunState.values if state not in {RunState.COMMITTED, RunState.ABORTED}]


def _stamps(job: Job) -> Stamps | None:
    """The stamps of the planned rows' secrets as they are now, still those of the plan. None: the platform is out of reach.

    The plan holds them as keyed fingerprints only, which no platform could compare. Raises RowChanged.
    """
    rows = [row for row in job.document.rows if row.compared and row.secret]
    if not rows:
        return {}
    try:
        with database.reading(job.platform, job.profile) as session:
            return {row.image.place: _stamps_of(session, job, row) for row in rows}
    except AWAY:
        return None


def _stamps_of(session: database.Session, job: Job, row: PlannedRow) -> dict[str, str | None]:
    table = _table(job, row)
    names = [name for name in row.secret if name in (row.image.columns or {})]
    key = {name: row.image.key[name] for name in job.profile.tables[table].key}
    text = derived.image_by_key(table, names, key=key, secret=names, stamped=True)
    found = session.execute(text, {f"key_{number}": value for number, value in enumerate(key.values())}).fetchone()
    stamps = json.loads(found[0]) if found else {}
    changed = [name for name in names if images.fingerprint(stamps.get(name)) != (row.image.columns or {})[name]]
    if changed or not found:
        raise RowChanged(row=f"{table} {row.image.label or row.image.row_key}", what=", ".join(changed or names))
    return stamps


def _table(job: Job, row: PlannedRow) -> Table:
    return next(table for table in job.profile.tables if str(table) == row.image.table)


def _context(run: Run) -> bytes:
    return canonical.line({"paper": str(run.pk)}).encode()
