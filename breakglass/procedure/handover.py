"""The page on which the beneficiary types the password: a link from the operator and a code from an approver, each useless alone.

Neither the link's token nor the code is stored: of the token there is a SHA-256, the code is derived again when it is asked for.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from audit import clock, events, log
from breakglass.people.models import Account
from breakglass.people.step_up import SHOW_CODE, SHOW_HANDOVER, StepUp
from breakglass.procedure import approvals, colleagues, planning, standing, waiting, window_ends
from breakglass.procedure.change_refusals import (
    ChangeAlreadyMade,
    ChangeUnknownYet,
    CodeWrong,
    HandoverExpired,
    HandoverIsForTheBeneficiary,
    HandoverUnknown,
    HandoverUsed,
    HandoverVoided,
    NoPasswordNeeded,
    NotAnApprover,
)
from breakglass.procedure.models import Execution, Handover, Incident, Participant, Plan, Window
from breakglass.procedure.refusals import PlanVoid, WindowClosed
from breakglass.procedure.steps import recorded, step
from recovery.models import AccessMode, RunKind, RunState

LIFETIME = timedelta(minutes=10)
TRIES = 5
WITH_PASSWORD = frozenset({RunKind.CREATE, RunKind.RESET})
CROCKFORD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")
HEARD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def digest_of_current(incident: Incident) -> str:
    """What a fresh code is bound to before the incident is locked; "" while there is no plan."""
    plan = planning.current(incident)
    return plan.digest if plan else ""


@step(step_up=SHOW_HANDOVER, digest=digest_of_current)
def show(incident: Incident, *, by: Account, step_up: StepUp) -> tuple[Handover, str]:
    """Make a link for the beneficiary and void older ones. Called with `code=`, a fresh one of the operator.

    Returns:
        The record, and the link: it is given out here once and can never be read again.

    Raises:
        WindowClosed, PlanVoid, NoPasswordNeeded, ChangeAlreadyMade, ChangeUnknownYet: it is not the moment.
        BeneficiaryMayNotTakePart, ApproverMayNotTakePart: it is not the person.
    """
    incident = standing.lock(incident)
    plan, window = require_open(incident)
    if plan.outcome not in WITH_PASSWORD:
        raise NoPasswordNeeded
    waiting.require_ready(plan)
    colleagues.take_part(incident, by=by, part=Participant.Part.RAN)
    now, token = clock.now(), secrets.token_urlsafe(32)
    Handover.objects.filter(incident=incident, used_at=None, voided_at=None).update(voided_at=now)
    handover = Handover.objects.create(
        incident=incident,
        account=by,
        person=by.person,
        at=now,
        window=window,
        plan=plan,
        token_sha256=_hashed(token),
        expires_at=min(now + LIFETIME, window.during.upper),
    )
    log.append(
        events.HANDOVER_SHOWN,
        by=by.username,
        incident=incident.reference,
        handover=handover.pk,
        plan=plan.number,
        expires_at=handover.expires_at.isoformat(),
    )
    return handover, f"{settings.BASE_URL}/handover/{token}/"


def require_open(incident: Incident) -> tuple[Plan, Window]:
    """The plan that counts, not yet run, and the window open for it by the database's clock.

    Raises:
        ChangeAlreadyMade, ChangeUnknownYet, WindowClosed, PlanVoid
    """
    plan, window = planning.current(incident), window_ends.current(incident)
    if plan is not None:
        _check_not_run(plan)
    if plan is None or window is None or window.plan_id != plan.pk:
        raise WindowClosed
    if planning.is_void(plan):
        raise PlanVoid
    return plan, window


def _check_not_run(plan: Plan) -> None:
    """A plan runs once; only a run that is known to have changed nothing lets another one begin.

    A run that waits for its pre-made login has not begun.
    """
    begun = Execution.objects.filter(plan=plan).exclude(run__mode=AccessMode.PREMADE, run__state=RunState.INTENT)
    states = set(begun.values_list("run__state", flat=True))
    if RunState.COMMITTED in states:
        raise ChangeAlreadyMade
    if states - {RunState.ABORTED}:
        raise ChangeUnknownYet


@step(step_up=SHOW_CODE, digest=lambda handover: handover.plan.digest)
def approver_code(handover: Handover, *, by: Account, step_up: StepUp) -> str:
    """The code that an approver reads out to the person he recognises, as two groups of four. Called with `code=`.

    Raises:
        NotAnApprover: the account's person does not stand behind a living approval of this plan.
        HandoverUsed, HandoverVoided, HandoverExpired: the link is of no use any more.
    """
    incident = standing.lock(handover.incident)
    handover.refresh_from_db()
    check_usable(handover, now=clock.now())
    if by.person_id not in {approval.person_id for approval in approvals.live(handover.plan).values()}:
        raise NotAnApprover
    log.append(events.HANDOVER_CODE_SHOWN, by=by.username, incident=incident.reference, handover=handover.pk)
    return code_of(handover)


def code_of(handover: Handover) -> str:
    """Forty bits that follow from the link's hash and the console's secret, in Crockford's alphabet."""
    key = hmac.digest(settings.SECRET_KEY.encode(), b"breakglass handover code", hashlib.sha256)
    bits = hmac.digest(key, f"{handover.pk}:{handover.token_sha256}".encode(), hashlib.sha256)[:5]
    code = base64.b32encode(bits).decode().translate(CROCKFORD)
    return f"{code[:4]}-{code[4:]}"


