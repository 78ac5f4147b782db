"""Makes the plan of one exact change. A plan is never edited: a new one replaces it and voids what was approved."""

from datetime import datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from audit import clock, events, log
from breakglass.people.models import Account
from breakglass.procedure import choices, colleagues, messages, policy, window_ends
from breakglass.procedure.colleagues import Part, take_part
from breakglass.procedure.models import Choice, Execution, Incident, Participant, Plan, PlanRefusal
from breakglass.procedure.refusals import ChoiceMissing, OtherDatabase, RunUnderWay, SomebodyWasFaster, WindowTooLong
from breakglass.procedure.standing import lock, move, require_no_run, require_state
from breakglass.procedure.states import State
from breakglass.procedure.steps import recorded, step
from recovery import platforms
from recovery.models import RunKind, RunState
from recovery.planning import plans
from recovery.planning.plans import PlanDocument

AFTER_RUN = (State.EXECUTED, State.PROVEN, State.REVOKED, State.SEALED)
UNDECIDED = (RunState.INTENT, RunState.PREPARED, RunState.NEEDS_HUMAN)


# No longer counts: refused, replaced by a newer one, or made for an earlier choice.
REFUSED = Exists(PlanRefusal.objects.filter(plan=OuterRef("pk")))
REPLACED = Exists(Plan.objects.filter(incident=OuterRef("incident"), number__gt=OuterRef("number")))
CHOSEN_ANEW = Exists(Choice.objects.filter(incident=OuterRef("incident"), pk__gt=OuterRef("choice")))
VOID = REFUSED | REPLACED | CHOSEN_ANEW
RUN = Exists(Execution.objects.filter(plan=OuterRef("pk")).exclude(run__state=RunState.ABORTED))
PARTICIPANTS = Participant.objects.filter(incident=OuterRef("incident")).values("person")


def current(incident: Incident) -> Plan | None:
    """The latest plan, void or not; None if there is none."""
    return _latest(Plan.objects.filter(incident=incident).select_related("incident", "choice__beneficiary", "account"))


def with_standing(incident: Incident) -> Plan | None:
    """The latest plan with what pages ask about it, all as of one moment: for reading, a step asks again.

    Its `void` as of `is_void`, `chosen_anew`: its choice no longer counts, `has_run`: it changed the platform or may
    have, `participants`: the persons who took part in the incident, by key.
    """
    plans = Plan.objects.filter(incident=incident).select_related("incident", "choice__beneficiary", "account")
    asked = {"void": VOID, "chosen_anew": CHOSEN_ANEW, "has_run": RUN, "participants": ArraySubquery(PARTICIPANTS)}
    return _latest(plans.select_related("choice__account").annotate(**asked))


def _latest(plans: QuerySet[Plan]) -> Plan | None:
    return plans.order_by("-number").first()


def is_void(plan: Plan) -> bool:
    """Whether the plan no longer counts: refused, replaced by a newer one, or made for an earlier choice."""
    return Plan.objects.filter(VOID, pk=plan.pk).exists()


def unless_void(plan: Plan) -> QuerySet[Plan]:
    """The plan as a query that finds nothing if it is void: for questions that ask for something else with it."""
    return Plan.objects.filter(~VOID, pk=plan.pk)


def latest_choice(incident: Incident) -> Choice:
    """The choice that counts. Raises ChoiceMissing."""
    found = Choice.objects.filter(incident=incident).select_related("beneficiary").order_by("-id").first()
    if found is None:
        raise ChoiceMissing
    return found


