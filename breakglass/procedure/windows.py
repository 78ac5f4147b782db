"""Opens the short window in which an approved change may be made. The database sets both ends; it is only ever shortened."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext as _

from audit import clock, events, log
from breakglass.people.models import Account, StepUp
from breakglass.people.step_up import OPEN_WINDOW
from breakglass.procedure import approvals, choices, colleagues, messages, planning, policy, window_ends
from breakglass.procedure.colleagues import take_part
from breakglass.procedure.faults import broken_rule
from breakglass.procedure.models import Approval, Incident, Plan, Window
from breakglass.procedure.refusals import (
    ApprovalsMissing,
    PlanVoid,
    RunUnderWay,
    WindowAlreadyOpen,
    WindowClosed,
    WindowTaken,
    WindowUsedUp,
)
from breakglass.procedure.standing import lock, require_state
from breakglass.procedure.steps import step
from breakglass.procedure.window_ends import current, record_ended
from recovery.models import RunKind

__all__ = ["current", "database_key", "open", "open_for_disable", "record_ended", "shorten"]

ONE_PER_DATABASE = "one_open_window_per_database"


def database_key(incident: Incident) -> str:
    """What names the physical database: one window may be open for it."""
    return f"{incident.system_identifier}/{incident.database_name}"


@step(step_up=OPEN_WINDOW)
def open(plan: Plan, *, by: Account, step_up: StepUp) -> Window:
    """Open the window of an approved plan, now and for the plan's length. Called with `code=`, a fresh one.

    Raises:
        ApprovalsMissing, WindowUsedUp, PlanVoid, HealthyOwner, WindowAlreadyOpen, RunUnderWay, NotNow, DutyMissing,
        ApproverMayNotTakePart, BeneficiaryMayNotTakePart; CodeRefused and CodeAlreadyUsed of people.
        WindowTaken: another incident's window is open on the same database; the sentence names it.
    """
    incident = lock(plan.incident)
    at = clock.now()
    _check_open(incident, plan, at)
    given = _both(plan, at)
    take_part(incident, by=by)
    window = _create(
        incident,
        by=by,
        at=at,
        kind=Window.Kind.PLAN,
        plan=plan,
        ops_approval=given[Approval.Side.OPS],
        second_approval=given[Approval.Side.SECOND],
    )
    _tell_opened(incident, window)
    _log_opened(incident, window, by=by, plan=plan.number, digest=plan.digest)
    return window


def _check_open(incident: Incident, plan: Plan, at: datetime) -> None:
    if planning.is_void(plan):
        raise PlanVoid
    if window_ends.current(incident, at=at):
        raise WindowAlreadyOpen
    approvals.require_approvable(incident, plan)
    if incident.executions.filter(run__state__in=planning.UNDECIDED).exists():
        raise RunUnderWay
    if plan.outcome != RunKind.RESTORE:
        choices.check_stops(incident, plan.outcome)


def _both(plan: Plan, at: datetime) -> dict[str, Approval]:
    given = approvals.live(plan, at=at)
    if set(given) == set(Approval.Side.values):
        return given
    if Window.objects.filter(plan=plan, ops_approval__withdrawn_at=None, second_approval__withdrawn_at=None).exists():
        raise WindowUsedUp
    raise ApprovalsMissing


def open_for_disable(incident: Incident, *, by: Account, at: datetime) -> Window:
    """Inside a step, on a locked incident: five minutes to disable what this incident changed. Ends its own open window.

    Raises:
        WindowTaken, DutyMissing; from the database RuleBroken when no run of the incident has changed anything.
    """
    require_state(incident)
    colleagues.require(by, practice=incident.practice)
    window_ends.end_now(incident, by=by, at=at, why="the account is disabled")
    window = _create(incident, by=by, at=at, kind=Window.Kind.DISABLE)
    _log_opened(incident, window, by=by)
    return window


def _create(incident: Incident, *, by: Account, at: datetime, **kind: object) -> Window:
    """Both ends are overruled by the database; ours are there because the column wants some."""
    key = database_key(incident)
    _check_free(incident, key, at)
    try:
        with transaction.atomic():
            window = Window.objects.create(
                incident=incident,
                account=by,
                person_id=by.person_id,
                at=at,
                database_key=key,
                during=DateTimeTZRange(at, at + policy.DISABLE_WINDOW, "[)"),
                **kind,
            )
    except IntegrityError as error:
        if broken_rule(error) == ONE_PER_DATABASE:
            _check_free(incident, key, at)
            raise WindowAlreadyOpen from error
        raise
    window.refresh_from_db(fields=["during"])
    return window


def _check_free(incident: Incident, key: str, at: datetime) -> None:
    open_now = Window.objects.filter(database_key=key, during__contains=at).exclude(incident=incident)
    other = open_now.values_list("incident__reference", flat=True).first()
    if other:
        raise WindowTaken(other=other)


@step
def shorten(window: Window, *, by: Account) -> Window | None:
    """End the window now. Anybody with a duty may: it only ever makes less possible, and makes nobody a participant.

    Raises:
        WindowClosed, DutyMissing, PracticeMeetsReal
    """
    incident = lock(window.incident)
    colleagues.require(by, practice=incident.practice)
    at = clock.now()
    open_now = window_ends.current(incident, at=at)
    if open_now is None or open_now.pk != window.pk:
        raise WindowClosed
    return window_ends.end_now(incident, by=by, at=at, why="ended by hand")


def _tell_opened(incident: Incident, window: Window) -> None:
    subject = _("{reference}: the window is open").format(reference=incident.reference)
    body = _("Opened by {who} on {platform} until {end} UTC.").format(
        who=window.account.username, platform=incident.platform, end=window.during.upper.strftime("%Y-%m-%d %H:%M:%S")
    )
    messages.tell(messages.Kind.WINDOW_OPENED, incident=incident, subject=subject, body=body)


def _log_opened(incident: Incident, window: Window, *, by: Account, **facts: object) -> None:
    log.append(
        events.WINDOW_OPENED,
        by=by.username,
        incident=incident.reference,
        window=window.pk,
        kind=window.kind,
        opened=window.during.lower.isoformat(),
        until=window.during.upper.isoformat(),
        approvals=[key for key in (window.ops_approval_id, window.second_approval_id) if key],
        **facts,
    )
