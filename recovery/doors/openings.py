"""The access of one run, with its records: asked of the keeper, opened for the run alone, closed and proven whatever happens."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from audit import canonical, clock, events, log
from audit.refusals import Refused

from .. import platforms
from ..models import Access, AccessMode, Mandate, MandateRequest, Run
from ..platforms import Platform
from ..points import passed
from ..refusals import AccessNotPrepared, KeeperSilent, MandateRefused
from . import access, premade
from .access import Login
from .mandates import Mandate as MandateText

CHANNEL = "mandate_asked"  # the keeper listens on it, and looks by itself now and then
LONGEST = timedelta(seconds=90)
KEEPER_SECONDS = 8
PAUSE_SECONDS = 0.05


@contextmanager
def opened(run: Run, platform: Platform) -> Iterator[Login]:
    """A temporary login for this run. It is taken away when the block ends, also when the block raises.

    A pre-made login is only verified once more: a person has opened it, and a person closes it.

    Raises KeeperSilent, MandateRefused, DoorShut, AccessNotPrepared, AccessNotOpenAsAsked, kinds of PlatformRefused. A closing
    that fails does not raise: the run's outcome stands, the log says that the access is left over, and the worker goes on.
    """
    if run.mode == AccessMode.PREMADE:
        yield premade.verify(platform, _prepared(run))
        return
    login = access.prepare(uuid4())
    request = _ask(run, platform, login, until=LONGEST)
    try:
        passed("after_access_asked")
        signature = _answer(request)
        access.open(platform, login, mandate=mandate_of(request), signature=signature)
        passed("after_access_made")
        _record(request.access, events.ACCESS_OPENED, by=run.operator, opened_at=True)
        yield login
    finally:
        _close_quietly(request.access, platform, login)


def close(row: Access, *, by: str = "worker") -> Access:
    """Take the access away and prove it gone; may be repeated for ever, by anybody.

    Raises AccessNotProven, kinds of PlatformRefused: it is not proven yet.
    """
    platform = platforms.get(row.platform)
    if row.is_premade:
        proof = premade.prove(platform, row)
        return _record(row, events.ACCESS_PROVEN, by=by, closed_at=True, proven_at=True, proof=proof)
    return _close(row, platform, by=by, login=None)


def prepare(run: Run, platform: Platform) -> Access:
    """A pre-made login for this run, by the keeper's leave: until the window ends. Now a person may open it.

    Raises KeeperSilent, MandateRefused: nobody may open it for this run.
    """
    login = premade.login_of(key := uuid4(), database_name=run.database_name)
    request = _ask(run, platform, login, until=run.window_end - run.claimed_at)
    _answer(request)
    with transaction.atomic():
        log.append(events.ACCESS_PREPARED, by=run.operator, **_facts(request.access), until=request.until.isoformat())
    return Access.objects.select_related("run").get(pk=key)


def verify(row: Access, *, by: str) -> Access:
    """Look whether the pre-made login is open exactly as asked, and record the first time that it is.

    Raises AccessNotOpenAsAsked, kinds of PlatformRefused.
    """
    premade.verify(platforms.get(row.platform), row)
    return row if row.opened_at else _record(row, events.ACCESS_OPENED, by=by, opened_at=True)


def of_run(run: Run) -> list[Access]:
    """Every access of the run, the latest first; `is_agreed`: the keeper has signed it. Without that nothing is printed."""
    signed = Mandate.objects.filter(request__access=OuterRef("pk"), refusal="")
    asked = {"is_agreed": Exists(signed)}
    return list(run.accesses.annotate(**asked))


def agreed(run: Run) -> Access | None:
    """The latest access of the run to whose opening the keeper has agreed."""
    return next((row for row in of_run(run) if row.is_agreed), None)


def _prepared(run: Run) -> Access:
    row = agreed(run)
    if row is None or row.opened_at is None or row.proven_at is not None:
        raise AccessNotPrepared
    return row


def _ask(run: Run, platform: Platform, login: Login, *, until: timedelta) -> MandateRequest:
    """Put the question to the keeper. until: how long from now, and never beyond the window."""
    with transaction.atomic():
        now = clock.now()
        end = min(run.window_end, now + until)
        row = Access.objects.create(
            id=login.access_id, run=run, platform=platform.name, role_name=login.role, until=end, requested_at=now
        )
        request = MandateRequest.objects.create(
            access=row,
            run=run,
            kind=run.kind,
            incident=run.incident,
            digest=run.plan_digest,
            verifier_sha256=login.verifier_sha256,
            until=end,
            nonce=secrets.token_urlsafe(24),
            at=now,
        )
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
    return request


def _answer(request: MandateRequest) -> bytes:
    """The keeper's signature. Waits by the monotonic clock: how long a person is kept waiting is no rule."""
    end = time.monotonic() + KEEPER_SECONDS
    while (mandate := Mandate.objects.filter(request=request).first()) is None:
        if time.monotonic() > end:
            raise KeeperSilent(seconds=KEEPER_SECONDS)
        time.sleep(PAUSE_SECONDS)
    if mandate.refusal:
        raise MandateRefused(reason=mandate.refusal)
    return bytes.fromhex(mandate.signature)


def mandate_of(request: MandateRequest) -> MandateText:
    """What the keeper signs and the door compares, from one request and the run that it is for."""
    run = request.run
    return MandateText(
        access_id=request.access_id,
        kind=request.kind,
        incident=request.incident,
        digest=request.digest,
        verifier_sha256=request.verifier_sha256,
        until=request.until,
        nonce=request.nonce,
        system_identifier=run.system_identifier,
        database_name=run.database_name,
    )


def _close_quietly(row: Access, platform: Platform, login: Login) -> None:
    try:
        _close(row, platform, by=row.run.operator, login=login)
    except Refused as refused:
        with transaction.atomic():
            log.append(events.ACCESS_LEFT_OVER, by=row.run.operator, **_facts(row), why=refused.sentence)


def _close(row: Access, platform: Platform, *, by: str, login: Login | None) -> Access:
    ended = access.close(platform, row.id)
    passed("after_access_closed")
    proof = access.prove(platform, row.id, login=login)
    passed("after_access_proven")
    return _record(row, events.ACCESS_PROVEN, by=by, closed_at=True, proven_at=True, proof=proof | {"ended": ended})


def _record(row: Access, event: str, *, by: str, proof: dict[str, Any] | None = None, **moments: bool) -> Access:
    """Write the moments and what the platform said, once: somebody else may have proven it meanwhile."""
    with transaction.atomic():
        row = Access.objects.select_for_update(of=("self",)).select_related("run").get(pk=row.pk)
        if row.proven_at is not None:
            return row
        now = clock.now()
        changing: dict[str, Any] = {name: now for name in moments if getattr(row, name) is None}
        changing |= {"proof": canonical.line(proof)} if proof else {}
        Access.objects.filter(pk=row.pk).update(**changing)
        log.append(event, by=by, **{**_facts(row), **(proof or {})})
    row.refresh_from_db()
    return row


def _facts(row: Access) -> dict[str, str]:
    return {
        "incident": row.run.incident,
        "run": str(row.run_id),
        "access": str(row.id),
        "temporary_login": row.role_name,
    }
