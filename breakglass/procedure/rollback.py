"""Takes a change back: "disable now" at any time without approvals, and only what this incident changed; a restore with a plan."""

from audit import clock
from breakglass.people.models import Account
from breakglass.people.step_up import DISABLE, StepUp
from breakglass.procedure import accesses, colleagues, execution, planning, policy, standing, texts, windows
from breakglass.procedure.change_refusals import AlreadyDisabled, NothingToUndo
from breakglass.procedure.models import Execution, Incident, Participant, Plan
from breakglass.procedure.steps import recorded, step
from recovery.models import AccessMode, Run, RunKind, RunState
from recovery.planning import rollback
from recovery.planning.documents import PlanDocument
from recovery.running import runs


def disable_now(incident: Incident, *, by: Account, code: str, reason: str) -> Run:
    """Disable the account that this incident created, reset or enabled. `code` is a fresh one; five minutes, no approvals.

    Args:
        reason: what was wrong. It opens the incident report that is kept as evidence once the account is disabled.

    Raises:
        NothingToUndo: this incident has changed nothing. IncidentFinal: open a new incident that follows this one.
        AlreadyDisabled: it was done before; once is enough. TextMissing: the reason is empty.
        WindowTaken, RunUnderWay, DutyMissing, CodeRefused, CodeAlreadyUsed, PlatformRefused
    """
    with recorded("rollback.disable_now", incident, by=by):
        colleagues.require(by, practice=incident.practice)
        texts.check(reason=reason)
        texts.require(reason=reason)
        undone = _changed(incident)
        _require_not_disabled(undone)
        document = rollback.disable_document(undone.run)
    is_premade = document.mode == AccessMode.PREMADE
    if is_premade:
        accesses.require_closed(incident, by=by)
    run = _claim_disable(incident, document, by=by, code=code, undone=undone, reason=reason.strip())
    if is_premade:
        return accesses.ask(run)
    return execution.carry_out(run, runs.prepare_values(run.content, password=None), by=by)


@step(step_up=DISABLE, digest=lambda _incident, document: document.digest)
def _claim_disable(
    incident: Incident, document: PlanDocument, *, by: Account, step_up: StepUp, undone: Execution, reason: str
) -> Run:
    """The intent; that a change is disabled once is asked again by the database (trigger execution_is_allowed)."""
    incident = standing.lock(incident)
    now = clock.now()
    window = windows.open_for_disable(incident, by=by, at=now)
    colleagues.take_part(incident, by=by, part=Participant.Part.RAN)
    run = execution.new_run(
        incident, document.content, document.digest, kind=RunKind.DISABLE, window=window, operator=by
    )
    Execution.objects.create(
        incident=incident,
        account=by,
        person_id=by.person_id,
        at=now,
        kind=RunKind.DISABLE,
        run=run,
        window=window,
        undoes=undone,
        reason=reason,
    )
    execution.record_claimed(incident, run, by=by.username, undoes=str(undone.run_id), reason=reason)
    return run


def plan_restore(incident: Incident, *, by: Account, window_minutes: int = policy.DEFAULT_WINDOW_MINUTES) -> Plan:
    """Plan to put the rows back as they were before the change. It needs two approvals and a window like any plan.

    Raises:
        NothingToUndo. RowChanged: the row is no longer as the change left it, so it is not touched.
        NotNow, IncidentFinal, RunUnderWay, DutyMissing, PlatformRefused
    """
    with recorded("rollback.plan_restore", incident, by=by):
        colleagues.require(by, practice=incident.practice)
        undone = _changed(incident)
        document = rollback.restore_document(undone.run, window_minutes=window_minutes)
    choice = planning.latest_choice(incident)  # after a change nobody chooses anew: it is the one that was carried out
    return planning.record(incident, by=by, choice=choice, document=document)


def _require_not_disabled(undone: Execution) -> None:
    if undone.undone_by.filter(kind=RunKind.DISABLE, run__state=RunState.COMMITTED).exists():
        raise AlreadyDisabled


def _changed(incident: Incident) -> Execution:
    standing.require_state(incident)
    undone = execution.last_committed(incident)
    if undone is None or undone.plan is None:
        raise NothingToUndo
    return undone
