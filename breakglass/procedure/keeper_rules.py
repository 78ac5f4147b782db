"""What the keeper checks before it signs, read by its own login. Every question that cannot be answered with yes is a no."""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from breakglass.people import invitations
from breakglass.procedure import policy
from breakglass.procedure.models import Approval, Choice, Execution, Incident, Participant, Plan, PlanRefusal, Window
from breakglass.procedure.states import FINAL
from recovery.models import AccessMode, MandateRequest, Run, RunKind, RunState

LONGEST = timedelta(minutes=2)
UNREADABLE = [  # columns that the keeper's login may not read, and has no use for
    f"{approval}__account__{column}"
    for approval in ("ops_approval", "second_approval")
    for column in ("password", "last_login")
]


@dataclass(frozen=True)
class Case:
    """One request with everything that it names, as it stands in the console database at this moment."""

    request: MandateRequest
    run: Run
    execution: Execution
    now: datetime

    @property
    def window(self) -> Window:
        return self.execution.window

    @property
    def incident(self) -> Incident:
        return self.execution.incident


def objections(request: MandateRequest, *, now: datetime) -> Iterator[str]:
    """Every reason against a mandate, as sentences; none means that it may be signed.

    Args:
        now: the guarded clock of the console database, read before anything else.
    """
    execution = (
        Execution.objects.select_related("incident", "window", "plan", "undoes__run", "run")
        .select_related("ops_approval__account__person", "second_approval__account__person")
        .select_related("ops_approval__person", "second_approval__person")
        .defer(*UNREADABLE)
        .filter(run_id=request.run_id)
        .first()
    )
    if execution is None:
        yield _("No execution claims this run.")
        return
    case = Case(request, execution.run, execution, now)
    for rule in (about_run, about_contents, about_window, about_end, about_authority, about_people):
        yield from rule(case)


def about_run(case: Case) -> Iterator[str]:
    """The run is about to begin, is the one of this incident and platform, and its access is still to be opened."""
    access, run = case.request.access, case.run
    if run.state != RunState.INTENT:
        yield _("The run has already begun or is decided.")
    if case.incident.state in FINAL:
        yield _("The incident is closed.")
    if not case.request.incident == run.incident == case.incident.reference:
        yield _("The request names another incident than the run.")
    if not case.request.kind == run.kind == case.execution.kind:
        yield _("The request is for another kind of change than the run.")
    if (run.platform, run.system_identifier, run.database_name) != _place(case.incident):
        yield _("The run is for another platform than the incident.")
    if access.run_id != run.pk or access.platform != run.platform:
        yield _("The access belongs to another run or platform.")
    if access.closed_at is not None:
        yield _("The access is already closed.")


def _place(incident: Incident) -> tuple[str, str, str]:
    return incident.platform, incident.system_identifier, incident.database_name


def about_contents(case: Case) -> Iterator[str]:
    """Exactly what was approved: the digest is computed again from the text."""
    run, plan = case.run, case.execution.plan
    if not _same(case.request.digest, run.plan_digest):
        yield _("The request names another digest than the run.")
    if not _same(hashlib.sha256(run.content.encode()).hexdigest(), run.plan_digest):
        yield _("The run's text does not have the digest that it names.")
    if plan is not None and (plan.content != run.content or not _same(plan.digest, run.plan_digest)):
        yield _("The run is not what the plan says.")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def about_window(case: Case) -> Iterator[str]:
    """The window is this incident's, for this database, and open now."""
    window = case.window
    if window.incident_id != case.incident.pk:
        yield _("The window belongs to another incident.")
    if window.database_key != f"{case.run.system_identifier}/{case.run.database_name}":
        yield _("The window is for another database.")
    if not window.during.lower <= case.now < window.during.upper:
        yield _("The window is not open.")


def about_end(case: Case) -> Iterator[str]:
    """A mandate lives for seconds: at most two minutes, never beyond the window.

    A login that a person opens by hand takes longer than that, and ends with the window at the latest.
    """
    until = case.request.until
    if until <= case.now:
        yield _("The request has expired.")
    if until > case.now + LONGEST and case.run.mode != AccessMode.PREMADE:
        yield _("The request asks for more than two minutes.")
    if until > case.window.during.upper:
        yield _("The request asks for a moment after the window's end.")


