"""Requests and answers of the practice platform's small site, over plain WSGI. Nothing here knows what a page is about."""

import hmac
import json
import secrets
from collections.abc import Iterator
from html import escape
from http.cookies import SimpleCookie
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qs

LARGEST_FORM = 64 * 1024
FORM_TOKEN = "acme_token"
PAGES = Path(__file__).with_name("pages")
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
HEADERS = [
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
]


class Malformed(Exception):
    """The request cannot be read; the message says why."""


class Request:
    """What was sent, and the id that its log line and its audit rows carry. Raises Malformed."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.id = f"req-{secrets.token_hex(8)}"
        self.method: str = environ["REQUEST_METHOD"]
        self.path: str = environ["PATH_INFO"]
        self.sent_json = environ.get("CONTENT_TYPE", "").startswith("application/json")
        self.wants_json = self.sent_json or "application/json" in environ.get("HTTP_ACCEPT", "")
        self.cookies = {name: crumb.value for name, crumb in SimpleCookie(environ.get("HTTP_COOKIE", "")).items()}
        self.query = _first(environ.get("QUERY_STRING", ""))
        self.form = self._read_form(environ) if self.method == "POST" else {}
        self.form_token = self.cookies.get(FORM_TOKEN) or secrets.token_urlsafe(24)
        if any("\0" in word for word in self._words()):
            raise Malformed("A field holds a NUL character.")

    @property
    def is_forged(self) -> bool:
        """A foreign page can neither read our cookie nor send JSON without asking the browser first."""
        if self.method != "POST" or self.sent_json:
            return False
        return not hmac.compare_digest(self.form.get("token", "").encode(), self.cookies.get(FORM_TOKEN, "-").encode())

    def _read_form(self, environ: dict[str, Any]) -> dict[str, str]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > LARGEST_FORM:
            raise Malformed("The form is too large.")
        body = environ["wsgi.input"].read(length).decode(errors="replace")
        if not self.sent_json:
            return _first(body)
        try:
            fields = json.loads(body)
        except ValueError as error:
            raise Malformed("The body is no JSON.") from error
        if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
            raise Malformed("The body must be a JSON object of texts.")
        return fields

    def _words(self) -> Iterator[str]:
        for fields in (self.cookies, self.query, self.form):
            yield from fields.values()


class Answer:
    """A status, a body and headers; header names are written with underscores."""

    def __init__(self, body: str, *, status: int = 200, kind: str = "text/html", **headers: str) -> None:
        self.body, self.status = body.encode(), status
        self.headers = [("Content-Type", f"{kind}; charset=utf-8"), *HEADERS]
        self.headers += [(name.replace("_", "-"), value) for name, value in headers.items()]


def page(request: Request, name: str, *, status: int = 200, items: tuple[str, ...] = (), **facts: object) -> Answer:
    """A page of the folder pages/, every fact escaped; `items` become a list."""
    safe = {key: escape(str(value)) for key, value in facts.items()} | {"token": escape(request.form_token)}
    listed = "".join(f"<li>{escape(item)}</li>" for item in items)
    content = Template((PAGES / f"{name}.html").read_text()).substitute(safe, items=listed)
    whole = Template((PAGES / "frame.html").read_text()).substitute(content=content)
    cookie = f"{FORM_TOKEN}={request.form_token}; HttpOnly; SameSite=Strict; Path=/"
    return Answer(whole, status=status, Set_Cookie=cookie)


def as_json(facts: dict[str, Any], *, status: int = 200, **headers: str) -> Answer:
    return Answer(json.dumps(facts), status=status, kind="application/json", **headers)


def see_other(address: str, **headers: str) -> Answer:
    return Answer("", status=303, Location=address, **headers)


def _first(encoded: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(encoded, keep_blank_values=True).items()}
