"""Decides what became of a run whose executor fell silent. Safe at any time, by anybody, also while the executor lives.

By the platform's transaction status only on the same server and timeline, else by the rows themselves, else a human. Never
by guessing. See reference/security.md, section 3.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from . import database, images, openings, platforms, records
from .database import Session
from .images import Image
from .models import Access, Run, RunState
from .platform_refusals import PlatformReadOnly, PlatformRefused, WrongPlatform
from .platforms import Platform
from .profile import Profile
from .run_refusals import Overtaken

SETTLE = "settle"
XID_SPAN = 2**32
OPEN, KEPT, TAKEN_BACK, UNKNOWN = "in progress", "committed", "aborted", "unknown"
STATUS = "SELECT pg_xact_status(%s::text::xid8)"
OUT_OF_RANGE = "22023"  # "in the future": the server has never given out this id


@dataclass(frozen=True)
class Evidence:
    """What the platform says. status: of the transaction, UNKNOWN unless it is the same server on the same timeline.

    is_ours: every written row is as the run left it. is_untouched: every row is as it was before.
    """

    status: str
    is_ours: bool
    is_untouched: bool


def settle(run: Run, *, by: str = "worker") -> Run:
    """Find out and record what became of the run.

    Returns:
        The run, decided or NEEDS_HUMAN; unchanged while its transaction is still open on the platform.

    Raises:
        PlatformRefused: the platform cannot be asked; the run stays as it is.
    """
    run.refresh_from_db()
    if run.state == RunState.INTENT:
        reason = _("The console never sent the COMMIT: the executor had not come so far. It can no longer do so.")
        return _overtaken(run, lambda: records.aborted(run, reason, of=RunState.INTENT, decided_by=SETTLE, by=by))
    if run.state not in {RunState.PREPARED, RunState.NEEDS_HUMAN}:
        return run
    platform = platforms.get(run.platform)
    evidence = _evidence(run, platform)
    if evidence.status == OPEN:
        _end_sessions(run, by=by)
        evidence = _evidence(run, platform)
    return _overtaken(run, lambda: _decide(run, platform.profile, evidence, by=by))


def _overtaken(run: Run, decide: Callable[[], Run]) -> Run:
    """Whoever decides first is right, and both have looked at the same facts."""
    try:
        return decide()
    except Overtaken:
        run.refresh_from_db()
        return run


def _decide(run: Run, profile: Profile, evidence: Evidence, *, by: str) -> Run:
    state, reason = verdict(evidence)
    if state == RunState.COMMITTED:
        tenant = str(profile.tenant.table)
        return records.committed(run, tenant_table=tenant, decided_by=SETTLE, by=by, reason=reason)
    if state == RunState.ABORTED:
        return records.aborted(run, reason, of=run.state, decided_by=SETTLE, by=by)
    if state == RunState.NEEDS_HUMAN and run.state == RunState.PREPARED:
        return records.needs_human(run, reason, of=RunState.PREPARED, by=by)
    return run


def verdict(evidence: Evidence) -> tuple[str, str]:
    """The state that follows from the evidence, and why. PREPARED: nothing can be said yet."""
    status, ours, untouched = evidence.status, evidence.is_ours, evidence.is_untouched
    if status == OPEN:
        return RunState.PREPARED, ""
    if status == KEPT and untouched and not ours:
        return RunState.NEEDS_HUMAN, _("The platform calls the transaction committed, but the rows are untouched.")
    if status == KEPT:
        return RunState.COMMITTED, _("The platform calls the transaction committed.")
    if status == TAKEN_BACK and ours:
        return RunState.NEEDS_HUMAN, _("The platform calls the transaction aborted, but the rows are as it wrote them.")
    if status == TAKEN_BACK:
        return RunState.ABORTED, _("The platform calls the transaction aborted.")
    if ours:
        return RunState.COMMITTED, _(
            "The server's history has changed, but the rows are exactly as the run wrote them."
        )
    if untouched:
        return RunState.ABORTED, _("The server's history has changed, and the rows are exactly as they were before.")
    return RunState.NEEDS_HUMAN, _("The rows are neither as they were before nor as the run would have left them.")


def _evidence(run: Run, platform: Platform) -> Evidence:
    profile = platform.profile
    with database.connect(platform.conninfo("reader"), purpose="read", autocommit=True, reading=True) as session:
        status = _status(session, run)
    with database.reading(platform, profile) as session:  # a snapshot taken after the status is known
        rows = [_look(session, profile, run, before, after) for before, after in _pairs(run)]
    return Evidence(
        status,
        is_ours=all(ours for ours, _was in rows) and bool(rows),
        is_untouched=all(was for _ours, was in rows),
    )


def _status(session: Session, run: Run) -> str:
    """The transaction's status, if this is the same server on the same timeline; otherwise the id may be a stranger's."""
    identity = database.identity(session)
    if identity.database_name != run.database_name:
        raise WrongPlatform(found=identity.database_name, wanted=run.database_name)
    if identity.is_standby:
        raise PlatformReadOnly
    if (identity.system_identifier, identity.timeline) != (run.system_identifier, run.timeline):
        return UNKNOWN
    try:
        return session.one(STATUS, [run.xid])[0] or UNKNOWN
    except PlatformRefused as refused:
        if refused.facts.get("state") == OUT_OF_RANGE:
            return UNKNOWN
        raise


def _pairs(run: Run) -> list[tuple[Image, Image]]:
    after = {image.place: image for image in images.from_json(run.planned_after)}
    return [(image, after[image.place]) for image in images.from_json(run.before) if image.place in after]


def _look(session: Session, profile: Profile, run: Run, before: Image, after: Image) -> tuple[bool, bool]:
    """Whether this row is as the run left it, and whether it is as it was: by content and by the version's transaction."""
    table = next(table for table in profile.tables if str(table) == before.table)
    now = images.by_key(session, profile, run.kind, table, before.key)
    own = str(int(run.xid) % XID_SPAN)
    volatile = profile.tables[table].volatile
    is_ours = now.without(volatile) == after.without(volatile) and (now.columns is None or now.xmin == own)
    was = now.columns == before.columns and (now.columns is None or now.xmin == before.xmin)
    return is_ours, was


def _end_sessions(run: Run, *, by: str) -> None:
    """The transaction is still open: end it by closing the run's own access, the only right that the console has for it."""
    for row in Access.objects.filter(run=run, proven_at=None):
        openings.close(row, by=by)
