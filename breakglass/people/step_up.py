"""A fresh second factor for one purpose and one digest. `is_verified()` is no step-up: that may be hours old."""

from django.db import transaction

from audit import clock, events, log
from breakglass.people import factors, throttle
from breakglass.people.models import Account, StepUp

APPROVE = "approve"
REFUSE = "refuse"
OPEN_WINDOW = "open_window"
SHOW_HANDOVER = "show_handover"
SHOW_CODE = "show_code"
RUN = "run"
DISABLE = "disable"
RESTORE = "restore"
WAIVE = "waive"
EXPORT = "export"
JUDGE = "judge"
CONFIRM_DUTY = "confirm_duty"
CONFIRM_INVITATION = "confirm_invitation"
PURPOSES = frozenset(
    {APPROVE, REFUSE, OPEN_WINDOW, SHOW_HANDOVER, SHOW_CODE, RUN, DISABLE, RESTORE, WAIVE, EXPORT, JUDGE}
    | {CONFIRM_DUTY, CONFIRM_INVITATION}
)


def take(account: Account, *, code: str, purpose: str, digest: str = "") -> StepUp:
    """Spend a code of the account for one purpose and digest, in transactions of its own.

    Call it outside of any transaction: the code must stay spent when the step is refused afterwards, and a wrong
    code must stay counted. It does not record the refusal: whoever calls it does.

    Args:
        account: who acts. code: six digits. purpose: one of PURPOSES. digest: SHA-256 in hex of what is agreed to, or "".

    Raises:
        CodeRefused, CodeAlreadyUsed: see factors.verify.
        SignInSlow: too many wrong codes; this one was not looked at.
        ValueError: a fault of the caller, the purpose is unknown.
        RuntimeError: a fault of the caller, a transaction is open.
    """
    if purpose not in PURPOSES:
        raise ValueError(f"{purpose!r} is no purpose of a step-up")
    # A lane of its own: whoever hammers at the sign-in with a stolen password does not slow down the one who is in.
    lanes = [throttle.lane("code", f"step-up {account.pk}")]
    throttle.enter(lanes)
    row = _spend(account, code.strip(), purpose, digest)
    throttle.give_back(lanes)
    return row


def _spend(account: Account, code: str, purpose: str, digest: str) -> StepUp:
    with transaction.atomic(durable=True):
        authenticator = factors.verify(account, code)
        row = StepUp.objects.create(
            account=account, authenticator=authenticator, purpose=purpose, digest=digest, at=clock.now()
        )
        log.append(
            events.FACTOR_USED, by=account.username, authenticator=authenticator.pk, purpose=purpose, digest=digest
        )
    return row
