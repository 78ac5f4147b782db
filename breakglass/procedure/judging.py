"""Records what a person decides on a run that the machine cannot decide. Never possible for any other run, and once."""

from typing import Any

from audit import clock, events, log
from breakglass.people.models import Account, DutyName
from breakglass.people.step_up import JUDGE, StepUp
from breakglass.procedure import colleagues, revocation, standing, texts
from breakglass.procedure.change_refusals import JudgementBySomebodyElse, NothingToJudge
from breakglass.procedure.models import Execution, Incident, Judgement
from breakglass.procedure.steps import step
from recovery.models import DecidedBy, Run, RunState
from recovery.running import records


def unclear(incident: Incident) -> Execution | None:
    """The execution whose run needs a human. There is one at most: no run begins while another is undecided."""
    waiting = Execution.objects.select_related("run").filter(incident=incident, run__state=RunState.NEEDS_HUMAN)
    return waiting.order_by("id").last()


def require_unclear(incident: Incident) -> Execution:
    """The same. Raises NothingToJudge when there is none."""
    found = unclear(incident)
    if found is None:
        raise NothingToJudge
    return found


def may_judge(incident: Incident, account: Account) -> bool:
    """Whether it is worth asking this account: Security, without part in the incident."""
    return account.person.has_duty(DutyName.SECURITY) and not revocation.had_part(incident, account)


def _digest(incident: Incident, **_others: Any) -> str:
    found = unclear(incident)
    return found.run.plan_digest if found else ""


@step(step_up=JUDGE, digest=_digest)
def decide(incident: Incident, *, by: Account, step_up: StepUp, changed: bool, reason: str, tenant_table: str) -> Run:
    """Write the judgement and decide the run by it. execution.judge calls it with `code=`, and draws the consequence.

    Raises:
        NothingToJudge, DutyMissing, JudgementBySomebodyElse, TextMissing, FreshCodeMissing
        Overtaken: the platform was asked meanwhile, and the machine has decided after all.
    """
    incident = standing.lock(incident)
    found = require_unclear(incident)
    colleagues.require(by, DutyName.SECURITY, practice=incident.practice)
    if revocation.had_part(incident, by):
        raise JudgementBySomebodyElse
    texts.require(reason=reason)
    run = Run.objects.select_for_update().get(pk=found.run_id)  # before the clock, as every move of a run does
    made = Judgement.objects.create(
        incident=incident,
        account=by,
        person_id=by.person_id,
        at=clock.now(),
        execution=found,
        changed=changed,
        reason=reason.strip(),
        machine_said=run.reason,
        digest=run.plan_digest,
        step_up=step_up,
    )
    run = _decided(run, made, tenant_table=tenant_table)
    log.append(
        events.RUN_JUDGED,
        by=by.username,
        incident=incident.reference,
        run=str(run.pk),
        kind=run.kind,
        changed=changed,
        reason=made.reason,
        machine_said=made.machine_said,
        person=by.person.name,
    )
    return run


def _decided(run: Run, made: Judgement, *, tenant_table: str) -> Run:
    who = {"decided_by": DecidedBy.PERSON.value, "by": made.account.username}
    told = made.reason[: records.LONGEST_TOLD]
    if made.changed:
        return records.committed(run, tenant_table=tenant_table, reason=told, **who)
    return records.aborted(run, told, of=RunState.NEEDS_HUMAN, **who)


@step
def record_asked(incident: Incident, *, by: Account, run: Run) -> None:
    """Put on record that a person had the platform asked again, and what the run is since."""
    standing.lock(incident)
    log.append(
        events.RUN_ASKED_AGAIN,
        by=by.username,
        incident=incident.reference,
        run=str(run.pk),
        state=run.state,
        reason=run.reason,
    )
