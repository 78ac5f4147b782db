"""What the console database's own refusals mean, by SQLSTATE. Anything it does not know goes on as the fault it is."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import DatabaseError

from audit.refusals import ClockMovedBack, LogBusy, LogOutOfOrder


@contextmanager
def as_refusals() -> Iterator[None]:
    """Turn the SQLSTATEs of schema audit (BG001, BG006, 55P03) into their Refused kinds."""
    try:
        yield
    except DatabaseError as error:
        told = error.__cause__ if isinstance(error.__cause__, psycopg.Error) else psycopg.Error()
        state = told.sqlstate
        if state == "BG001":
            raise ClockMovedBack(**json.loads(told.diag.message_detail or "{}")) from error
        if state == "BG006":
            raise LogOutOfOrder from error
        if state == "55P03":
            raise LogBusy from error
        raise