def about_authority(case: Case) -> Iterator[str]:
    """Two approvals; or, to disable only, a committed run of the same incident."""
    if case.execution.kind == RunKind.DISABLE:
        yield from _about_disable(case)
    else:
        yield from _about_plan(case)


def _about_disable(case: Case) -> Iterator[str]:
    undone = case.execution.undoes
    if case.window.kind != Window.Kind.DISABLE:
        yield _("The window was not opened to disable.")
    if undone is None or undone.incident_id != case.incident.pk or undone.run.state != RunState.COMMITTED:
        yield _("There is no committed run of this incident to undo.")


def _about_plan(case: Case) -> Iterator[str]:
    plan, window = case.execution.plan, case.window
    if plan is None or plan.incident_id != case.incident.pk:
        yield _("There is no plan of this incident.")
        return
    if window.kind != Window.Kind.PLAN or window.plan_id != plan.pk:
        yield _("The window was opened for another plan.")
    if Plan.objects.filter(incident=case.incident, number__gt=plan.number).exists():
        yield _("The plan was replaced by a newer one.")
    if Choice.objects.filter(incident=case.incident, pk__gt=plan.choice_id).exists():
        yield _("Another outcome was chosen after the plan was made.")
    if PlanRefusal.objects.filter(plan=plan).exists():
        yield _("The plan was refused.")
    if plan.outcome != case.run.kind:
        yield _("The plan is for another outcome.")
    others = Execution.objects.filter(plan=plan).exclude(pk=case.execution.pk)
    if others.exclude(run__state=RunState.ABORTED).exists():
        yield _("The plan has another run that is not known to have changed nothing.")


def about_people(case: Case) -> Iterator[str]:
    """Two living approvals of two people with two duties, who took no other part."""
    if case.execution.kind == RunKind.DISABLE or case.execution.plan is None:
        return
    ops, second = case.execution.ops_approval, case.execution.second_approval
    if ops is None or second is None:
        yield _("An approval is missing.")
        return
    if (ops.side, second.side) != (Approval.Side.OPS, Approval.Side.SECOND) or ops.person_id == second.person_id:
        yield _("The approvals are not from two people with two duties.")
    if (case.window.ops_approval_id, case.window.second_approval_id) != (ops.pk, second.pk):
        yield _("The window was opened on other approvals.")
    if case.execution.person_id == case.execution.plan.beneficiary_id:
        yield _("The beneficiary may not run the change.")
    for approval in (ops, second):
        yield from _about_approval(case, case.execution.plan, approval)


def _about_approval(case: Case, plan: Plan, approval: Approval) -> Iterator[str]:
    side = approval.get_side_display()
    if approval.plan_id != plan.pk or not _same(approval.digest, plan.digest):
        yield _("The approval of {side} is for another plan.").format(side=side)
    if approval.withdrawn_at is not None:
        yield _("The approval of {side} was withdrawn.").format(side=side)
    if not approval.at <= case.window.during.lower or not policy.is_young(approval.at, case.window.during.lower):
        yield _("The approval of {side} was not fresh when the window opened.").format(side=side)
    if not approval.account.is_active or approval.account.person_id != approval.person_id:
        yield _("The account that approved for {side} is no longer active.").format(side=side)
    if not approval.person.has_duty(approval.duty):
        yield _("The person who approved for {side} no longer has the duty.").format(side=side)
    if invitations.waits_until(approval.person, at=approval.at):
        yield _(
            "The password or authenticator of the person who approved for {side} was reset less than an hour before."
        ).format(side=side)
    if not approval.person.practice == approval.account.person.practice == case.incident.practice:
        yield _("Practice people count only on practice platforms.")
    if approval.person_id in {plan.beneficiary_id, case.incident.requester_person_id, case.execution.person_id}:
        yield _("The person who approved for {side} asked for, runs or gains from the change.").format(side=side)
    if Participant.objects.filter(incident=case.incident, person=approval.person_id).exists():
        yield _("The person who approved for {side} took part in the incident.").format(side=side)
