"""What the console database's own refusals mean, by SQLSTATE. Anything it does not know goes on as the fault it is."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError

from audit.refusals import ClockMovedBack, LogBusy, LogOutOfOrder


@contextmanager
def as_refusals() -> Iterator[None]:
    """Turn the SQLSTATEs of schema audit (BG001, BG006, 55P03) into their Refused kinds."""
    try:
        yield
    except DatabaseError as error:
        state = getattr(error.__cause__, "sqlstate", None)
        if state == "BG001":
            raise ClockMovedBack(**json.loads(error.__cause__.diag.message_detail)) from error
        if state == "BG006":
            raise LogOutOfOrder from error
        if state == "55P03":
            raise LogBusy from error
        raise
