"""The page behind an invitation's link: a password, an authenticator's QR code, the first code. Looking at it writes nothing."""

from typing import Any

import segno
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from audit.refusals import Refused
from breakglass.pages.fields import CodeField
from breakglass.pages.sign_in import LONGEST_PASSWORD
from breakglass.people import enrolment, factors, invitations
from breakglass.people.models import Invitation
from breakglass.people.refusals import InvitationDead, SignInSlow


def password_field(label: Any, autocomplete: str) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=LONGEST_PASSWORD, strip=False, widget=widget)


class NewPasswordForm(forms.Form):
    password = password_field(_("New password"), "new-password")
    repeated = password_field(_("The same password again"), "new-password")
    code = CodeField()


class PresentPasswordForm(forms.Form):
    password = password_field(_("Your present password"), "current-password")
    code = CodeField()


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def enrol(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the invitation asks for, and use it once."""
    try:
        invitation = invitations.find(token)
    except InvitationDead as refusal:
        return render(request, "breakglass/enrol_dead.html", {"refusal": refusal}, status=410)
    form_class = NewPasswordForm if invitation.kind in enrolment.SETS_PASSWORD else PresentPasswordForm
    form = form_class(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _show(request, invitation, token, form, status=422 if request.POST else 200)
    try:
        account = enrolment.accept(token, **form.cleaned_data)
    except Refused as refusal:
        status = 429 if isinstance(refusal, SignInSlow) else 422
        return _show(request, invitation, token, form, status=status, refusal=refusal)
    return render(request, "breakglass/enrolled.html", {"enrolled": account})


def qr(text: str) -> SafeString:
    """A QR code as an inline SVG of attributes and classes only: it passes the content security policy."""
    drawing = segno.make(text, error="m", micro=False).svg_inline(scale=4, omitsize=True, border=4)
    return mark_safe(drawing)


def _show(
    request: HttpRequest, invitation: Invitation, token: str, form: forms.Form, *, status: int, **facts: Any
) -> HttpResponse:
    if invitation.kind in enrolment.SETS_FACTOR:
        seed = invitations.seed_of(token)
        key = factors.text_key(seed)
        facts["key"] = " ".join(key[start : start + 4] for start in range(0, len(key), 4))
        facts["qr"] = qr(factors.provisioning_uri(invitation.account.username, seed))
    return render(request, "breakglass/enrol.html", {"invitation": invitation, "form": form, **facts}, status=status)
