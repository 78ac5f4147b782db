"""Pages of the decision: the outcome, and the plan with its exact change."""

from typing import Any

from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from breakglass.pages import diffs, forecasts, wizard
from breakglass.pages.forms import OutcomeForm, PlanForm
from breakglass.pages.opening import latest_diagnosis
from breakglass.people.models import Person
from breakglass.procedure import incidents, planning, policy
from breakglass.procedure.models import Choice, Diagnosis, Incident, Plan
from breakglass.procedure.position import Standing
from breakglass.procedure.states import State
from recovery.diagnosis import Report
from recovery.models import AccessMode, RunKind
from recovery.planning.documents import PlanDocument


def outcome_form(*data: Any, incident: Incident, account: Any, **options: Any) -> OutcomeForm:
    """The form with the owners of the latest diagnosis and the people who may become beneficiary."""
    report = report_of(latest_diagnosis(incident))
    return _outcome_form(*data, incident=incident, account=account, report=report, choice=None, **options)


def _outcome_form(
    *data: Any, incident: Incident, account: Any, report: Report | None, choice: Choice | None, **options: Any
) -> OutcomeForm:
    owners = report.owners if report else ()
    given = {"owners": owners, "people": candidates(incident), "initial": _start(choice, report)}
    return OutcomeForm(*data, incident=incident, account=account, **given, **options)


def report_of(latest: Diagnosis | None) -> Report | None:
    """What a diagnosis says of each owner."""
    return Report.from_json(latest.owners) if latest else None


def candidates(incident: Incident) -> QuerySet[Person]:
    """Known people who may hold the account: never who opened the incident."""
    return Person.objects.filter(practice=incident.practice).exclude(pk=incident.requester_person_id)


def _start(choice: Choice | None, report: Report | None) -> dict[str, Any]:
    if choice is not None:
        return {
            name: getattr(choice, name)
            for name in ("outcome", "target_key", "login", "display_name", "beneficiary", "why", "reachable")
        }
    if report is None or not report.recommended:
        return {}
    fitting = [one.key for one in report.owners if report.recommended in report.fits(one)]
    return {"outcome": report.recommended, "target_key": fitting[0] if len(fitting) == 1 else ""}


@wizard.page("outcome", "breakglass/outcome.html")
def outcome(request: HttpRequest, standing: Standing) -> wizard.Facts:
    """Which one of A, B and C, for whom, and what would still stop a sign-in afterwards."""
    incident, choice = standing.incident, standing.choice
    latest = latest_diagnosis(incident)
    report = report_of(latest)
    return {
        "report": report,
        "overrides": list(latest.overrides.select_related("account")) if latest else [],
        "choice": choice,
        **forecasts.facts(incident, choice),
        "outcome_form": _outcome_form(incident=incident, account=request.user, report=report, choice=choice),
    }


@wizard.action(outcome, outcome_form)
def choose(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """Choose exactly one outcome, its target and its beneficiary."""
    incidents.choose(incident, by=request.user, **form.cleaned_data)
    return wizard.done(request, incident, "plan")


@wizard.page("plan", "breakglass/plan.html")
def plan(request: HttpRequest, standing: Standing) -> wizard.Facts:
    """The exact change: rows now and after, statements, length of the window, digest as words."""
    current = standing.plan
    minutes = current.window_minutes if current else policy.DEFAULT_WINDOW_MINUTES
    return {
        "plan": current,
        "choice": standing.choice,
        **forecasts.facts(standing.incident, standing.choice),
        "plan_form": PlanForm(initial={"window_minutes": minutes}),
        "refusals": refusals_of(standing.incident),
        **plan_facts(current),
    }


def plan_facts(current: Plan | None) -> wizard.Facts:
    """What every page says about the plan of a standing."""
    if current is None:
        return {"is_void": False}
    mode = PlanDocument(current.content).mode
    return {
        "is_void": current.void,
        "mode": mode,
        "way_in": AccessMode(mode).label,
        "words": current.words.split(),
        "diff": diffs.of_plan(current.content),
        "statements": diffs.statements_of(current.content),
    }


def is_awaited(plan: Plan | None, incident: Incident) -> bool:
    """Whether the plan is still to be approved and run: before the change, and a restore also after it."""
    if plan is not None and plan.outcome == RunKind.RESTORE:
        return incident.state in planning.AFTER_RUN
    return incident.state == State.PLANNED


def refusals_of(incident: Incident) -> list[Any]:
    """Every "no" to a plan of this incident; they stay visible."""
    return list(incident.planrefusals.select_related("account", "plan"))


@wizard.action(plan, PlanForm)
def make_plan(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """Read the platform again and fix the exact change."""
    made = planning.make(incident, by=request.user, **form.cleaned_data)
    said = _("Plan %(number)d is made. It waits for two approvals.") % {"number": made.number}
    return wizard.done(request, incident, "plan", said)
