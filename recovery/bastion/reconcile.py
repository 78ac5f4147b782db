"""Finds out what became of a script on paper: the console reads the rows itself, and believes no receipt that they deny.

By the receipt's transaction and the rows; without a receipt by a password hash that only this script held. Never by guessing.
"""

from django.utils.translation import gettext as _

from .. import database, images, platforms
from ..models import AccessMode, Run, RunState
from ..platforms import Platform
from ..running import records
from ..running.settle import KEPT, OPEN, TAKEN_BACK
from . import paper, paper_evidence
from .paper_evidence import Evidence
from .receipts import Receipt

WAITING = (RunState.PREPARED, RunState.NEEDS_HUMAN)


def look(run: Run, *, by: str = "worker", receipt: Receipt | None = None) -> Run:
    """Look at the platform and record what became of the run.

    Args:
        receipt: what psql printed, if somebody brought it; see receipts.read.

    Returns:
        The run: decided, NEEDS_HUMAN with a sentence, or as it was while the script may still be run.

    Raises:
        PlatformRefused, ConnectionMissing, SecretFileOpen: the platform cannot be asked; the run stays as it is.
    """
    run.refresh_from_db()
    if run.mode != AccessMode.PAPER or run.state not in WAITING:
        return run
    platform = platforms.get(run.platform)
    evidence = paper_evidence.gather(run, platform, receipt)
    state, reason = verdict(evidence)
    decided = _record(run, platform, evidence, state=state, reason=reason, by=by)
    if decided.is_decided:
        paper.wipe(decided.paper, by=by)
    return decided


def verdict(found: Evidence) -> tuple[str, str]:
    """The state that follows, and why. PREPARED: nothing can be said yet."""
    if found.has_receipt and not found.is_as_planned:
        return RunState.NEEDS_HUMAN, _("The receipt tells of other rows or values than the plan.")
    if found.status == OPEN:
        return RunState.PREPARED, ""
    if found.has_receipt:
        return _with_receipt(found)
    return _by_rows(found)


def _with_receipt(found: Evidence) -> tuple[str, str]:
    if found.status == KEPT and (found.is_ours or found.bears_mark):
        return RunState.COMMITTED, _("The platform calls the receipt's transaction committed, and the rows show it.")
    if found.status == KEPT:
        return RunState.NEEDS_HUMAN, _(
            "The platform calls the receipt's transaction committed, but the rows are not as the receipt says."
        )
    if found.status == TAKEN_BACK and (found.is_ours or found.bears_mark):
        return RunState.NEEDS_HUMAN, _(
            "The platform calls the receipt's transaction aborted, but the rows are as the receipt says."
        )
    if found.status != TAKEN_BACK and found.is_own_version:
        return RunState.COMMITTED, _("The rows are exactly the versions that the receipt's transaction wrote.")
    return _by_rows(found)


def _by_rows(found: Evidence) -> tuple[str, str]:
    if found.bears_mark and found.holds_plan:
        return RunState.COMMITTED, _("The password hash that only this script held stands in its row, as planned.")
    if not found.is_over:
        return RunState.PREPARED, ""
    if found.is_untouched:
        return RunState.ABORTED, _(
            "The script's time is over by the platform's clock, and the rows are as they were before."
        )
    if found.holds_plan:
        return RunState.NEEDS_HUMAN, _(
            "The rows are as planned, but nothing shows that this script wrote them. Bring the receipt, or let a person decide."
        )
    return RunState.NEEDS_HUMAN, _("The rows are neither as they were before nor as planned.")


def _record(run: Run, platform: Platform, found: Evidence, *, state: str, reason: str, by: str) -> Run:
    if state == RunState.COMMITTED:
        told = {"before": images.to_json(found.before), "planned_after": images.to_json(found.after)}
        told |= found.transaction
        facts = {name: getattr(run, name) or value for name, value in told.items()}  # what is recorded stays
        table = platform.profile.tenant_table
        return records.reconciled(run, facts=facts, tenant_table=table, by=by, reason=reason)
    if state == RunState.ABORTED:
        return records.aborted(run, reason, of=run.state, decided_by=paper_evidence.SETTLE, by=by)
    if state == RunState.NEEDS_HUMAN and run.state == RunState.PREPARED:
        return records.needs_human(run, reason, of=RunState.PREPARED, by=by)
    return run


def give_up(run: Run, *, by: str, receipt: Receipt | None) -> Run:
    """The platform cannot be asked at all: from now on a person decides, and it is known as his word for ever.

    receipt: what somebody brought; its rows are kept as told, since nothing confirms them.
    """
    reason = _("The console cannot reach the platform's database, so a person has to say what became of the script.")
    if receipt is not None:
        reason += " " + _("A receipt was brought, but nothing confirms it.")
        _keep(run, receipt.before, receipt.after)
    return records.needs_human(run, reason, of=RunState.PREPARED, by=by)


def tell_rows(run: Run) -> None:
    """Before a person's word decides: the rows as the plan has them, where no receipt told of them."""
    if not run.before:
        _keep(run, *paper_evidence.of_plan(run))


def _keep(run: Run, before: tuple[images.Image, ...], after: tuple[images.Image, ...]) -> None:
    run.before, run.planned_after = images.to_json(before), images.to_json(after)
    Run.objects.filter(pk=run.pk, before="").update(before=run.before, planned_after=run.planned_after)


def is_reachable(run: Run) -> bool:
    """Whether the platform answers the console now."""
    platform = platforms.get(run.platform)
    try:
        with database.reading(platform, platform.profile) as session:
            database.identity(session)
    except paper.AWAY:
        return False
    return True
