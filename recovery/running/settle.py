"""Decides what became of a run whose executor fell silent. Safe at any time, by anybody, also while the executor lives.

By the platform's transaction status only on the same server and timeline, else by the rows themselves, else a human. Never
by guessing: no row evidence counts for less than it proves.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from .. import database, images, platforms
from ..database import Identity, Session
from ..doors import openings
from ..images import Image
from ..language.columns import Table
from ..language.profile import Profile
from ..models import Access, AccessMode, Run, RunState
from ..platform_refusals import PlatformReadOnly, PlatformRefused, WrongPlatform
from ..platforms import Platform
from ..run_refusals import Overtaken
from . import records

SETTLE = "settle"
XID_SPAN = 2**32
OPEN, KEPT, TAKEN_BACK, UNKNOWN = "in progress", "committed", "aborted", "unknown"
STATUS = "SELECT pg_xact_status(%s::text::xid8)"
MADE_FOR_ONE_RUN = frozenset({"password_hash", "salt"})
OUT_OF_RANGE = "22023"  # "in the future": the server has never given out this id


@dataclass(frozen=True)
class Evidence:
    """What the platform says. status: of the transaction, UNKNOWN unless it is the same server on the same timeline.

    is_ours: every written row is the version that the run wrote. is_untouched: every row is the version from before.
    is_same_server: an older version's transaction id means something here; in a copy that was loaded anew it does not.
    bears_mark: a salted hash that only this run has made stands in its row, whoever touched the row since.
    looks_as_before: the rows hold what they held before, in columns where the run writes something else.
    """

    status: str
    is_ours: bool
    is_untouched: bool
    is_same_server: bool = True
    bears_mark: bool = False
    looks_as_before: bool = False


@dataclass(frozen=True)
class Found:
    """The same for one row. is_other: by content alone the row tells before from after."""

    is_ours: bool
    was: bool
    bears_mark: bool
    holds_before: bool
    is_other: bool


def settle(run: Run, *, by: str = "worker") -> Run:
    """Find out and record what became of the run.

    Returns:
        The run, decided or NEEDS_HUMAN; unchanged while its transaction is still open on the platform, and for a paper
        run whose script is out: no transaction of the console's tells of it, so reconciling decides it.

    Raises:
        PlatformRefused: the platform cannot be asked; the run stays as it is.
    """
    run.refresh_from_db()
    if run.state == RunState.INTENT:
        reason = _("The console never sent the COMMIT: the executor had not come so far. It can no longer do so.")
        return _overtaken(run, lambda: records.aborted(run, reason, of=RunState.INTENT, decided_by=SETTLE, by=by))
    if run.mode == AccessMode.PAPER or run.state not in {RunState.PREPARED, RunState.NEEDS_HUMAN}:
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
        tenant = profile.tenant_table
        return records.committed(run, tenant_table=tenant, decided_by=SETTLE, by=by, reason=reason)
    if state == RunState.ABORTED:
        return records.aborted(run, reason, of=run.state, decided_by=SETTLE, by=by)
    if state == RunState.NEEDS_HUMAN and run.state == RunState.PREPARED:
        return records.needs_human(run, reason, of=RunState.PREPARED, by=by)
    return run


def verdict(evidence: Evidence) -> tuple[str, str]:
    """The state that follows from the evidence, and why. PREPARED: nothing can be said yet."""
    if evidence.status == OPEN:
        return RunState.PREPARED, ""
    if evidence.status == KEPT:
        return _when_kept(evidence)
    if evidence.status == TAKEN_BACK:
        return _when_taken_back(evidence)
    return _by_rows(evidence)


def _when_kept(evidence: Evidence) -> tuple[str, str]:
    is_there = evidence.is_ours or evidence.bears_mark
    if not is_there and (evidence.is_untouched or evidence.looks_as_before):
        # The server's files were put back to an older state, say, and its next transactions got the same ids again.
        return RunState.NEEDS_HUMAN, _("The platform calls the transaction committed, but the rows are untouched.")
    return RunState.COMMITTED, _("The platform calls the transaction committed.")


def _when_taken_back(evidence: Evidence) -> tuple[str, str]:
    if evidence.is_ours or evidence.bears_mark:
        return RunState.NEEDS_HUMAN, _("The platform calls the transaction aborted, but the rows are as it wrote them.")
    return RunState.ABORTED, _("The platform calls the transaction aborted.")


def _by_rows(evidence: Evidence) -> tuple[str, str]:
    """The transaction's id may be a stranger's by now: the server's history has changed, or the server has forgotten it."""
    if evidence.is_same_server and evidence.is_ours:
        return RunState.COMMITTED, _(
            "The server's history has changed, but the rows are exactly as the run wrote them."
        )
    if evidence.bears_mark:
        return RunState.COMMITTED, _(
            "The server's history has changed, but the password that only this run has set stands in its row."
        )
    if not evidence.is_same_server:
        return RunState.NEEDS_HUMAN, _(
            "The platform's database lives on another server by now (another system identifier). Rows that were copied "
            "cannot prove whether the change was made before they were copied."
        )
    if evidence.is_untouched:
        return RunState.ABORTED, _("The server's history has changed, and the rows are exactly as they were before.")
    return RunState.NEEDS_HUMAN, _("The rows are neither as they were before nor as the run would have left them.")


