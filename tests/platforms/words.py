"""What a software tells the runner: how it is locked out, which outcome recovers it, and which rows may change by that."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ADDED, CHANGED, REMOVED = "added", "changed", "removed"


class NotAccepted(Exception):
    """The software does not let somebody in, or not to what only its owner may do; the message says which answer it gave."""


class Broken(Exception):
    """Something that should have worked did not: an installation, a server, a set-up."""


@dataclass(frozen=True)
class Row:
    """One row that a recovery must change. columns: those of a changed row. holds: values that the row has afterwards (as text)."""

    kind: str
    table: str
    columns: frozenset[str] = frozenset()
    holds: Mapping[str, str] = field(default_factory=dict)


def added(table: str, **holds: str) -> Row:
    return Row(ADDED, table, frozenset(), holds)


def changed(table: str, *columns: str, **holds: str) -> Row:
    return Row(CHANGED, table, frozenset(columns), holds)


def removed(table: str, **holds: str) -> Row:
    return Row(REMOVED, table, frozenset(), holds)


@dataclass(frozen=True)
class Variant:
    """One way to be locked out, and the one outcome that helps. login: the account that is created, reset or enabled.

    rows: exactly what the console's run changes. says: kinds of blockers that the diagnosis must find for the account before.
    """

    name: str
    outcome: str
    login: str
    rows: tuple[Row, ...]
    says: tuple[str, ...] = ()

    @property
    def sets_password(self) -> bool:
        return self.outcome in {"create", "reset"}


@dataclass(frozen=True)
class SignIn:
    """A login and its password."""

    login: str
    password: str = field(repr=False)
