"""What every page of the console shows besides its own matter. Reads only, and asks nothing for people who are not signed in."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from breakglass.people.models import Account, DutyName
from breakglass.procedure.models import Window
from breakglass.procedure.position import Standing

AT_REST = {"practice": settings.PRACTICE, "account": None, "open_windows": ()}


def console(request: HttpRequest) -> dict[str, Any]:
    """`console`: account, duties, the database's moment, open windows, practice. Lazy: an answer without page asks nothing."""
    return {"console": SimpleLazyObject(lambda: _facts(request))}


def of(request: HttpRequest, standing: Standing) -> dict[str, Any]:
    """The same for a page whose rules have asked for moment and windows already: it shows what they have seen."""
    if not standing.has_moment:
        return {}
    return {"console": _of_account(request.user, standing.moment, standing.open_windows)}


def _facts(request: HttpRequest) -> dict[str, Any]:
    account = getattr(request, "user", None)
    if account is None or not account.is_authenticated or not account.is_verified():
        return AT_REST | {"now": database_moment()}
    return _of_account(account, database_moment(), open_windows())


def _of_account(account: Account, moment: datetime, windows: list[Window]) -> dict[str, Any]:
    duties = [duty for duty in account.person.duties.all() if duty.is_live]
    return AT_REST | {
        "now": moment,
        "account": account,
        "duties": sorted(str(duty.get_name_display()) for duty in duties),
        "is_security": any(duty.name == DutyName.SECURITY for duty in duties),
        "open_windows": windows,
    }


def database_moment() -> datetime:
    """The database's clock for showing: not the guarded one, which takes a lock and belongs to the rules."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def open_windows() -> list[Window]:
    """The windows that are open by the database's clock, the one that ends first in front."""
    # An expression of the database: whether a window is open is never decided by this host's clock.
    open_now = Window.objects.extra(where=["during @> clock_timestamp()"])
    return list(open_now.select_related("incident").order_by("id"))
