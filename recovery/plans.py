"""Makes a plan: the exact statements, the rows now and after. It reads the platform through the reader and changes nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from audit import canonical

from . import database, images, parameters, passwords, previews, readiness
from .columns import table_from
from .database import Session
from .documents import Change, PlanDocument, PlannedRow
from .models import Run, RunKind
from .parameters import Order, Parameters
from .platforms import Platform
from .profile import Profile, Statement
from .run_refusals import (
    LoginTaken,
    NothingToUndo,
    OutcomeMissing,
    RowChanged,
    SetupMissing,
    TargetMissing,
    TooManyRows,
)
from .statements import parameters_in

__all__ = ["Change", "PlanDocument", "PlannedRow", "build", "check", "check_count", "differences"]

VERSION = 1


@dataclass(frozen=True)
class Look:
    """One snapshot of the platform for one order."""

    session: Session
    profile: Profile
    order: Order
    statements: tuple[Statement, ...]
    parameters: Parameters

    @property
    def values(self) -> dict[str, Any]:
        return parameters.known(self.parameters)

    @property
    def unknown(self) -> dict[str, str]:
        return parameters.unknown(self.parameters)


def build(
    platform: Platform,
    *,
    outcome: str,
    beneficiary: str,
    incident: str,
    window_minutes: int,
    target_key: str = "",
    login: str = "",
    display_name: str = "",
    restores: Run | None = None,
) -> PlanDocument:
    """The plan of one outcome from the live platform, as DESIGN section 2, step 3, and rule 2 describe it.

    Args:
        beneficiary: text that names the human who will hold the account; part of what is approved.
        target_key: the account's id as the diagnosis gives it, "" for create.
        restores: for outcome restore, the committed run whose rows are put back.

    Raises:
        TargetMissing, TooManyRows, LoginTaken, RowChanged, NothingToUndo, OutcomeMissing, SetupMissing: the plan cannot be made.
        PlatformRefused, ProfileRefused: the platform or its profile cannot be read.
    """
    order = Order(outcome, target_key, login, display_name, beneficiary, incident, window_minutes, restores)
    profile = platform.profile
    if outcome not in profile.outcomes:
        raise OutcomeMissing(profile=profile.name, outcome=outcome)
    if outcome != RunKind.DISABLE and (lacking := check(platform, outcome)):  # to disable is urgent: it is simply tried
        raise SetupMissing(what=" ".join(lacking))
    with database.reading(platform, profile) as session:
        statements = _statements(session, profile, order)
        given = parameters.planned(profile, profile.outcomes[outcome], statements, order)
        look = Look(session, profile, order, statements, given)
        return PlanDocument(canonical.line(_fields(look, platform)))


def check(platform: Platform, outcome: str) -> list[str]:
    """What a run of this outcome would lack on the platform: names, rights, doors; sentences, none when it is ready."""
    return list(readiness.look(platform, kinds=[outcome]).missing)


def _fields(look: Look, platform: Platform) -> dict[str, Any]:
    identity, order, profile = database.identity(look.session), look.order, look.profile
    place = {"system_identifier": identity.system_identifier, "database_name": identity.database_name}
    return {
        "v": VERSION,
        "outcome": order.outcome,
        "incident": order.incident,
        "platform": {"name": platform.name, "access": platform.mode, **place},
        "profile": {"name": profile.name, "digest": profile.digest},
        "window_minutes": order.window_minutes,
        "beneficiary": order.beneficiary,
        "target": {"key": order.target_key, "login": order.login, "name": order.display_name},
        "restores": str(order.restores.id) if order.restores else "",
        "password": _password(look),
        "statements": [_statement_fields(statement) for statement in look.statements],
        "parameters": look.parameters,
        "rows": [row.as_fields() for number in range(len(look.statements)) for row in _rows(look, number)],
    }


def _statement_fields(statement: Statement) -> dict[str, Any]:
    return {
        "name": statement.name,
        "sql": statement.sql,
        "table": str(statement.table),
        "action": statement.parsed.action,
        "least": statement.expect.least,
        "most": statement.expect.most,
        "repair": statement.repair,
    }


def _statements(session: Session, profile: Profile, order: Order) -> tuple[Statement, ...]:
    chosen = profile.outcomes[order.outcome].statements
    if order.restores is not None:
        _require_unchanged(session, profile, order.restores)
        chosen = profile.outcomes[order.outcome].undoing(order.restores.kind)
    if not chosen:
        raise NothingToUndo(why=_("The profile knows nothing to put back after such a run."))
    return tuple(statement for statement in chosen if _applies(session, statement, order))


def _applies(session: Session, statement: Statement, order: Order) -> bool:
    if statement.when is None:
        return True
    row = session.execute(statement.when.sql, {"key": order.target_key or None}).fetchone()
    return bool(row and row[0])


def _require_unchanged(session: Session, profile: Profile, run: Run) -> None:
    """A restore is only for rows that nobody has touched since."""
    for image in images.from_json(run.after):
        table = table_from(image.table, profile.schema)
        now = images.by_key(session, profile, run.kind, table, image.key)
        volatile = profile.tables[table].volatile
        if now.without(volatile) != image.without(volatile):
            raise RowChanged(row=f"{image.table} {image.row_key}", what=differences(image, now, volatile))


def _password(look: Look) -> dict[str, Any] | None:
    if "password_hash" not in look.parameters:
        return None
    rule, prefix = look.profile.password, None
    if rule.current is not None and look.order.target_key:
        row = look.session.execute(rule.current.sql, {"key": look.order.target_key}).fetchone()
        prefix = row[0] if row else None
    chosen = prefix if rule.scheme == "row" and prefix else rule.default
    scheme = str(passwords.choose(rule, prefix))
    return {"scheme": scheme, "prefix": chosen, "shortest": rule.shortest, "longest": rule.longest}


def _rows(look: Look, number: int) -> list[PlannedRow]:
    statement = look.statements[number]
    kinds = previews.kinds(look.profile, statement, look.unknown)
    if statement.parsed.action == "insert":
        return [_added(look, number, kinds)]
    if parameters_in(statement.parsed.where) & look.unknown.keys():
        return []  # its rows hang on what an earlier statement returns: they are found in the rehearsal
    found = images.met(look.session, look.profile, look.order.outcome, statement, look.values)
    check_count(statement, len(found), target=look.order.login or look.order.target_key)
    if statement.parsed.action == "delete":
        return [_planned(look, number, image, {}) for image in found]
    after = previews.updated(look.session, look.profile, statement, look.values, kinds)
    return [_planned(look, number, image, _merged(after[image.row_key], kinds)) for image in found]


def _added(look: Look, number: int, kinds: dict[str, str]) -> PlannedRow:
    statement = look.statements[number]
    after: dict[str, Any] = {}
    if previews.is_known(statement, kinds, look.unknown):
        found = previews.inserted(look.session, statement, look.values, kinds)
        check_count(statement, len(found), target=look.order.login)
        after = found[0]
        _check_unique(look.session, statement, after)
    else:
        kinds = dict.fromkeys(statement.parsed.assigned, "returned") | kinds
    image = images.Image(str(statement.table), {}, None, look.order.login)
    return _planned(look, number, image, _merged(after, kinds))


def _merged(values: Mapping[str, Any], kinds: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    return {name: {"value": value} for name, value in values.items()} | {n: {"kind": kind} for n, kind in kinds.items()}


def _planned(look: Look, number: int, image: images.Image, after: dict[str, dict[str, Any]]) -> PlannedRow:
    statement = look.statements[number]
    rule, columns = look.profile.tables[statement.table], image.columns or {}
    volatile = {name: columns[name] for name in sorted(rule.volatile & columns.keys())}
    secret = tuple(sorted(rule.secret & (columns.keys() | after.keys())))
    kept = replace(image, columns=image.without(rule.volatile))
    action = statement.parsed.action
    return PlannedRow(number, action, kept, after, volatile, secret, compared=action == "update")


def check_count(statement: Statement, count: int, *, target: str) -> None:
    """Raises TargetMissing or TooManyRows unless the statement may meet so many rows."""
    if statement.expect.holds(count):
        return
    if count == 0:
        raise TargetMissing(target=target, statement=statement.name, table=statement.table)
    raise TooManyRows(statement=statement.name, count=count, table=statement.table, expect=str(statement.expect))


def _check_unique(session: Session, statement: Statement, after: Mapping[str, Any]) -> None:
    table = statement.table
    for column in previews.unique_columns(session, table):
        if after.get(column) is not None and previews.has_row(session, table, column, after[column]):
            raise LoginTaken(table=table, column=column, value=after[column])


def differences(was: images.Image, now: images.Image, volatile: Iterable[str] = ()) -> str:
    """What differs between two images of a row, for a sentence; values of fingerprints stay out of it."""
    old, new = was.without(volatile), now.without(volatile)
    if new is None or old is None:
        return _("it is gone") if new is None else _("it was not there before")
    changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return "; ".join(f"{name}: {images.told(old.get(name))} → {images.told(new.get(name))}" for name in changed)
