"""What the errors of a platform's database mean. Errors of our own making are not translated: they rise as the faults they are."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import psycopg
from django.utils.translation import gettext_lazy as _

from audit.refusals import Refused

from .platform_refusals import (
    ConnectionLost,
    NameMissing,
    PlatformBusy,
    PlatformLoginRefused,
    PlatformReadOnly,
    PlatformRefused,
    PlatformSlow,
    PlatformUnreachable,
    PoolerBetween,
    RightMissing,
    RowLocked,
    RuleBroken,
    ValueRefused,
)

STATEMENT_SECONDS = 10
NO_BLOCKER = _("a session that let go before it could be named")
MARK = "[secret left out]"
CUT_OFF = {"57P01", "57P02", "57P03", "57P05", "25P03", "25P04"}
NAMES = {"42703", "42P01", "42883", "3F000", "42704", "42P10"}
REFUSES_OPTIONS = "unsupported startup parameter"  # what PgBouncer says to the settings with which every session begins
BUSY = {"40001", "40P01"}


@contextmanager
def as_refusals(
    purpose: str,
    *,
    connecting: bool = False,
    secrets: Iterable[str] = (),
    blocker: Callable[[], object] = lambda: NO_BLOCKER,
) -> Iterator[None]:
    """Turn what psycopg raises for a server's answer or a broken line into kinds of PlatformRefused."""
    try:
        yield
    except UnicodeEncodeError as error:  # a lone surrogate: psycopg does not wrap it
        raise ValueRefused(message=_("it holds a broken character")) from error
    except psycopg.Error as error:
        refusal = _at_connecting(error, purpose) if connecting else _refusal(error, purpose, tuple(secrets), blocker)
        if refusal is None:
            raise
        raise refusal from error


def _at_connecting(error: psycopg.Error, purpose: str) -> Refused:
    words = _first_line(error)
    if REFUSES_OPTIONS in words:
        return PoolerBetween(purpose=purpose)
    if "FATAL" in words:
        return PlatformLoginRefused(purpose=purpose, message=words.partition("FATAL:")[2].strip() or words)
    return PlatformUnreachable(message=words)


def _refusal(
    error: psycopg.Error, purpose: str, secrets: tuple[str, ...], blocker: Callable[[], object]
) -> Refused | None:
    state, words = error.sqlstate, _without(secrets, _first_line(error))
    if state is None:
        return _without_state(error, words)
    if state in CUT_OFF or state.startswith("08"):
        return ConnectionLost(message=words)
    if state == "55P03":
        return RowLocked(blocker=blocker())
    if state == "57014":
        return PlatformSlow(seconds=STATEMENT_SECONDS)
    if state.startswith("23"):
        return RuleBroken(rule=error.diag.constraint_name or words, table=error.diag.table_name or "?")
    return _by_words(state, words, purpose)


def _by_words(state: str, words: str, purpose: str) -> Refused:
    if state in BUSY:
        return PlatformBusy(state=state)
    if state == "42501":
        return RightMissing(purpose=purpose, message=words)
    if state in NAMES:
        return NameMissing(message=words)
    if state == "25006":
        return PlatformReadOnly()
    return PlatformRefused(state=state, message=words)


def _without_state(error: psycopg.Error, words: str) -> Refused | None:
    if isinstance(error, psycopg.OperationalError):
        return ConnectionLost(message=words)
    if isinstance(error, psycopg.DataError):
        return ValueRefused(message=words)
    return None


def _first_line(error: psycopg.Error) -> str:
    """The server's primary message alone: its detail may quote a whole row."""
    words = error.diag.message_primary or str(error)
    return words.strip().split("\n")[0].rstrip(".")


def _without(secrets: tuple[str, ...], words: str) -> str:
    for secret in secrets:
        words = words.replace(secret, MARK)
    return words
