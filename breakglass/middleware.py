"""What every request passes: headers that keep foreign code out, well-formed text, both factors. Never a rule of the procedure."""

from collections.abc import Callable, Iterator
from itertools import chain

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import redirect
from django.urls import Resolver404, resolve
from django.utils.translation import gettext_lazy as _

Handler = Callable[[HttpRequest], HttpResponse]

# Pages for people who are not signed in, by the names that their URLs have.
OPEN_PAGES = {"health", "sign-in", "second-factor", "sign-out", "enrol", "handover", "handover-done"}
NOT_TEXT = _(
    "The page was sent something that is not text (a NUL or half a character). Nothing was changed. "
    "Go back, type the field again instead of pasting it, and send it once more."
)
TOO_BIG = _(
    "The page was sent more than it takes. Nothing was changed. Go back, shorten the text or cut the file, and send it once more."
)
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), publickey-credentials-get=(self)"


def security_headers(get_response: Handler) -> Handler:
    """Every answer, errors too: own scripts and styles only, no powers, and no copy kept by browser or proxy."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", settings.SECURE_CSP)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def both_factors(get_response: Handler) -> Handler:
    """Password and second factor for every page that is not open by name; text that PostgreSQL can store for all of them."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return _refusal_of_input(request) or _way_to_sign_in(request) or get_response(request)

    return middleware


def _refusal_of_input(request: HttpRequest) -> HttpResponse | None:
    # Before anything asks for the session: its key comes from a cookie, and PostgreSQL takes no NUL.
    try:
        if all(_is_text(word) for word in _words(request)):
            return None
        return _plain(NOT_TEXT, status=400)
    except (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent):
        return _plain(TOO_BIG, status=413)
    except MultiPartParserError:
        return _plain(NOT_TEXT, status=400)


def _words(request: HttpRequest) -> Iterator[str]:
    yield request.path_info
    yield from chain.from_iterable(request.COOKIES.items())
    for fields in (request.GET, request.POST):
        for name, values in fields.lists():
            yield from (name, *values)
    for name, uploads in request.FILES.lists():
        yield from (name, *(upload.name or "" for upload in uploads))


def _is_text(word: str) -> bool:
    return "\0" not in word and not any("\ud800" <= letter <= "\udfff" for letter in word)


def _plain(sentence: object, *, status: int) -> HttpResponse:
    # No template: its context would ask for the very session that may not be asked for.
    return HttpResponse(f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8")


def _way_to_sign_in(request: HttpRequest) -> HttpResponse | None:
    if _page(request) in OPEN_PAGES:
        return None
    if not request.user.is_authenticated:
        # What was posted cannot be posted again for them: they come back to the page that they posted from.
        return redirect_to_login(request.get_full_path()) if request.method == "GET" else redirect("sign-in")
    if not request.user.is_verified():
        return redirect("second-factor")
    return None


def _page(request: HttpRequest) -> str | None:
    try:
        return resolve(request.path_info).url_name
    except Resolver404:
        return None
