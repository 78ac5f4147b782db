"""What a page says when the console itself fails: that its database is away is told apart from every other fault."""

import sys

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader

AWAY = ("08", "57P")  # SQLSTATE classes of a broken connection and of a server that goes down or comes up


def server_error(request: HttpRequest) -> HttpResponse:
    """503 when the console's database does not answer, else 500. No context: it would ask that very database."""
    name = "503.html" if is_away(sys.exc_info()[1]) else "500.html"
    return HttpResponse(loader.get_template(name).render(), status=int(name[:3]))


def is_away(fault: BaseException | None) -> bool:
    """Whether the fault is a database that cannot be reached or that went away."""
    if not isinstance(fault, DatabaseError | InterfaceError):
        return False
    state = getattr(fault.__cause__, "sqlstate", None) or ""
    return state.startswith(AWAY) or (not state and isinstance(fault, OperationalError | InterfaceError))