def current(incident: Incident, *, at: datetime | None = None) -> Handover | None:
    """The link that can still be used at this moment (the guarded clock), if there is one."""
    now = at or clock.now()
    return (
        Handover.objects.select_related("incident", "plan__beneficiary", "window", "account")
        .filter(incident=incident, used_at=None, voided_at=None, expires_at__gt=now, window__during__contains=now)
        .last()
    )


def find(token: str) -> Handover:
    """The record behind a link that can be used now.

    Raises:
        HandoverUnknown, HandoverUsed, HandoverVoided, HandoverExpired
    """
    handover = (
        Handover.objects.select_related("incident", "plan__choice", "plan__beneficiary", "window", "account__person")
        .filter(token_sha256=_hashed(token))
        .first()
    )
    if handover is None:
        raise HandoverUnknown
    check_usable(handover, now=clock.now())
    return handover


def look(token: str, *, session_account: Account | None) -> Handover:
    """What the page itself asks when it is opened: a usable link, and nobody of the console behind it.

    Raises:
        HandoverIsForTheBeneficiary: somebody else is signed in to the console in this browser; recorded in the log.
    """
    handover = find(token)
    if session_account is not None and session_account.person_id != handover.plan.beneficiary_id:
        with recorded("handover.look", handover, by=session_account):
            raise HandoverIsForTheBeneficiary(username=session_account.username)
    return handover


def check_usable(handover: Handover, *, now: datetime) -> None:
    """Raises HandoverUsed, HandoverVoided, HandoverExpired."""
    if handover.used_at is not None:
        raise HandoverUsed
    if handover.voided_at is not None:
        raise HandoverVoided
    if now >= handover.expires_at or now not in handover.window.during:
        raise HandoverExpired


def check_code(handover: Handover, code: str) -> None:
    """Compare the code that was typed; the fifth wrong one voids the link.

    Raises:
        CodeWrong, HandoverVoided: recorded in the log as an attempt of the hand-over page.
    """
    with recorded("handover.check_code", handover, by="handover"):
        left = _tries_left(handover, code)
        if left is None:
            return
        raise CodeWrong(left=left) if left else HandoverVoided


@transaction.atomic
def _tries_left(handover: Handover, code: str) -> int | None:
    """None if the code is right. The row is locked, so that guesses sent side by side are counted one by one."""
    row = Handover.objects.select_for_update().get(pk=handover.pk)
    if row.voided_at is not None:
        return 0
    if hmac.compare_digest(_heard(code), _heard(code_of(row))):
        return None
    row.wrong_codes += 1
    if row.wrong_codes >= TRIES:
        row.voided_at = clock.now()
    row.save(update_fields=["wrong_codes", "voided_at"])
    return TRIES - row.wrong_codes


def _heard(code: str) -> bytes:
    """What was typed, without what the ear confuses."""
    return code.upper().translate(HEARD).encode("utf-8", "replace")


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
