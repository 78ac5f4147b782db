"""The page "People": who there is and with which duties; what one of Security proposes and another confirms. Decides nothing."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from audit.refusals import Refused
from breakglass.pages.context import database_moment
from breakglass.pages.enrolment import qr
from breakglass.pages.people_forms import ConfirmForm, ProposeDutyForm, ProposePersonForm, ProposeResetForm
from breakglass.pages.sign_in import account_of
from breakglass.people import accounts, duties, invitations
from breakglass.people.models import Account, Duty, DutyName, Invitation, Person

View = Callable[..., HttpResponse]
STATUS = {
    "duty_missing": 403,
    "account_disabled": 403,
    "practice_meets_real": 403,
    "two_people_needed": 403,
    "code_refused": 422,
    "code_already_used": 422,
    "sign_in_slow": 429,
}


def for_security(view: View) -> View:
    """The page is for people of Security; the steps ask again by themselves."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **address: Any) -> HttpResponse:
        if not account_of(request).person.has_duty(DutyName.SECURITY):
            raise PermissionDenied
        return view(request, *args, **address)

    return guarded


@require_safe
@for_security
def people(request: HttpRequest) -> HttpResponse:
    """Everybody, and what waits for a second person."""
    return _show_people(request)


@require_safe
@for_security
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: duties, accounts, links."""
    return _show_person(request, get_object_or_404(_visible(request), pk=pk))


@require_POST
@for_security
def propose_person(request: HttpRequest) -> HttpResponse:
    form = ProposePersonForm(request.POST)
    if not form.is_valid():
        return _show_people(request, status=422, form=form)
    try:
        invitation = invitations.propose_person(by=request.user, **form.cleaned_data)
    except Refused as refusal:
        return _show_people(request, status=_status(refusal), form=form, refusal=refusal)
    return _done(request, invitation.account.person_id, _("Proposed. Somebody else of Security has to confirm it."))


@require_POST
@for_security
def propose_duty(request: HttpRequest, pk: int) -> HttpResponse:
    human, form = get_object_or_404(_visible(request), pk=pk), ProposeDutyForm(request.POST)
    return _press(
        request,
        human,
        form,
        "duty_form",
        lambda: duties.propose(human, form.cleaned_data["name"], by=request.user),
        _("Proposed. Somebody else of Security has to confirm it."),
    )


@require_POST
@for_security
def confirm_duty(request: HttpRequest, pk: int) -> HttpResponse:
    duty, form = _duty(request, pk), ConfirmForm(request.POST)
    return _press(
        request,
        duty.person,
        form,
        "confirm_form",
        lambda: duties.confirm(duty, by=request.user, code=form.cleaned_data["code"]),
        _("The duty is confirmed and counts from now on."),
    )


@require_POST
@for_security
def end_duty(request: HttpRequest, pk: int) -> HttpResponse:
    duty = _duty(request, pk)
    return _press(
        request,
        duty.person,
        None,
        "",
        lambda: duties.end(duty, by=request.user),
        _("The duty has ended. What was approved with it no longer counts."),
    )


@require_POST
@for_security
def propose_reset(request: HttpRequest, pk: int) -> HttpResponse:
    account, form = _account(request, pk), ProposeResetForm(request.POST)
    return _press(
        request,
        account.person,
        form,
        "reset_form",
        lambda: invitations.propose_reset(account, kind=form.cleaned_data["kind"], by=request.user),
        _("Proposed. Somebody else of Security has to confirm it, and then gets the link."),
    )


@require_POST
@for_security
def disable_account(request: HttpRequest, pk: int) -> HttpResponse:
    account = _account(request, pk)
    said = _("The account is disabled. Its sessions end with their next click.")
    return _press(request, account.person, None, "", lambda: accounts.disable(account, by=request.user), said)


@require_POST
@for_security
def confirm_invitation(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm and show the link, once: it is in no redirect, no session and no log."""
    waiting = Invitation.objects.select_related("account__person").filter(account__person__in=_visible(request))
    invitation, form = get_object_or_404(waiting, pk=pk), ConfirmForm(request.POST)
    human = invitation.account.person
    if not form.is_valid():
        return _show_person(request, human, status=422, confirm_form=form)
    try:
        token = invitations.confirm(invitation, by=request.user, code=form.cleaned_data["code"])
    except Refused as refusal:
        return _show_person(request, human, status=_status(refusal), refusal=refusal)
    link = settings.BASE_URL.rstrip("/") + reverse("enrol", args=[token])
    return render(request, "breakglass/people_link.html", {"person": human, "link": link, "qr": qr(link)})


def _press(
    request: HttpRequest, human: Person, form: forms.Form | None, name: str, act: Callable[[], Any], said: str
) -> HttpResponse:
    again = {name: form} if form is not None else {}
    if form is not None and not form.is_valid():
        return _show_person(request, human, status=422, **again)
    try:
        act()
    except Refused as refusal:
        return _show_person(request, human, status=_status(refusal), refusal=refusal, **again)
    return _done(request, human.pk, said)


def _done(request: HttpRequest, pk: int, said: str) -> HttpResponse:
    messages.success(request, said)
    return redirect("person", pk)


def _status(refusal: Refused) -> int:
    return STATUS.get(refusal.code, 409)


def _visible(request: HttpRequest) -> QuerySet[Person]:
    seen = Person.objects.filter(practice=account_of(request).person.practice)
    return seen.prefetch_related("duties__proposed_by", "duties__confirmed_by", "accounts")


def _duty(request: HttpRequest, pk: int) -> Duty:
    return get_object_or_404(Duty.objects.select_related("person").filter(person__in=_visible(request)), pk=pk)


def _account(request: HttpRequest, pk: int) -> Account:
    return get_object_or_404(Account.objects.select_related("person").filter(person__in=_visible(request)), pk=pk)


def _waiting(request: HttpRequest, **about: Any) -> QuerySet[Invitation]:
    proposed = Invitation.objects.filter(confirmed_at=None, expires_at__gt=database_moment(), **about)
    return proposed.filter(account__person__in=_visible(request)).select_related("account__person", "proposed_by")


def _show_people(request: HttpRequest, *, status: int = 200, **facts: Any) -> HttpResponse:
    waiting = Duty.objects.filter(confirmed_at=None, ended_at=None, person__in=_visible(request))
    facts = {
        "nav": "people",
        "people": _visible(request),
        "waiting_duties": waiting.select_related("person", "proposed_by").order_by("pk"),
        "waiting_links": _waiting(request).order_by("pk"),
        "form": ProposePersonForm(),
        **facts,
    }
    return render(request, "breakglass/people.html", facts, status=status)


def _show_person(request: HttpRequest, human: Person, *, status: int = 200, **facts: Any) -> HttpResponse:
    # Read anew: after a refusal the page must show how it stands now.
    human = _visible(request).get(pk=human.pk)
    open_duties = sorted((duty for duty in human.duties.all() if not duty.ended_at), key=lambda duty: duty.pk)
    facts = {
        "nav": "people",
        "person": human,
        "open_duties": open_duties,
        "ended_duties": [duty for duty in human.duties.all() if duty.ended_at],
        "waiting_links": _waiting(request, account__person=human),
        "is_oneself": human.pk == account_of(request).person_id,
        "duty_form": ProposeDutyForm(),
        "reset_form": ProposeResetForm(),
        "confirm_form": ConfirmForm(),
        **facts,
    }
    return render(request, "breakglass/people_person.html", facts, status=status)
