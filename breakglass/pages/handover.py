"""The beneficiary's page: open without a session, useless without the code that an approver says on the telephone."""

from typing import Any
from uuid import UUID

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from audit.refusals import Refused
from breakglass.pages import forecasts
from breakglass.pages.change_forms import HandoverForm
from breakglass.pages.running import sign_in_address, verdict_of
from breakglass.pages.wizard import status_of
from breakglass.people.models import Account
from breakglass.procedure import execution, handover, login_proofs
from breakglass.procedure.models import Execution

GONE = {"handover_used": 410, "handover_voided": 410, "handover_expired": 410, "handover_unknown": 404}


@sensitive_post_parameters("password", "repeated", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    """Shows what will happen and takes code and password; a link that no longer counts says so and nothing else."""
    try:
        link = handover.look(token, session_account=_signed_in(request))
    except Refused as refusal:
        return _page(request, refusal=refusal, status=GONE.get(refusal.code, 403))
    form = HandoverForm(request.POST or None)
    if request.method != "POST":
        return _page(request, link=link, handover_form=form)
    if not form.is_valid():
        return _page(request, link=link, handover_form=form, status=422)
    return _handed_over(request, token, link, form)


def _handed_over(request: HttpRequest, token: str, link: Any, form: Form) -> HttpResponse:
    try:
        run = execution.hand_over(token, session_account=_signed_in(request), **form.cleaned_data)
    except Refused as refusal:
        is_over = refusal.code in GONE
        shown = {} if is_over else {"link": link, "handover_form": HandoverForm()}
        return _page(request, refusal=refusal, status=GONE.get(refusal.code, status_of(refusal)), **shown)
    return redirect("handover-done", run=run.pk)


@require_safe
def done(request: HttpRequest, run: UUID) -> HttpResponse:
    """What came of it, for the person who typed the password. The address holds no secret and opens nothing."""
    made = get_object_or_404(Execution.objects.select_related("run", "incident", "plan__choice"), run=run)
    context = {
        "verdict": verdict_of(made.run),
        "run": made.run,
        "platform": made.incident.platform,
        "login": made.plan.choice.login if made.plan else "",
        "sign_in_url": sign_in_address(made.incident),
        "check": login_proofs.result_of(made.login_checks.last()),
        **forecasts.facts(made.incident, None),
    }
    return render(request, "breakglass/handover_done.html", context)


def _signed_in(request: HttpRequest) -> Account | None:
    return request.user if request.user.is_authenticated else None


def _page(request: HttpRequest, *, status: int = 200, **facts: Any) -> HttpResponse:
    return render(request, "breakglass/handover.html", facts, status=status)
