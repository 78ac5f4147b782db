"""How every page of an incident works: load or 404, the open step or back to it, one step per press, refusals on the page.

Where an incident stands is read from its records by procedure.position; nothing here decides a rule.
"""

from collections.abc import Callable
from functools import update_wrapper, wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Subquery, prefetch_related_objects
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import reverse

from audit.models import Entry
from audit.refusals import Refused
from breakglass.pages import context
from breakglass.people.models import Account
from breakglass.procedure import policy, position
from breakglass.procedure.models import Incident
from breakglass.procedure.position import Standing
from breakglass.procedure.states import FINAL, State

Facts = dict[str, Any]
FORBIDDEN = {
    "duty_missing",
    "account_disabled",
    "practice_meets_real",
    "participant_may_not_approve",
    "beneficiary_may_not_approve",
    "beneficiary_may_not_take_part",
    "approver_may_not_take_part",
    "override_by_requester",
    "not_your_approval",
    "not_an_approver",
    "handover_is_for_the_beneficiary",
    "waiver_by_somebody_else",
    "judgement_by_somebody_else",
    "review_by_somebody_else",
}
NOT_WELL_MADE = {
    "code_refused",
    "code_already_used",
    "code_wrong",
    "text_missing",
    "text_too_long",
    "text_unreadable",
    "passwords_differ",
    "password_too_short",
    "password_too_long",
    "password_is_the_login",
    "password_unreadable",
    "password_refused",
    "receipt_unreadable",
    "receipt_of_another",
    "receipt_altered",
    "waiver_needs_an_end",
    "evidence_empty",
    "evidence_kind_unknown",
    "backlog_address_wrong",
}
TOO_OFTEN = {"sign_in_slow"}


def status_of(refusal: Refused) -> int:
    """403 for the wrong person, 422 for what was typed, 429 for too often, else 409: it does not fit what is true now."""
    if refusal.code in FORBIDDEN:
        return 403
    if refusal.code in TOO_OFTEN:
        return 429
    return 422 if refusal.code in NOT_WELL_MADE else 409


def require_duty(account: Account) -> None:
    """Pages of incidents are for people with a live duty.

    Raises:
        PermissionDenied: there is none.
    """
    prefetch_related_objects([account.person], "duties")  # read once: every page asks for them several times
    if not any(duty.is_live for duty in account.person.duties.all()):
        raise PermissionDenied


def visible(account: Account) -> Any:
    """The incidents that an account may see: practice people see practice only."""
    seen = Incident.objects.select_related("requester_account", "requester_person")
    return seen.filter(practice=True) if account.person.practice else seen


def load(request: HttpRequest, reference: str) -> Incident:
    """The incident with its `latest_entry` in the log, for somebody with a duty; else 403 or 404."""
    require_duty(request.user)
    entries = Entry.objects.filter(incident=OuterRef("reference")).order_by("-seq").values("seq")[:1]
    try:
        return visible(request.user).annotate(latest_entry=Subquery(entries)).get(reference=reference)
    except Incident.DoesNotExist as nothing:
        raise Http404(reference) from nothing


