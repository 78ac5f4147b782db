"""The rows that a plan's statements will meet or add, now and after, from one snapshot. It only reads and shows no secret."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .. import images
from ..database import Session
from ..hashing import passwords
from ..language.columns import Table
from ..language.profile import Profile, Statement
from ..language.statements import parameters_in
from ..run_refusals import LoginTaken, TargetMissing, TooManyRows
from . import parameters, previews
from .documents import PlannedRow
from .parameters import Order, Parameters

After = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Look:
    """One snapshot of the platform for one order."""

    session: Session
    profile: Profile
    order: Order
    statements: tuple[Statement, ...]
    parameters: Parameters

    def values(self, statement: Statement) -> dict[str, Any]:
        return {**parameters.known(self.parameters), **statement.bound}

    @property
    def unknown(self) -> dict[str, str]:
        return parameters.unknown(self.parameters)


def planned_rows(look: Look) -> Iterator[PlannedRow]:
    """Every row in the order of the statements; those that hang on a returned value are found in the rehearsal.

    Raises TargetMissing, TooManyRows, LoginTaken, KeyShared, and what the platform answers.
    """
    for number in range(len(look.statements)):
        yield from _rows(look, number)


def check_count(statement: Statement, count: int, *, target: str) -> None:
    """Raises TargetMissing or TooManyRows unless the statement may meet so many rows."""
    if statement.expect.holds(count):
        return
    if count == 0:
        raise TargetMissing(target=target, statement=statement.name, table=statement.table)
    raise TooManyRows(statement=statement.name, count=count, table=statement.table, expect=str(statement.expect))


def _rows(look: Look, number: int) -> list[PlannedRow]:
    statement = look.statements[number]
    changing = previews.changing_calls(look.session, statement)
    kinds = previews.kinds(look.profile, statement, look.unknown, changing=changing)
    if statement.parsed.action == "insert":
        return [_added(look, number, kinds)]
    if parameters_in(statement.parsed.where) & look.unknown.keys():
        return []
    values = look.values(statement)
    found = images.met(look.session, look.profile, look.order.outcome, statement, values)
    check_count(statement, len(found), target=look.order.login or look.order.target_key)
    _require_own_keys(look, statement.table, found)
    if statement.parsed.action == "delete":
        return [_planned(look, number, image, {}) for image in found]
    after = previews.updated(look.session, look.profile, statement, values, kinds)
    return [_planned(look, number, image, _merged(look, statement, after[image.row_key], kinds)) for image in found]


def _require_own_keys(look: Look, table: Table, found: list[images.Image]) -> None:
    """Where no rule of the table keeps a key unique, nobody but these rows may have theirs. Raises KeyShared."""
    if not previews.is_unique_key(look.session, table, look.profile.tables[table].key):
        for image in found:
            images.by_key(look.session, look.profile, look.order.outcome, table, image.key)


def _added(look: Look, number: int, kinds: dict[str, str]) -> PlannedRow:
    statement = look.statements[number]
    after: dict[str, Any] = {}
    if previews.is_known(statement, kinds, look.unknown):
        found = previews.inserted(look.session, look.profile, statement, look.values(statement), kinds)
        check_count(statement, len(found), target=look.order.login)
        after = found[0]
        _check_unique(look, number, after)
    else:
        kinds = dict.fromkeys(statement.parsed.assigned, "returned") | kinds
    image = images.Image(str(statement.table), {}, None, look.order.login)
    return _planned(look, number, image, _merged(look, statement, after, kinds))


def _merged(look: Look, statement: Statement, values: Mapping[str, Any], kinds: Mapping[str, str]) -> After:
    """The new values as a plan holds them: of a secret column only the fingerprint, as in the images."""
    secret = look.profile.tables[statement.table].secret
    known = {
        name: images.fingerprint(passwords.stamp(value)) if name in secret else value for name, value in values.items()
    }
    return {name: {"value": value} for name, value in known.items()} | {n: {"kind": kind} for n, kind in kinds.items()}


def _planned(look: Look, number: int, image: images.Image, after: After) -> PlannedRow:
    statement = look.statements[number]
    rule, columns = look.profile.tables[statement.table], image.columns or {}
    volatile = {name: columns[name] for name in sorted(rule.volatile & columns.keys())}
    secret = tuple(sorted(rule.secret & (columns.keys() | after.keys())))
    kept = replace(image, columns=image.without(rule.volatile))
    action = statement.parsed.action
    return PlannedRow(number, action, kept, after, volatile, secret, compared=action == "update")


def _check_unique(look: Look, number: int, after: Mapping[str, Any]) -> None:
    """A login that is taken is told now; what an earlier statement of this plan frees only the rehearsal can tell."""
    table = look.statements[number].table
    for column in previews.unique_columns(look.session, table):
        value = after.get(column)
        if not isinstance(value, (str, int)) or _is_freed(look, number, column):
            continue
        if previews.has_row(look.session, table, column, value):
            raise LoginTaken(table=table, column=column, value=value)


def _is_freed(look: Look, number: int, column: str) -> bool:
    earlier = (one.parsed for one in look.statements[:number] if one.table == look.statements[number].table)
    return any(one.action == "delete" or (one.action == "update" and column in one.assigned) for one in earlier)
