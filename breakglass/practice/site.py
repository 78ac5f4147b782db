"""Acme's own sign-in site (WSGI): where the recovered person proves that the recovery worked. It knows nothing of the console.

Environment: ACME_DATABASE_URL, and ACME_LOG, the file that its backend log lines go to.
"""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from http.cookies import CookieError
from typing import Any

import psycopg

from breakglass.practice import acme
from breakglass.practice.web import PAGES, Answer, Malformed, Request, as_json, page, see_other

SESSION = "acme_session"
NOT_LET_IN = "That did not work. The e-mail, the password or the code is wrong, or the account may not sign in."
COLUMNS = ("id", "at", "actor", "action", "target", "request_id", "detail")


class Visit:
    """A request, the connection that serves it, the account behind its session, and what the log should say."""

    def __init__(self, request: Request, connection: acme.Connection) -> None:
        self.request, self.connection = request, connection
        session = request.cookies.get(SESSION)
        self.account = acme.signed_in(connection, session) if session else None
        self.event = f"{request.method} {request.path}"
        self.actor = self.account["email"] if self.account else ""


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """One request, one connection, one log line."""
    try:
        answer = _serve(Request(environ))
    except (Malformed, CookieError, psycopg.DataError) as error:
        answer = Answer(f"{error}\n", status=400, kind="text/plain")
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", answer.headers)
    return [answer.body]


def _serve(request: Request) -> Answer:
    with acme.connect(os.environ["ACME_DATABASE_URL"]) as connection:
        visit = Visit(request, connection)
        answer = _answer(visit)
    answer.headers.append(("X-Request-Id", request.id))
    _log(visit, answer)
    return answer


def _answer(visit: Visit) -> Answer:
    view = ROUTES.get((visit.request.method, visit.request.path))
    if view is None:
        return _said(visit, "There is no such page.", status=404)
    if visit.request.is_forged:
        return _said(visit, "The form was too old. Go back, reload the page and try again.", status=403)
    return view(visit)


def _log(visit: Visit, answer: Answer) -> None:
    line = {
        "ts": datetime.now(UTC).isoformat(),
        "level": "info" if answer.status < 400 else "warning",
        "request_id": visit.request.id,
        "event": visit.event,
        "actor": visit.actor,
        "status": answer.status,
    }
    with open(os.environ["ACME_LOG"], "a") as log:  # noqa: PTH123 - one short append, atomic between threads
        log.write(json.dumps(line) + "\n")


def style(visit: Visit) -> Answer:
    return Answer((PAGES / "style.css").read_text(), kind="text/css")


def home(visit: Visit) -> Answer:
    if visit.account is None:
        return see_other("/sign-in")
    facts = {name: visit.account[name] for name in ("email", "display_name", "role", "tenant")}
    return page(visit.request, "home", **facts)


def sign_in_form(visit: Visit) -> Answer:
    return page(visit.request, "sign_in", problem="", email="")


def sign_in(visit: Visit) -> Answer:
    typed = visit.request.form
    attempt = acme.Attempt(*(typed.get(name, "") for name in ("email", "password", "code", "new_password")))
    visit.actor = attempt.email
    try:
        session = acme.sign_in(visit.connection, attempt, visit.request.id)
    except acme.NotLetIn as reason:
        visit.event = f"sign_in.failed: {reason}"
        return _not_let_in(visit, attempt)
    visit.event = "sign_in"
    cookie = f"{SESSION}={session}; HttpOnly; SameSite=Lax; Path=/"
    if visit.request.wants_json:
        return as_json({"signed_in": True, "request_id": visit.request.id}, Set_Cookie=cookie)
    return see_other("/", Set_Cookie=cookie)


def _not_let_in(visit: Visit, attempt: acme.Attempt) -> Answer:
    if visit.request.wants_json:
        return as_json({"signed_in": False, "request_id": visit.request.id}, status=401)
    return page(visit.request, "sign_in", status=401, problem=NOT_LET_IN, email=attempt.email)


def sign_out(visit: Visit) -> Answer:
    acme.sign_out(visit.connection, visit.request.cookies.get(SESSION, ""))
    return see_other("/sign-in", Set_Cookie=f"{SESSION}=; Max-Age=0; Path=/")


def platform_settings(visit: Visit) -> Answer:
    """The page that proves ownership."""
    if not _is_owner(visit):
        return _only_for_owners(visit)
    rows = acme.tenants(visit.connection)
    if visit.request.wants_json:
        return as_json({"owner": visit.actor, "tenants": [row["slug"] for row in rows]})
    items = tuple(f"{row['name']} (suspended)" if row["suspended_at"] else row["name"] for row in rows)
    return page(visit.request, "settings", items=items, count=len(rows))


def audit_export(visit: Visit) -> Answer:
    """System, Audit log, Export: the file that the runbook asks for. since and until are ISO 8601 moments."""
    if not _is_owner(visit):
        return _only_for_owners(visit)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    since, until = (
        visit.request.query.get(name, default) for name, default in (("since", "-infinity"), ("until", "now"))
    )
    for row in acme.audit_rows(visit.connection, since, until):
        writer.writerow(row | {"at": row["at"].isoformat(), "detail": json.dumps(row["detail"])})
    return Answer(text.getvalue(), kind="text/csv", Content_Disposition='attachment; filename="acme-audit-log.csv"')


def _is_owner(visit: Visit) -> bool:
    return visit.account is not None and visit.account["is_owner"]


def _only_for_owners(visit: Visit) -> Answer:
    if visit.account is None:
        return as_json({"signed_in": False}, status=401) if visit.request.wants_json else see_other("/sign-in")
    return _said(visit, "Only a platform owner sees this page.", status=403)


def _said(visit: Visit, sentence: str, *, status: int) -> Answer:
    if visit.request.wants_json:
        return as_json({"error": sentence, "request_id": visit.request.id}, status=status)
    return page(visit.request, "said", status=status, sentence=sentence)


ROUTES: dict[tuple[str, str], Callable[[Visit], Answer]] = {
    ("GET", "/"): home,
    ("GET", "/style.css"): style,
    ("GET", "/sign-in"): sign_in_form,
    ("POST", "/sign-in"): sign_in,
    ("POST", "/sign-out"): sign_out,
    ("GET", "/platform-settings"): platform_settings,
    ("GET", "/audit-log.csv"): audit_export,
}
