"""Signing in: a password, then a code. Guessing is slowed down before anything is hashed; a stranger learns nothing."""

from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction

from audit import events, log
from audit.refusals import Refused
from breakglass.people import devices, factors, throttle
from breakglass.people.models import Account, Authenticator
from breakglass.people.refusals import SignInRefused, SignInSlow

STRANGER = "stranger"  # who acts before both factors are proven, as the log names them
HASHING = BoundedSemaphore(2)  # Argon2 takes 100 MB and a core: the rest of the console must go on


@dataclass(frozen=True)
class Origin:
    """Where an attempt comes from: the client's address and the known-device cookie, both as the browser sent them."""

    address: str
    cookie: str = ""


def with_password(username: str, password: str, *, origin: Origin) -> Account:
    """The first factor. An unknown name, a disabled account and a wrong password cost and answer the same.

    Raises:
        SignInSlow: not looked at. SignInRefused: wrong. Both are recorded.
    """
    account = Account.objects.select_related("person").filter(username=username).first()
    device = devices.known(origin.cookie, account)
    lanes = _lanes(device, origin, username)
    told = {"factor": "password", "account": account.username if account else "", "address": origin.address}
    _enter(lanes, told)
    if not _is_right(account, password) or account is None:
        _record(events.SIGN_IN_FAILED, STRANGER, **told)
        raise SignInRefused
    throttle.give_back(lanes)
    _record(events.FACTOR_USED, account.username, factor="password", address=origin.address)
    return account


def with_code(account: Account, code: str, *, origin: Origin) -> Authenticator:
    """The second factor, after the password.

    Raises:
        SignInSlow: not looked at. CodeRefused, CodeAlreadyUsed: see factors.verify. All are recorded.
    """
    device = devices.known(origin.cookie, account)
    lanes = [throttle.lane("code", f"sign-in {device or account.pk}")]
    told = {"factor": "code", "account": account.username, "address": origin.address}
    _enter(lanes, told)
    try:
        authenticator = _spend(account, code.strip(), origin, is_known=bool(device))
    except Refused as refused:
        _record(events.SIGN_IN_FAILED, STRANGER, refusal=refused.code, **told)
        raise
    throttle.give_back(lanes)
    return authenticator


def ended(account: Account) -> None:
    """Record that somebody signed out."""
    _record(events.SIGN_IN_ENDED, account.username)


def _lanes(device: str, origin: Origin, username: str) -> list[str]:
    """A known device has a lane of its own: whoever hammers from elsewhere does not delay it."""
    if device:
        return [throttle.lane("device", device)]
    return [throttle.lane("address", origin.address), throttle.lane("account", username)]


def _is_right(account: Account | None, password: str) -> bool:
    with HASHING:
        if account is None or not account.has_usable_password():
            make_password(password)  # the same work for nobody
            return False
        return account.check_password(password) and account.is_active


def _spend(account: Account, code: str, origin: Origin, *, is_known: bool) -> Authenticator:
    with transaction.atomic():
        authenticator = factors.verify(account, code)
        facts = {"authenticator": authenticator.pk, "known_device": is_known, "address": origin.address}
        log.append(events.SIGN_IN_MADE, by=account.username, **facts)
    return authenticator


def _enter(lanes: list[str], told: dict[str, str]) -> None:
    try:
        throttle.enter(lanes)
    except SignInSlow as slow:
        # Once per wait: a stranger must not be able to fill the log.
        if slow.facts["is_first"]:
            _record(events.SIGN_IN_THROTTLED, STRANGER, wait=slow.facts["wait"], **told)
        raise


def _record(event: str, by: str, **facts: Any) -> None:
    with transaction.atomic():
        log.append(event, by=by, **facts)
