"""The states of a run as the console records them: each move in one short transaction, with its entry in the log.

A move counts only from the state that it expects; whoever comes second is told, and changes nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import DatabaseError, transaction

from audit import clock, events, log
from audit.faults import as_refusals
from audit.refusals import Refused

from .. import images
from ..models import DecidedBy, Run, RunState
from ..points import passed
from ..run_refusals import ApprovalGone, Overtaken, WindowOver
from . import seals

LONGEST_TOLD = 2_000
BY_STATE = {"BG003": ApprovalGone, "BG005": WindowOver}


@contextmanager
def _moving(run: Run, *states: str) -> Iterator[datetime]:
    """Lock the run, then the clock. Raises Overtaken when the run is no longer in one of these states."""
    with as_refusals(), _rules_as_refusals(), transaction.atomic():
        found = Run.objects.select_for_update().get(pk=run.pk)
        if found.state not in states or found.fence != run.fence:
            raise Overtaken
        yield clock.now()


@contextmanager
def _rules_as_refusals() -> Iterator[None]:
    """The last look of the console's own trigger before a change is kept: window still open, approvals still there."""
    try:
        yield
    except DatabaseError as error:
        kind = BY_STATE.get(getattr(error.__cause__, "sqlstate", None) or "")
        if kind is None:
            raise
        raise kind from error


def rehearsed(run: Run, *, counts: dict[str, int]) -> None:
    with _moving(run, RunState.INTENT) as now:
        Run.objects.filter(pk=run.pk).update(rehearsed_at=now)
        log.append(events.RUN_REHEARSED, by=run.operator, **_facts(run), rows=counts)


def clocks_apart(run: Run, skew: timedelta) -> None:
    """The platform's clock minus the console's, for whoever compares the times of both later."""
    with transaction.atomic():
        log.append(events.CLOCK_APART, by=run.operator, **_facts(run), seconds=f"{skew.total_seconds():.1f}")


def prepared(run: Run, *, facts: dict[str, Any], before: list[images.Image], to_seal: list[images.Image]) -> None:
    """Everything that is needed to find out later what became of the change, durable before the platform may keep it.

    Raises WindowOver, ApprovalGone, Overtaken: the platform's transaction must be rolled back.
    """
    with _moving(run, RunState.INTENT) as now:
        told = {"state": RunState.PREPARED, "prepared_at": now, "before": images.to_json(before), **facts}
        Run.objects.filter(pk=run.pk).update(**told)
        seals.seal(run, to_seal)
        log.append(
            events.RUN_PREPARED,
            by=run.operator,
            **_facts(run),
            transaction=facts["xid"],
            timeline=facts["timeline"],
            **_digests(told),
        )
        passed("before_prepared_commit")
    run.refresh_from_db()


def script_out(run: Run, *, facts: dict[str, Any], keep: Callable[[datetime], dict[str, Any]]) -> None:
    """A run on paper: its script may be carried out from now on, and what became of it is unknown until somebody asks.

    keep: stores the script inside the same transaction and says what the log tells of it.

    Raises WindowOver, ApprovalGone, Overtaken: the script must not be given out.
    """
    with _moving(run, RunState.INTENT) as now:
        Run.objects.filter(pk=run.pk).update(state=RunState.PREPARED, prepared_at=now, **facts)
        told = keep(now)
        log.append(events.PAPER_MADE, by=run.operator, **_facts(run), **_digests(facts), **told)
    run.refresh_from_db()


def reconciled(run: Run, *, facts: dict[str, Any], tenant_table: str, by: str, reason: str) -> Run:
    """The platform keeps what the script did: what the rows and the receipt say of it reaches the run and the history.

    facts: before and planned_after (images as JSON), and xid and timeline where a receipt told them.
    """
    states = (RunState.PREPARED, RunState.NEEDS_HUMAN)
    with _moving(run, *states) as now:
        decision = {"state": RunState.COMMITTED, "decided_at": now, "decided_by": DecidedBy.SETTLE, "reason": reason}
        run.before, run.after = facts["before"], facts["planned_after"]
        Run.objects.filter(pk=run.pk).update(after=run.after, **facts, **decision)
        images.record_both(run, tenant_table=tenant_table, at=now)
        told = {"decided_by": DecidedBy.SETTLE, "reason": reason}
        log.append(events.RUN_COMMITTED, by=by, **_facts(run), **told, **_digests(vars(run)))
    run.refresh_from_db()
    return run


def committed(run: Run, *, tenant_table: str, decided_by: str, by: str, reason: str = "") -> Run:
    """The platform has kept the change: the rows' images reach the history, before and after."""
    with _moving(run, RunState.PREPARED, RunState.NEEDS_HUMAN) as now:
        decision = {"state": RunState.COMMITTED, "decided_at": now, "decided_by": decided_by, "reason": reason}
        run.after = run.planned_after
        Run.objects.filter(pk=run.pk).update(after=run.after, **decision)
        images.record_both(run, tenant_table=tenant_table, at=now)
        log.append(
            events.RUN_COMMITTED, by=by, **_facts(run), decided_by=decided_by, reason=reason, **_digests(vars(run))
        )
        passed("before_committed_commit")
    run.refresh_from_db()
    return run


def aborted(run: Run, reason: str, *, of: str, decided_by: str, by: str, refusal: str = "") -> Run:
    """The platform has kept nothing. Only from the state that the caller knows to be the true one."""
    with _moving(run, of) as now:
        told = reason[:LONGEST_TOLD]
        decision = {"state": RunState.ABORTED, "decided_at": now, "decided_by": decided_by, "reason": told}
        Run.objects.filter(pk=run.pk).update(**decision)
        log.append(events.RUN_ABORTED, by=by, **_facts(run), decided_by=decided_by, reason=told, refusal=refusal)
    run.refresh_from_db()
    return run


def needs_human(run: Run, reason: str, *, of: str, by: str) -> Run:
    with _moving(run, of):
        Run.objects.filter(pk=run.pk).update(state=RunState.NEEDS_HUMAN, reason=reason[:LONGEST_TOLD])
        log.append(events.RUN_NEEDS_HUMAN, by=by, **_facts(run), reason=reason[:LONGEST_TOLD])
    run.refresh_from_db()
    return run


def unknown(run: Run, refusal: Refused) -> Run:
    """No answer came to the COMMIT: the run stays as it is and says so; settle finds out."""
    with _moving(run, RunState.PREPARED):
        Run.objects.filter(pk=run.pk).update(reason=refusal.sentence[:LONGEST_TOLD])
    run.refresh_from_db()
    return run


def _facts(run: Run) -> dict[str, str]:
    return {
        "incident": run.incident,
        "run": str(run.pk),
        "kind": run.kind,
        "digest": run.plan_digest,
        "platform": run.platform,
        "database": f"{run.system_identifier}/{run.database_name}",
    }


def _digests(told: dict[str, Any]) -> dict[str, str]:
    """The rows and statements stand in the run; the log holds them fast by their SHA-256."""
    texts = {name: told.get(name) or "" for name in ("before", "planned_after", "after", "statements")}
    return {f"{name}_sha256": sha256(text.encode()).hexdigest() for name, text in texts.items() if text}