def make(incident: Incident, *, by: Account, window_minutes: int = policy.DEFAULT_WINDOW_MINUTES) -> Plan:
    """Compute the exact change of the latest choice on the live platform, then record it as the next plan.

    Raises:
        ChoiceMissing, WindowTooLong, HealthyOwner, SmallerChangeWouldDo, OtherDatabase, NotNow, RunUnderWay,
        DutyMissing, BeneficiaryMayNotTakePart, and recovery's refusals (target missing, platform down, a right missing).
    """
    with recorded("planning.make", incident, by=by):
        colleagues.require(by, practice=incident.practice)
        _check_minutes(window_minutes)
        choice = latest_choice(incident)
        document = plans.build(
            platforms.get(incident.platform),
            outcome=choice.outcome,
            target_key=choice.target_key,
            login=choice.login,
            display_name=choice.display_name,
            beneficiary=f"{choice.beneficiary.name}, {choice.beneficiary.contact}",
            incident=incident.reference,
            window_minutes=window_minutes,
        )
    return record(incident, by=by, choice=choice, document=document)


@step
def record(incident: Incident, *, by: Account, choice: Choice, document: PlanDocument) -> Plan:
    """Record a computed change as the incident's next plan; an open window ends. Also for a restore.

    Raises:
        SomebodyWasFaster: another outcome was chosen meanwhile. Otherwise see `make`.
    """
    incident = lock(incident)
    _check_moment(incident, choice, document)
    at = clock.now()
    take_part(incident, by=by, part=Part.EDITED)
    window_ends.end_now(incident, by=by, at=at, why="the plan was replaced")
    earlier = current(incident)
    plan = _create(
        incident, by=by, choice=choice, document=document, at=at, number=earlier.number + 1 if earlier else 1
    )
    if incident.state == State.DIAGNOSED:
        move(incident, State.PLANNED)
    _ask_for_approval(plan)
    _log(plan, earlier, by=by)
    return plan


def _check_moment(incident: Incident, choice: Choice, document: PlanDocument) -> None:
    if document.outcome == RunKind.RESTORE:
        require_state(incident, *AFTER_RUN)
        if incident.executions.filter(run__state__in=UNDECIDED).exists():
            raise RunUnderWay
    else:
        require_no_run(incident)
        require_state(incident, State.DIAGNOSED, State.PLANNED)
        choices.check_stops(incident, document.outcome)
    if latest_choice(incident).pk != choice.pk:
        raise SomebodyWasFaster
    if (document.system_identifier, document.database_name) != (incident.system_identifier, incident.database_name):
        raise OtherDatabase


def _create(
    incident: Incident, *, by: Account, choice: Choice, document: PlanDocument, at: datetime, number: int
) -> Plan:
    return Plan.objects.create(
        incident=incident,
        account=by,
        person_id=by.person_id,
        at=at,
        number=number,
        choice=choice,
        outcome=document.outcome,
        content=document.content,
        digest=document.digest,
        words=document.words,
        window_minutes=document.window_minutes,
        beneficiary=choice.beneficiary,
    )


def _check_minutes(minutes: int) -> None:
    if not 5 <= minutes <= policy.LONGEST_WINDOW_MINUTES:
        raise WindowTooLong(minutes=minutes)


def _ask_for_approval(plan: Plan) -> None:
    subject = _("{reference}: plan {number} waits for two approvals").format(
        reference=plan.incident.reference, number=plan.number
    )
    body = _("{what} on {platform}. Its words are: {words}. Needed: Ops, and Security or Engineering.").format(
        what=RunKind(plan.outcome).label, platform=plan.incident.platform, words=plan.words
    )
    messages.tell(messages.Kind.APPROVAL_ASKED, incident=plan.incident, subject=subject, body=body)


def _log(plan: Plan, earlier: Plan | None, *, by: Account) -> None:
    if earlier:
        log.append(
            events.PLAN_VOIDED,
            by=by.username,
            incident=plan.incident.reference,
            plan=earlier.number,
            digest=earlier.digest,
            why="replaced",
        )
    log.append(
        events.PLAN_MADE,
        by=by.username,
        incident=plan.incident.reference,
        plan=plan.number,
        outcome=plan.outcome,
        digest=plan.digest,
        words=plan.words,
        window_minutes=plan.window_minutes,
        beneficiary=plan.beneficiary.name,
    )
