"""Compares what a transaction met and wrote with what was approved. Pure: it looks at images, never at a platform."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from .. import images
from ..hashing import passwords
from ..images import Image
from ..language.columns import Table
from ..language.profile import Profile, Statement
from ..planning.documents import PlanDocument, PlannedRow
from ..planning.plans import differences
from ..run_refusals import NotAsPlanned, RowChanged, TargetMissing, TooManyRows

ANY = object()  # the plan promises no value that could be known
Planned = Mapping[str, Mapping[str, Any]]
Place = tuple[str, str]


class Written(Protocol):
    """The rows that a transaction wrote. added: place -> number of the INSERT."""

    before: dict[Place, Image]
    after: dict[Place, Image]
    added: dict[Place, int]


def require_unchanged(
    statement: Statement, planned: Iterable[PlannedRow], found: Iterable[Image], *, volatile: frozenset[str]
) -> None:
    """The locked rows are those of the plan, volatile columns apart. Raises TargetMissing, RowChanged, TooManyRows."""
    now = {image.place: image for image in found}
    count = len(now)
    for row in planned:
        image = now.pop(row.image.place, None)
        if image is None:
            raise TargetMissing(target=row.image.label, statement=statement.name, table=statement.table)
        if image.without(volatile) != row.image.without(volatile):
            name = f"{row.image.table} {row.image.label or row.image.row_key}"
            raise RowChanged(row=name, what=differences(row.image, image, volatile))
    if now:
        raise TooManyRows(statement=statement.name, count=count, table=statement.table, expect=count - len(now))


def require_as_planned(
    document: PlanDocument,
    profile: Profile,
    statements: tuple[Statement, ...],
    secret: Mapping[str, str],
    written: Written,
) -> None:
    """Known values are as planned, and every column that no statement names is as it was. Raises NotAsPlanned."""
    rules = {str(table): rule for table, rule in profile.tables.items()}
    for place, after in written.after.items():
        if after.columns is None:
            continue
        rule = rules[after.table]
        planned = _planned(document, written, place, statements)
        expected = {name: _expected(rule.table, name, planned, statements, secret) for name in planned}
        own = _columns_written(rule.table, statements) | rule.volatile
        wrong = _wrong(written.before[place], after, expected, own)
        if wrong:
            what = "; ".join(f"{name}: {told}" for name, told in sorted(wrong.items()))
            raise NotAsPlanned(row=f"{after.table} {after.label or after.row_key}", what=what)


def _planned(
    document: PlanDocument, written: Written, place: Place, statements: tuple[Statement, ...]
) -> dict[str, Any]:
    """What the plan promises for this row; of several statements the last one counts, and one without planned rows promises nothing."""
    number = written.added.get(place)
    merged: dict[str, tuple[int, Any]] = {}
    for row in document.rows:
        if row.image.place == place or (row.action == "insert" and row.statement == number):
            merged.update({name: (row.statement, planned) for name, planned in row.after.items()})
    unplanned = {n for n in range(len(statements)) if str(statements[n].table) == place[0]} - {
        row.statement for row in document.rows
    }
    return {
        name: planned
        for name, (last, planned) in merged.items()
        if not any(later > last and name in statements[later].parsed.assigned for later in unplanned)
    }


def _expected(
    table: Table, name: str, planned: Planned, statements: Iterable[Statement], secret: Mapping[str, str]
) -> Any:
    """The value that the plan promises; for a secret that is written as it was given, its fingerprint."""
    if "value" in planned[name]:
        return planned[name]["value"]
    for statement in statements:
        assigned = statement.parsed.assigned.get(name)
        if (
            statement.table == table
            and assigned
            and assigned.source == "parameter"
            and assigned.parameters <= secret.keys()
        ):
            return images.fingerprint(passwords.stamp(secret[min(assigned.parameters)]))
    return ANY


def _columns_written(table: Table, statements: Iterable[Statement]) -> frozenset[str]:
    return frozenset(name for statement in statements if statement.table == table for name in statement.parsed.assigned)


def _wrong(before: Image, after: Image, expected: Mapping[str, Any], own: frozenset[str]) -> dict[str, str]:
    found = {}
    for name, value in (after.columns or {}).items():
        if expected.get(name, ANY) is not ANY:
            wanted = expected[name]
        elif before.columns is not None and name not in own:
            wanted = before.columns.get(name)
        else:
            continue
        if value != wanted:
            found[name] = f"{images.told(wanted)} → {images.told(value)}"
    return found
