"""The keeper: signs a mandate for a door only after reading for itself that the run is approved and the window open.

A process of its own with a read-only login and the key. It never signs for anything that it has not itself read.
"""

import logging
import threading
from datetime import datetime

import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit import clock, events, log
from audit.refusals import Refused
from breakglass.procedure import keeper_rules
from recovery.doors import mandates, openings
from recovery.models import Mandate, MandateRequest

CHANNEL = "mandate_asked"
POLL = 0.5  # seconds; a notification wakes it earlier
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds between two tries to reach a database that is away
LOST = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
SHORTEST_KEY = 32  # bytes

logger = logging.getLogger(__name__)


def key() -> bytes:
    """The keeper's key from the settings. Raises ImproperlyConfigured when it is missing, short or not hexadecimal."""
    try:
        found = bytes.fromhex(settings.KEEPER_KEY.strip())
    except ValueError as error:
        raise ImproperlyConfigured(_("KEEPER_KEY is not hexadecimal.")) from error
    if len(found) < SHORTEST_KEY:
        raise ImproperlyConfigured(_("The keeper needs KEEPER_KEY: at least 32 bytes as hexadecimal digits."))
    return found


def answer(request: MandateRequest) -> Mandate | None:
    """Sign or refuse one request, recorded and logged in one transaction. None: another keeper was faster.

    Raises:
        ClockMovedBack, LogBusy: nothing was answered.
    """
    try:
        with transaction.atomic():
            return _answer(request, now=clock.now())
    except IntegrityError:
        if Mandate.objects.filter(request=request).exists():
            return None
        raise


def _answer(request: MandateRequest, *, now: datetime) -> Mandate:
    refusal = " ".join(keeper_rules.objections(request, now=now))
    signature = ""
    if not refusal:
        try:
            signature = _sign(request)
        except ValueError as error:
            refusal = f"{str(error).rstrip('.')}."
    mandate = Mandate.objects.create(request=request, signature=signature, refusal=refusal, at=now)
    log.append(
        events.MANDATE_REFUSED if refusal else events.MANDATE_SIGNED,
        by="keeper",
        incident=request.incident,
        run=str(request.run_id),
        access=str(request.access_id),
        kind=request.kind,
        digest=request.digest,
        until=request.until.isoformat(),
        **({"refusal": refusal} if refusal else {}),
    )
    return mandate


def _sign(request: MandateRequest) -> str:
    """The signature over what was just checked, in hex. Raises ValueError when a part has no sound form."""
    run = request.run
    place = {"system_identifier": run.system_identifier, "database_name": run.database_name}
    return mandates.sign(openings.mandate_of(request), mandates.door_key(key(), **place)).hex()


def answer_all() -> int:
    """Answer every request that is still of use; returns how many were answered."""
    waiting = (
        MandateRequest.objects.filter(mandate=None, until__gt=Now()).select_related("access", "run").order_by("pk")
    )
    return sum(1 for request in waiting if answer(request) is not None)


class Keeper:
    """The loop: waits for requests, comes back after the database was away, ends at `stop`."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    def stop(self, *_signal: object) -> None:
        self._ended.set()

    def run(self) -> None:
        """Serve until stopped. A lost database is waited for; any other fault rises."""
        key()
        pause = FIRST_PAUSE
        while not self._ended.is_set():
            try:
                self._listen()
                pause = FIRST_PAUSE
                self._serve()
            except LOST as error:
                logger.warning("The database is away, trying again in %.1f s: %s", pause, error)
                _forget_connection()
                self._ended.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        _forget_connection()

    def _listen(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                answer_all()
            except Refused as refused:
                logger.warning("No answer: %s", refused)
            for _note in connection.connection.notifies(timeout=POLL, stop_after=1):
                break


def _forget_connection() -> None:
    """Close what is left of a connection; closing a broken one may itself fail, which changes nothing."""
    try:
        connection.close()
    except Error as error:
        logger.debug("The broken connection could not be closed: %s", error)