def _evidence(run: Run, platform: Platform) -> Evidence:
    profile = platform.profile
    with database.connect(platform.conninfo("reader"), purpose="read", autocommit=True, reading=True) as session:
        asked, status = _status(session, run)
    with database.reading(platform, profile) as session:  # a snapshot taken after the status is known
        _require_same(asked, database.identity(session))
        rows = [_look(session, profile, run, before, after) for before, after in _pairs(run)]
    return Evidence(
        status,
        is_ours=all(row.is_ours for row in rows) and bool(rows),
        is_untouched=all(row.was for row in rows) and bool(rows),
        is_same_server=asked.system_identifier == run.system_identifier,
        bears_mark=any(row.bears_mark for row in rows),
        looks_as_before=all(row.holds_before for row in rows) and any(row.is_other for row in rows),
    )


def _status(session: Session, run: Run) -> tuple[Identity, str]:
    """The transaction's status, if this is the same server on the same timeline; otherwise the id may be a stranger's."""
    identity = database.identity(session)
    if identity.database_name != run.database_name:
        raise WrongPlatform(found=identity.database_name, wanted=run.database_name)
    if identity.is_standby:
        raise PlatformReadOnly
    if (identity.system_identifier, identity.timeline) != (run.system_identifier, run.timeline):
        return identity, UNKNOWN
    try:
        return identity, session.one(STATUS, [run.xid])[0] or UNKNOWN
    except PlatformRefused as refused:
        if refused.facts.get("state") == OUT_OF_RANGE:
            return identity, UNKNOWN
        raise


def _require_same(asked: Identity, looked: Identity) -> None:
    """Status and rows are one server's: a connection with several hosts may lead elsewhere the second time."""
    places = [(one.system_identifier, one.timeline, one.is_standby) for one in (asked, looked)]
    if places[0] != places[1]:
        raise (
            PlatformReadOnly
            if looked.is_standby
            else WrongPlatform(
                found=f"{looked.system_identifier}/{looked.timeline}",
                wanted=f"{asked.system_identifier}/{asked.timeline}",
            )
        )


def _pairs(run: Run) -> list[tuple[Image, Image]]:
    after = {image.place: image for image in images.from_json(run.planned_after)}
    return [(image, after[image.place]) for image in images.from_json(run.before) if image.place in after]


def _look(session: Session, profile: Profile, run: Run, before: Image, after: Image) -> Found:
    """What this row says: by content, and by the transaction that wrote the version which is there now."""
    table = next(table for table in profile.tables if str(table) == before.table)
    now = images.by_key(session, profile, run.kind, table, before.key)
    own = str(int(run.xid) % XID_SPAN)
    was, will, found = (image.without(profile.tables[table].volatile) for image in (before, after, now))
    return Found(
        is_ours=found == will and (found is None or now.xmin == own),
        was=now.columns == before.columns and (found is None or now.xmin == before.xmin),
        bears_mark=any(
            found is not None and found.get(name) == (will or {}).get(name) != (was or {}).get(name)
            for name in _marked(profile, run.kind, table)
        ),
        holds_before=found == was,
        is_other=was != will,
    )


def _marked(profile: Profile, kind: str, table: Table) -> set[str]:
    """The secret columns that this kind of run fills from a value which was made for this run alone."""
    assigned = (one.parsed.assigned for one in profile.outcomes[kind].statements if one.table == table)
    own = {name for columns in assigned for name, value in columns.items() if value.parameters & MADE_FOR_ONE_RUN}
    return own & profile.tables[table].secret


def _end_sessions(run: Run, *, by: str) -> None:
    """The transaction is still open: end it by closing the run's own access, the only right that the console has for it."""
    for row in Access.objects.filter(run=run, proven_at=None):
        openings.close(row, by=by)