class Page:
    """One step's page. `facts(request, standing)` reads what its template shows; the standing is read once for the page."""

    def __init__(self, key: str, template: str, facts: Callable[[HttpRequest, Standing], Facts]) -> None:
        self.key, self.template, self.facts = key, template, facts
        update_wrapper(self, facts)

    def __call__(self, request: HttpRequest, reference: str) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return self._page(request, load(request, reference))

    def show(self, request: HttpRequest, incident: Incident, *, status: int = 200, **extra: Any) -> HttpResponse:
        """The page as it is after a press, read anew; a refused form keeps what was typed, and says why."""
        return self._page(request, load(request, incident.reference), status=status, **extra)

    def _page(self, request: HttpRequest, incident: Incident, *, status: int = 200, **extra: Any) -> HttpResponse:
        standing = Standing(incident)
        rail = position.steps(incident, person=request.user.person, standing=standing)
        if not _is_reached(self.key, rail):
            return self._not_reached(request, standing, rail, extra.get("refusal"), status)
        shown = {"incident": incident, "rail": rail, "here": self.key, "pulse": pulse_of(incident)}
        shown |= _place(self.key, rail) | _stage(incident) | self.facts(request, standing) | extra
        return render(request, self.template, shown | context.of(request, standing), status=status)

    def _not_reached(
        self, request: HttpRequest, standing: Standing, rail: list, refusal: Refused | None, status: int
    ) -> HttpResponse:
        way = first_open(standing.incident, standing)
        if refusal is None:
            return redirect(way)
        shown = {"incident": standing.incident, "rail": rail, "refusal": refusal, "way": way}
        return render(request, "breakglass/refused.html", shown | context.of(request, standing), status=status)


def page(key: str, template: str) -> Callable[[Callable[[HttpRequest, Standing], Facts]], Page]:
    """Make a function that reads facts the page of the step `key`."""
    return lambda facts: Page(key, template, facts)


def action(
    on: Page, form_class: type[Form] | None = None
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Make a function one press on a page: POST, a well-made form, one step. GET leads to the page (reload, back button).

    The function gets (request, incident, form, **address). A Refused shows the page again with its sentences.
    """

    def decorate(press: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(press)
        def view(request: HttpRequest, reference: str, **address: Any) -> HttpResponse:
            incident = load(request, reference)
            if request.method in ("GET", "HEAD"):
                return redirect(address_of(incident, on.key))
            if request.method != "POST":
                return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
            form = _filled(form_class, request, incident)
            again = {} if form is None else {form.name: form, "form_in_hand": form.name, **address}
            if form is not None and not form.is_valid():
                return on.show(request, incident, status=422, **again)
            try:
                return press(request, incident, form, **address)
            except Refused as refusal:
                return on.show(request, incident, status=status_of(refusal), refusal=refusal, **again)

        return view

    return decorate


def _filled(form_class: type[Form] | None, request: HttpRequest, incident: Incident) -> Form | None:
    if form_class is None:
        return None
    return form_class(request.POST, request.FILES, incident=incident, account=request.user)


def done(request: HttpRequest, incident: Incident, key: str, said: object = "") -> HttpResponse:
    """After a step: what was done in a sentence, and on to the page of `key` ("" = the first open step)."""
    if said:
        messages.success(request, str(said))
    return redirect(address_of(incident, key) if key else reverse("incident", args=[incident.reference]))


def address_of(incident: Incident, key: str) -> str:
    """The address of one step's page."""
    return reverse(f"incident-{key}", args=[incident.reference])


def first_open(incident: Incident, standing: Standing | None = None) -> str:
    """The address of the step that is open now."""
    return address_of(incident, position.first_open(incident, standing=standing))


def pulse_of(incident: Incident) -> str:
    """A short text that changes whenever something happens to the incident: the number of its latest log entry."""
    return f"{incident.state} {incident.latest_entry}"


def _is_reached(key: str, rail: list) -> bool:
    return all(step.state != "later" for step in rail if step.key == key)


def _place(key: str, rail: list) -> Facts:
    for number, step in enumerate(rail, start=1):
        if step.key == key:
            return {"step_number": number, "step_count": len(rail), "step_title": step.title}
    return {}


def _stage(incident: Incident) -> Facts:
    state = State(incident.state)
    is_editable = state in {State.OPENED, State.DIAGNOSED, State.PLANNED}
    return {"is_editable": is_editable, "is_final": state in FINAL, "has_run": not is_editable and state not in FINAL}


def somebody(account: Account) -> policy.Somebody:
    """The account's person as the rules see one."""
    duties = frozenset(duty.name for duty in account.person.duties.all() if duty.is_live)
    return policy.Somebody(account.person_id, duties, account.person.practice)
