"""The way back, at any time after the change: disable the account now, or restore the rows with approvals of their own."""

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from breakglass.pages import by_hand_facts, wizard
from breakglass.pages.change_forms import DisableForm
from breakglass.pages.running import judging_facts, run_facts, with_run
from breakglass.procedure import execution, incident_reports, incidents
from breakglass.procedure import rollback as rollbacks
from breakglass.procedure.models import Execution, Incident
from breakglass.procedure.position import Standing
from recovery.models import RunKind


@wizard.page("rollback", "breakglass/rollback.html")
def rollback(request: HttpRequest, standing: Standing) -> wizard.Facts:
    """What can be undone, and what already was."""
    incident = standing.incident
    done = execution.last_committed(incident)
    undone = Execution.objects.filter(incident=incident, kind__in=(RunKind.DISABLE, RunKind.RESTORE))
    latest = with_run(undone).order_by("-id").first()
    facts = run_facts(latest)
    return {
        "execution": done,
        "login": done.plan.choice.login if done else "",
        "undone": latest,
        "report": incident_reports.latest(incident),
        "disable_form": DisableForm(),
        **facts,
        **(by_hand_facts.of_run(latest.run, facts["accesses"]) if latest and latest.kind == RunKind.DISABLE else {}),
        **judging_facts(request, latest),
    }


@wizard.action(rollback, DisableForm)
def disable(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """Disable the account that this incident changed."""
    rollbacks.disable_now(incident, by=request.user, **form.cleaned_data)
    return wizard.done(request, incident, "rollback")


@wizard.action(rollback)
def plan_restore(request: HttpRequest, incident: Incident, form: None) -> HttpResponse:
    """Make a plan that puts the rows back; it takes two approvals and a window like any other."""
    rollbacks.plan_restore(incident, by=request.user)
    return wizard.done(request, incident, "plan", _("The restore is planned. It waits for two approvals."))


@wizard.action(rollback)
def expose(request: HttpRequest, incident: Incident, form: None) -> HttpResponse:
    """Credentials may have leaked: rotating them becomes mandatory."""
    incidents.suspect_exposure(incident, by=request.user)
    return wizard.done(request, incident, "revoke", _("Every secret of the platform must be rotated now."))
