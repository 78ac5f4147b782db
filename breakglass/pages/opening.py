"""Pages of the beginning: the list of incidents, when to use break-glass, and the diagnosis."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Subquery
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from audit.refusals import Refused
from breakglass.pages import wizard
from breakglass.pages.forms import AbandonForm, OpenForm, OverrideForm
from breakglass.people.models import DutyName
from breakglass.procedure import incidents as incidents_made
from breakglass.procedure import policy
from breakglass.procedure.models import Diagnosis, Incident, Override
from breakglass.procedure.position import Standing
from breakglass.procedure.states import FINAL
from recovery import platforms
from recovery.diagnosis import Report

PER_PAGE = 50


@require_safe
def incidents(request: HttpRequest) -> HttpResponse:
    """Every incident that is open, and the finished ones, newest first."""
    wizard.require_duty(request.user)
    seen = wizard.visible(request.user).order_by("-id")
    before = request.GET.get("before", "")
    finished = seen.filter(state__in=FINAL)
    if before.isascii() and before.isdigit() and len(before) < 19:
        finished = finished.filter(pk__lt=int(before))
    page = list(finished[: PER_PAGE + 1])
    context = {
        "nav": "incidents",
        "open_incidents": list(seen.exclude(state__in=FINAL)[:PER_PAGE]),
        "finished": page[:PER_PAGE],
        "older": page[PER_PAGE - 1].pk if len(page) > PER_PAGE else None,
    }
    return render(request, "breakglass/incidents.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def incident_open(request: HttpRequest) -> HttpResponse:
    """Page 0: opens an incident."""
    if not policy.may_open(wizard.somebody(request.user)):
        raise PermissionDenied
    try:
        form = _open_form(request)
    except Refused as refusal:
        return _open_page(request, OpenForm(), refusal=refusal, status=409)
    if request.method != "POST":
        return _open_page(request, form)
    if not form.is_valid():
        return _open_page(request, form, status=422)
    try:
        incident = _opened(request, form)
    except Refused as refusal:
        return _open_page(request, form, refusal=refusal, status=wizard.status_of(refusal))
    said = _("%(reference)s is open. Now let the console look at the platform.") % {"reference": incident.reference}
    return wizard.done(request, incident, "", said)


def _open_form(request: HttpRequest) -> OpenForm:
    # Practice people see practice platforms only; the step refuses the rest again.
    known = [found for found in platforms.all() if found.practice == request.user.person.practice]
    start = {"follows": request.GET.get("follows", "")[:20], "platform": request.GET.get("platform", "")[:64]}
    if len(known) == 1:
        start["platform"] = known[0].name
    return OpenForm(request.POST or None, platforms=known, initial=start)


def _open_page(request: HttpRequest, form: Form, *, status: int = 200, **extra: Any) -> HttpResponse:
    context = {"nav": "incidents", "open_form": form, **extra}
    return render(request, "breakglass/open.html", context, status=status)


def _opened(request: HttpRequest, form: Form) -> Incident:
    given = dict(form.cleaned_data)
    follows = given.pop("follows")
    earlier = wizard.visible(request.user).filter(reference=follows).first() if follows else None
    return incidents_made.open(by=request.user, follows=earlier, **given)


@require_safe
def incident(request: HttpRequest, reference: str) -> HttpResponse:
    """The incident's address without a step: where it stands now."""
    return redirect(wizard.first_open(wizard.load(request, reference)))


@require_safe
def pulse(request: HttpRequest, reference: str) -> HttpResponse:
    """A short text that changes whenever something happens; a script compares it and shows the page again."""
    return HttpResponse(wizard.pulse_of(wizard.load(request, reference)), content_type="text/plain; charset=utf-8")


@wizard.page("when", "breakglass/when.html")
def when(request: HttpRequest, standing: Standing) -> wizard.Facts:
    """What was said when it was opened, who took part, and the way out."""
    incident = standing.incident
    return {
        "participants": list(incident.participants.select_related("person", "account")),
        "followed_by": list(incident.followed_by.all()) if incident.state in FINAL else [],
        "abandon_form": AbandonForm(),
    }


@wizard.action(when, AbandonForm)
def abandon(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """End an incident that has changed nothing."""
    incidents_made.abandon(incident, by=request.user, **form.cleaned_data)
    return wizard.done(request, incident, "when", _("The incident is abandoned. Nothing was changed on the platform."))


@wizard.page("diagnosis", "breakglass/diagnosis.html")
def diagnosis(request: HttpRequest, standing: Standing) -> wizard.Facts:
    """Every owner and what stops each, as last read from the live platform."""
    incident = standing.incident
    latest = latest_diagnosis(incident)
    report = Report.from_json(latest.owners) if latest else None
    overrides = list(latest.overrides.select_related("account")) if latest else []
    kind = stop_of(report, overrides)
    return {
        "diagnosis": latest,
        "report": report,
        "overrides": overrides,
        "stop": kind,
        "may_override": bool(kind) and _may_override(request, incident),
        "may_lift": bool(report and report.would_do) and _may_override(request, incident),
        "override_form": OverrideForm(initial={"kind": kind or Override.Kind.CREATE_THOUGH_OTHERS}),
    }


def latest_diagnosis(incident: Incident) -> Diagnosis | None:
    """The diagnosis that counts."""
    return incident.diagnoses.select_related("account").order_by("-id").first()


def overrides_of(incident: Incident) -> list[Override]:
    """Why Security lets it go on although the diagnosis that counts says stop."""
    latest = incident.diagnoses.order_by("-id").values("pk")[:1]
    return list(Override.objects.filter(diagnosis=Subquery(latest)).select_related("account"))


def stop_of(report: Report | None, overrides: list[Override]) -> str:
    """The kind of override without which the diagnosis stops the way; "" if nothing does."""
    written = {override.kind for override in overrides}
    if report is None or not report.healthy or Override.Kind.HEALTHY_OWNER in written:
        return ""
    return Override.Kind.HEALTHY_OWNER


def _may_override(request: HttpRequest, incident: Incident) -> bool:
    is_requester = request.user.person_id == incident.requester_person_id
    return DutyName.SECURITY in wizard.somebody(request.user).duties and not is_requester


@wizard.action(diagnosis)
def diagnose(request: HttpRequest, incident: Incident, form: None) -> HttpResponse:
    """Read the live platform."""
    incidents_made.diagnose(incident, by=request.user)
    return wizard.done(request, incident, "diagnosis")


@wizard.action(diagnosis, OverrideForm)
def override(request: HttpRequest, incident: Incident, form: Form) -> HttpResponse:
    """Security writes down why it goes on."""
    incidents_made.override(incident, by=request.user, **form.cleaned_data)
    return wizard.done(request, incident, "diagnosis", _("Your reason is recorded. Both approvers will see it in red."))
