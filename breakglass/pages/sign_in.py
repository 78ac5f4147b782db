"""Sign-in: password, then code, then out. A new session key at each factor; a session of the password alone opens nothing."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_otp import login as bind_second_factor

from audit.refusals import Refused
from breakglass.pages.fields import CodeField
from breakglass.people import devices
from breakglass.people import sign_in as steps
from breakglass.people.models import Account
from breakglass.people.refusals import SignInSlow
from breakglass.people.sign_in import Origin

BACKEND = "breakglass.people.session_accounts.SessionAccounts"  # only loads the account of a session; it is never asked for a password
BETWEEN_FACTORS = 10 * 60  # seconds
LONGEST_PASSWORD = 1024


class PasswordForm(forms.Form):
    username = forms.CharField(
        label=_("Username"),
        max_length=64,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    code = CodeField()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["code"].widget.attrs["autofocus"] = True


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The first factor."""
    if request.user.is_authenticated:
        return _onward(request)
    form = PasswordForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _show(request, "sign_in", form, status=422 if request.POST else 200)
    try:
        account = steps.with_password(**form.cleaned_data, origin=origin(request))
    except Refused as refusal:
        return _refuse(request, "sign_in", form, refusal)
    login(request, account, backend=BACKEND)
    request.session.set_expiry(BETWEEN_FACTORS)
    return _to_page(request, "second-factor")


@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """The second factor; only now the session opens pages."""
    if not request.user.is_authenticated or request.user.is_verified():
        return _onward(request)
    form = CodeForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _show(request, "second_factor", form, status=422 if request.POST else 200)
    try:
        authenticator = steps.with_code(request.user, form.cleaned_data["code"], origin=origin(request))
    except Refused as refusal:
        return _refuse(request, "second_factor", form, refusal)
    bind_second_factor(request, authenticator)
    request.session.cycle_key()
    request.session.set_expiry(None)
    return _remembered(request, _onward(request))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """The session ends on the server."""
    if request.user.is_authenticated and request.user.is_verified():
        steps.ended(request.user)
    logout(request)
    return redirect("sign-in")


def account_of(request: HttpRequest) -> Account:
    """Who is signed in, on pages that are for people with both factors."""
    return cast(Account, request.user)


def origin(request: HttpRequest) -> Origin:
    """The client's address behind the trusted proxies (an IPv6 client is its /64), and its known-device cookie."""
    hops = [*request.headers.get("X-Forwarded-For", "").split(","), request.META.get("REMOTE_ADDR", "")]
    named = hops[max(len(hops) - 1 - settings.TRUSTED_PROXIES, 0)].strip()
    return Origin(address=_address(named), cookie=request.COOKIES.get(devices.COOKIE, ""))


def _address(named: str) -> str:
    try:
        address = ip_address(named)
    except ValueError:
        return ""  # a socket without addresses, or nonsense in a header: one lane for all of them
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)


def _show(request: HttpRequest, page: str, form: forms.Form, *, status: int = 200, **facts: Any) -> HttpResponse:
    context = {"form": form, "next": _next(request), **facts}
    return render(request, f"breakglass/{page}.html", context, status=status)


def _refuse(request: HttpRequest, page: str, form: forms.Form, refusal: Refused) -> HttpResponse:
    response = _show(request, page, form, status=429 if isinstance(refusal, SignInSlow) else 422, refusal=refusal)
    if isinstance(refusal, SignInSlow):
        response.headers["Retry-After"] = str(refusal.facts["wait"])
    return response


def _onward(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated and request.user.is_verified():
        return redirect(_next(request) or "/")
    return _to_page(request, "second-factor" if request.user.is_authenticated else "sign-in")


def _to_page(request: HttpRequest, name: str) -> HttpResponse:
    query = urlencode({"next": _next(request)}, safe="/") if _next(request) else ""
    return redirect(f"{reverse(name)}?{query}" if query else reverse(name))


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else ""


def _remembered(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    response.set_cookie(
        devices.COOKIE,
        devices.remember(account_of(request), request.COOKIES.get(devices.COOKIE, "")),
        max_age=devices.LIFE,
        path=reverse("sign-in"),
        secure=getattr(settings, "SESSION_COOKIE_SECURE", False),
        httponly=True,
        samesite="Lax",
    )
    return response
