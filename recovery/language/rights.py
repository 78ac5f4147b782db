"""Which rights on a platform's tables follow from a profile: for the reader, and for each capability. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from .columns import CONSOLE_SCHEMA, Column, Table, by_table
from .profile import Profile

READER = "breakglass_reader"
BROKER = "breakglass_broker"
DOOR_OWNER = "breakglass_door_owner"
VIEW_OWNER = "breakglass_view_owner"  # where no doors are: owns the secret-free views and nothing else
ROW_VERSION = "xmin"


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One privilege on one table, for the named columns; none named means the whole table (DELETE)."""

    table: Table
    privilege: str
    columns: tuple[str, ...]


def capability(kind: str, database: str) -> str:
    """The role that holds the rights of one outcome in one database; doors.sql builds the same name."""
    return f"breakglass_cap_{kind}_{hashlib.sha256(database.encode()).hexdigest()[:8]}"


def premade(database: str) -> str:
    """The login role that a DBA opens and closes by hand, one for each database: roles are cluster-wide."""
    return f"breakglass_temp_{hashlib.sha256(database.encode()).hexdigest()[:8]}"


def of_reader(profile: Profile) -> tuple[Right, ...]:
    """What the reader may SELECT: no secret column among it."""
    read = set().union(*(query.parsed.reads | profile.keys_of_bare(query.parsed) for query in profile.queries))
    for kind in profile.outcomes:
        read |= _met_by(profile, kind)
    kept = {column for column in read if column.table.schema != CONSOLE_SCHEMA} - set(profile.secret_columns)
    return _selects(kept)


def of_capability(profile: Profile, kind: str) -> tuple[Right, ...]:
    """What a temporary login of this outcome may do: exactly what its statements and their images need."""
    outcome = profile.outcomes[kind]
    read = _met_by(profile, kind)
    for undone in {statement.undoes for statement in outcome.statements} - {""}:
        read |= {column for column in _met_by(profile, undone) if column.table in outcome.tables}
    rights = list(_selects(read))
    for statement in outcome.statements:
        names = tuple(sorted(column.name for column in statement.parsed.writes))
        rights.append(Right(statement.table, statement.parsed.action.upper(), names))
    return tuple(sorted(set(rights)))


def sequences_of(profile: Profile, kind: str) -> tuple[Table, ...]:
    """The sequences from which the statements of this outcome take numbers by name; those behind defaults are not here."""
    return tuple(sorted(frozenset().union(*(one.parsed.sequences for one in profile.outcomes[kind].statements))))


def schemas(rights: Iterable[Right]) -> tuple[str, ...]:
    return tuple(sorted({right.table.schema for right in rights}))


def _met_by(profile: Profile, kind: str) -> set[Column]:
    """The columns that the statements of one outcome need to read, and those of the images of the rows they write."""
    outcome = profile.outcomes[kind]
    images = ((table, (*profile.image_columns(kind, table), ROW_VERSION)) for table in outcome.tables)
    met = {Column(table, name) for table, names in images for name in names}
    return met.union(outcome.reads, *(profile.keys_of_bare(one.parsed) for one in outcome.statements))


def _selects(columns: Iterable[Column]) -> tuple[Right, ...]:
    return tuple(Right(table, "SELECT", names) for table, names in by_table(frozenset(columns)).items())
