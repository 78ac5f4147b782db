"""The only clock of a rule: the console database's, guarded against stepping back. Never the clock of a web host."""

from datetime import datetime

from django.db import connection

from audit.faults import as_refusals


def now() -> datetime:
    """The database's guarded moment, aware UTC, never earlier than one given before.

    Locks the clock's row until the transaction ends: call it in short transactions, after the incident, before the log.

    Raises:
        ClockMovedBack: the database's clock is more than two seconds behind what was already seen.
        LogBusy: another transaction held the clock for ten seconds.
    """
    with as_refusals(), connection.cursor() as cursor:
        cursor.execute("SELECT audit.now()")
        return cursor.fetchone()[0]
