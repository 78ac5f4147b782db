"""Authenticators: seeds sealed at rest, codes judged by the database's guarded time, each time step spent once (RFC 6238)."""

import base64
import hmac
import re
import secrets
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import connection, transaction

from audit import clock, events, log
from breakglass.people import totp
from breakglass.people.models import Account, Authenticator
from breakglass.people.refusals import CodeAlreadyUsed, CodeRefused

ISSUER = "Breakglass"
SEED_BYTES = 20  # RFC 4226 section 4, R6
NONCE_BYTES = 12
DRIFT = (0, 1, -1)  # the earliest last: it may be over by the time that somebody has typed its code
CODE = re.compile(r"[0-9]{6}")
SPEND = """
INSERT INTO people_spentstep (authenticator_id, step, at) VALUES (%s, %s, %s)
ON CONFLICT ON CONSTRAINT a_code_is_spent_once DO NOTHING
"""


def new_seed() -> bytes:
    """A random seed for one authenticator."""
    return secrets.token_bytes(SEED_BYTES)


def seal(account: Account, seed: bytes) -> bytes:
    """The seed as it is stored: AES-256-GCM under a key derived from SECRET_KEY, bound to its account."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(_key()).encrypt(nonce, seed, _bound_to(account.pk))


def unseal(authenticator: Authenticator) -> bytes:
    """The seed in clear, for the moment of a comparison.

    Raises:
        cryptography.exceptions.InvalidTag: a fault: sealed under another SECRET_KEY, or moved from another account.
    """
    sealed = bytes(authenticator.sealed_key)
    return AESGCM(_key()).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound_to(authenticator.user_id))


def provisioning_uri(username: str, seed: bytes) -> str:
    """What the QR code says to an authenticator app (the otpauth key URI format)."""
    label = quote(f"{ISSUER}:{username}", safe=":")
    facts = {"secret": text_key(seed), "issuer": ISSUER, "digits": totp.DIGITS, "period": totp.STEP_SECONDS}
    return f"otpauth://totp/{label}?{urlencode(facts)}"


def text_key(seed: bytes) -> str:
    """The seed as somebody types it who cannot scan: base32 without padding."""
    return base64.b32encode(seed).decode().rstrip("=")


@transaction.atomic
def enrol(account: Account, *, name: str, seed: bytes | None = None) -> tuple[Authenticator, str]:
    """Add an authenticator that counts from its first right code on.

    Returns: the authenticator, not yet confirmed, and its provisioning URI.
    """
    seed = seed or new_seed()
    sealed = seal(account, seed)
    authenticator = Authenticator.objects.create(
        user=account, name=name, confirmed=False, sealed_key=sealed, created_at=clock.now()
    )
    return authenticator, provisioning_uri(account.username, seed)


@transaction.atomic
def confirm(authenticator: Authenticator, code: str) -> None:
    """Spend the first code of an authenticator; from now on it counts.

    Raises:
        CodeRefused, CodeAlreadyUsed: nothing was confirmed.
    """
    _spend_one([authenticator], code)
    authenticator.confirmed = True
    authenticator.save(update_fields=["confirmed"])
    log.append(events.FACTOR_ADDED, by=authenticator.user.username, authenticator=authenticator.pk)


@transaction.atomic
def verify(account: Account, code: str) -> Authenticator:
    """Spend a code of the account: right for the database's time, one step of drift either way, never used before.

    Does not throttle: whoever calls it does (step_up, sign_in).

    Raises:
        CodeRefused: wrong, too old, not six digits, no authenticator, or the account is disabled.
        CodeAlreadyUsed: right, but its time step is spent.
    """
    return _spend_one(live(account), code)


def live(account: Account) -> list[Authenticator]:
    """The authenticators that count: confirmed, not retired, the account not disabled."""
    counting = {"confirmed": True, "retired_at": None, "user__is_active": True}
    return list(Authenticator.objects.filter(user=account, **counting).order_by("-id"))


def retire_all(account: Account, *, at: datetime) -> int:
    """End every authenticator of the account, within the caller's transaction. Their sessions end at the next request."""
    return Authenticator.objects.filter(user=account, retired_at=None).update(confirmed=False, retired_at=at)


def code_at(authenticator: Authenticator, moment: datetime) -> str:
    """The code that the authenticator shows at a moment: for practice people and tests."""
    return totp.code(unseal(authenticator), totp.step_at(moment))


def unspent_code(account: Account) -> str | None:
    """A code that would be taken now, for practice people; None if the present steps are all spent: wait 30 seconds."""
    moment = clock.now()
    for authenticator in live(account):
        for step in _steps(moment):
            if not authenticator.spentstep_set.filter(step=step).exists():
                return totp.code(unseal(authenticator), step)
    return None


def proven_step(seed: bytes, code: str, moment: datetime) -> int | None:
    """The time step near the moment whose code this is, for a seed that no account has yet; None if there is none."""
    fitting = (step for step in _steps(moment) if hmac.compare_digest(totp.code(seed, step), code.strip()))
    return next(fitting, None) if CODE.fullmatch(code.strip()) else None


def _spend_one(authenticators: list[Authenticator], code: str) -> Authenticator:
    if not CODE.fullmatch(code):
        raise CodeRefused
    moment = clock.now()
    fitting = [(one, step) for one in authenticators for step in _steps(moment) if _fits(one, step, code)]
    if not fitting:
        raise CodeRefused
    for authenticator, step in fitting:
        if _spend(authenticator, step, moment):
            return authenticator
    raise CodeAlreadyUsed


def _steps(moment: datetime) -> Iterator[int]:
    return (totp.step_at(moment) + drift for drift in DRIFT)


def _fits(authenticator: Authenticator, step: int, code: str) -> bool:
    return hmac.compare_digest(totp.code(unseal(authenticator), step), code)


def _spend(authenticator: Authenticator, step: int, moment: datetime) -> bool:
    # Of two at once the second waits for the first one's commit and then finds the step spent.
    with connection.cursor() as cursor:
        cursor.execute(SPEND, [authenticator.pk, step, moment])
        return cursor.rowcount == 1


def _key() -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"breakglass authenticator seed").derive(settings.SECRET_KEY.encode())


def _bound_to(account_pk: int) -> bytes:
    return f"authenticator of account {account_pk}".encode()
