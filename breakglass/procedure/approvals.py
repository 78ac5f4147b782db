"""Two people say yes to one exact plan, each with a fresh second factor bound to its digest; anybody asked may say no."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils.translation import gettext as _

from audit import clock, events, log
from breakglass.people import invitations
from breakglass.people.models import LIVE, Account, Duty, DutyName, StepUp
from breakglass.people.step_up import APPROVE, REFUSE
from breakglass.procedure import colleagues, messages, planning, policy, texts, window_ends
from breakglass.procedure.models import Approval, Execution, Incident, Plan, PlanRefusal, Window
from breakglass.procedure.policy import PlanFacts, Somebody
from breakglass.procedure.refusals import AlreadyWithdrawn, NotYourApproval, PlanVoid, RunUnderWay
from breakglass.procedure.standing import lock, require_state
from breakglass.procedure.states import State
from breakglass.procedure.steps import step
from recovery.models import RunKind, RunState

Side = Approval.Side
LAPSED = "lapsed"
APPROVERS = tuple(policy.SIDE_OF_DUTY)
HAS_DUTY = Exists(Duty.objects.filter(LIVE, person=OuterRef("person"), name=OuterRef("duty")))
BY_THIS = Q(ops_approval=OuterRef("pk")) | Q(second_approval=OuterRef("pk"))
WITH_WINDOW = {"opened": Subquery(Window.objects.filter(BY_THIS).order_by("-id").values("during")[:1])}


def live(plan: Plan, *, at: datetime | None = None) -> dict[str, Approval]:
    """The approvals that count at this moment (the guarded clock): side -> approval. None counts for a void plan.

    An approval counts while it is under 30 minutes old; once it has opened a window, until that window ends; and only
    while it is not withdrawn, and its account and duty live.
    """
    moment = at or clock.now()
    given = Approval.objects.filter(HAS_DUTY, plan__in=planning.unless_void(plan), withdrawn_at=None)
    found = given.filter(account__is_active=True).annotate(**WITH_WINDOW)
    return {one.side: one for one in found.select_related("person", "account") if _is_in_time(one, moment)}


def _is_in_time(approval: Approval, moment: datetime) -> bool:
    """`opened`: the window that it has opened, from and until; None before."""
    if approval.opened is None:
        return policy.is_young(approval.at, moment)
    return approval.opened.lower <= moment < approval.opened.upper


def facts(plan: Plan, *, at: datetime | None = None) -> PlanFacts:
    """What the rules ask about a plan, read now."""
    return PlanFacts(
        beneficiary=plan.beneficiary_id,
        participants=colleagues.participants(plan.incident),
        is_void=planning.is_void(plan),
        practice=plan.incident.practice,
        live={side: approval.person_id for side, approval in live(plan, at=at).items()},
    )


@step(step_up=APPROVE)
def give(plan: Plan, *, by: Account, step_up: StepUp, duty: str | None = None) -> Approval:
    """Approve the plan for one side. Called with `code=`, a fresh one that is spent for this plan's digest.

    Args:
        duty: under which duty, for somebody who has several; otherwise the first whose side is still free.

    Raises:
        ParticipantMayNotApprove, BeneficiaryMayNotApprove, ApprovedBySamePerson, SideTaken, DutyMissing, PlanVoid,
        PracticeMeetsReal, AccountDisabled, RunUnderWay, NotNow; ApprovalsWait, CodeRefused, CodeAlreadyUsed of people.
    """
    incident = lock(plan.incident)
    require_approvable(incident, plan)
    at = clock.now()
    invitations.check_settled(by.person, at=at)
    somebody, asked = colleagues.somebody(by), facts(plan, at=at)
    if refusal := policy.refusal_to_approve(somebody, asked, duty):
        raise refusal
    as_duty = policy.duty_for(somebody, asked, duty)
    side = policy.SIDE_OF_DUTY[DutyName(as_duty)]
    _make_room(plan, side, somebody, asked, by=by, at=at)
    approval = Approval.objects.create(
        incident=incident,
        account=by,
        person_id=somebody.key,
        at=at,
        plan=plan,
        digest=plan.digest,
        requester_person_id=incident.requester_person_id,
        beneficiary_person_id=plan.beneficiary_id,
        practice=incident.practice,
        duty=as_duty,
        side=side,
        step_up=step_up,
    )
    log.append(
        events.APPROVAL_GIVEN,
        by=by.username,
        incident=incident.reference,
        approval=approval.pk,
        plan=plan.number,
        digest=plan.digest,
        side=side,
        duty=as_duty,
        person=approval.person.name,
    )
    return approval


def require_approvable(incident: Incident, plan: Plan) -> None:
    """Refuse what comes too early or too late for a yes or a no. Raises IncidentFinal, NotNow, RunUnderWay."""
    states = planning.AFTER_RUN if plan.outcome == RunKind.RESTORE else (State.PLANNED,)
    if Execution.objects.filter(plan=plan).exclude(run__state=RunState.ABORTED).exists():
        raise RunUnderWay
    require_state(incident, *states)


def _make_room(plan: Plan, side: str, somebody: Somebody, asked: PlanFacts, *, by: Account, at: datetime) -> None:
    """Approvals that no longer count are withdrawn as lapsed before a new one takes their place; they stay visible."""
    left = Approval.objects.filter(plan=plan, withdrawn_at=None)
    lapsed = [one for one in left if one.side not in asked.live and (one.side == side or one.person_id == somebody.key)]
    for approval in lapsed:
        _withdraw(approval, by=by, at=at, reason=LAPSED)


@step
def withdraw(approval: Approval, *, by: Account, reason: str) -> Approval:
    """Take an approval back; an open window ends for new runs. By who gave it, or by Security.

    Raises:
        NotYourApproval, AlreadyWithdrawn, TextMissing, IncidentFinal, AccountDisabled
        RunUnderWay: the change has already been made.
    """
    incident = lock(approval.incident)
    require_state(incident)
    texts.require(reason=reason)
    somebody = colleagues.somebody(by)
    if somebody.key != approval.person_id and DutyName.SECURITY not in somebody.duties:
        raise NotYourApproval
    if Execution.objects.filter(plan=approval.plan, run__state=RunState.COMMITTED).exists():
        raise RunUnderWay
    at = clock.now()
    _withdraw(approval, by=by, at=at, reason=reason.strip())
    if approval.pk in _approvals_of(window_ends.current(incident, at=at)):
        window_ends.end_now(incident, by=by, at=at, why="an approval was withdrawn")
    return approval


def _approvals_of(window: Window | None) -> Iterable[int | None]:
    return (window.ops_approval_id, window.second_approval_id) if window else ()


def _withdraw(approval: Approval, *, by: Account, at: datetime, reason: str) -> None:
    told = {"withdrawn_at": at, "withdrawn_by": by.person, "withdrawn_reason": reason}
    if Approval.objects.filter(pk=approval.pk, withdrawn_at=None).update(**told) != 1:
        raise AlreadyWithdrawn
    approval.refresh_from_db()
    log.append(
        events.APPROVAL_WITHDRAWN,
        by=by.username,
        incident=approval.incident.reference,
        approval=approval.pk,
        plan=approval.plan.number,
        side=approval.side,
        person=approval.person.name,
        reason=reason,
    )


@step(step_up=REFUSE)
def refuse(plan: Plan, *, by: Account, step_up: StepUp, reason: str) -> PlanRefusal:
    """Say no to the plan, with the reason. It voids the plan and every approval of it, ends an open window, and stays visible.

    Raises:
        TextMissing, PlanVoid, DutyMissing, PracticeMeetsReal, RunUnderWay, NotNow; CodeRefused and CodeAlreadyUsed of people.
    """
    incident = lock(plan.incident)
    texts.require(reason=reason)
    require_approvable(incident, plan)
    colleagues.require(by, *APPROVERS, practice=incident.practice)
    if planning.is_void(plan):
        raise PlanVoid
    at = clock.now()
    refusal = PlanRefusal.objects.create(
        incident=incident, account=by, person_id=by.person_id, at=at, plan=plan, reason=reason.strip()
    )
    window_ends.end_now(incident, by=by, at=at, why="the plan was refused")
    _tell_refused(plan, refusal, by=by)
    log.append(
        events.PLAN_REFUSED,
        by=by.username,
        incident=incident.reference,
        plan=plan.number,
        digest=plan.digest,
        reason=refusal.reason,
    )
    return refusal


def _tell_refused(plan: Plan, refusal: PlanRefusal, *, by: Account) -> None:
    subject = _("{reference}: plan {number} was refused").format(reference=plan.incident.reference, number=plan.number)
    body = _("{who} said no: {reason}").format(who=by.username, reason=refusal.reason)
    messages.tell(messages.Kind.PLAN_REFUSED, incident=plan.incident, subject=subject, body=body)
