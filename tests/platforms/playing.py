"""Plays one variant on one software: locked out, recovered by a drill, and looked at from outside. It trusts no page of the console."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.platforms import listing, rowdiff
from tests.platforms.console import Console
from tests.platforms.rowdiff import Change, State
from tests.platforms.software import Software
from tests.platforms.words import NotAccepted, SignIn, Variant

NEW_PASSWORD = "Recovered-by-two-people-1!x"
ADDED_LOGIN = "added.afterwards"
LAST_LINES = 60


@dataclass
class Played:
    """What was seen. faults is empty when everything holds."""

    software: str
    variant: Variant
    seconds: float = 0.0
    rows: list[Change] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.faults


def play(software: Software, variant: Variant, console: Console) -> Played:
    """Look at the doors, lock out, prove the lock-out, recover, compare all rows, sign in as owner and as member, add a user."""
    played = Played(software.name, variant)
    if missing := console.check():
        played.faults.append(missing)
    with _noted(played, "the lock-out does not stop the owner"):
        _check_locked_out(software, variant)
    _lock_out(software, variant)
    played.faults += listing.faults_before(listing.owners(software, console.reader), software, variant)
    before = _state(software)
    account = SignIn(variant.login, NEW_PASSWORD if variant.sets_password else software.owner.password)
    drilled = console.drill(variant, account.password)
    played.seconds = drilled.seconds
    if not drilled.is_recovered:
        played.faults.append("the drill failed: " + "\n".join(drilled.told.splitlines()[-LAST_LINES:]))
        return played
    _compare(played, software, before)
    played.faults += listing.faults_after(listing.owners(software, console.reader), variant)
    if software.caches:
        software.restart()
    for what, look in _looks(software, account):
        with _noted(played, what):
            look()
    return played


def _check_locked_out(software: Software, variant: Variant) -> None:
    """A recovery of what was not broken would prove nothing. What this attempt writes is put back by the next lock-out."""
    _lock_out(software, variant)
    try:
        software.check_login(software.owner)
    except NotAccepted:
        return
    raise NotAccepted("they could sign in")


def _lock_out(software: Software, variant: Variant) -> None:
    software.place.restore()
    with software.place.connect() as dba, dba.transaction():
        software.lock_out(variant.name, dba)
    if software.caches:
        software.restart()


def _state(software: Software) -> State:
    with software.place.connect() as dba:
        return rowdiff.state(dba)


def _compare(played: Played, software: Software, before: State) -> None:
    changes = rowdiff.difference(before, _state(software))
    played.faults += rowdiff.unexpected(changes, played.variant.rows, software.own_writes)
    played.rows = rowdiff.written_by_run(changes, played.variant.rows, software.own_writes)


def _looks(software: Software, account: SignIn) -> tuple[tuple[str, Callable[[], None]], ...]:
    return (
        ("the owner is not accepted", lambda: software.check_login(account)),
        ("the member is not accepted", software.check_member),
        ("no user can be added", lambda: software.create_user(account, ADDED_LOGIN)),
    )


@contextmanager
def _noted(played: Played, what: str) -> Iterator[None]:
    try:
        yield
    except NotAccepted as error:
        played.faults.append(f"{what}: {error}")


def timed(action: Callable[[], None]) -> float:
    """Do it; the seconds that it took."""
    started = time.monotonic()
    action()
    return time.monotonic() - started
