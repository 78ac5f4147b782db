"""Makes a plan: the exact statements, the rows now and after. It reads the platform through the reader and changes nothing."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from audit import canonical

from .. import database, images, readiness
from ..database import Session
from ..language.columns import table_from
from ..language.profile import Profile, Statement
from ..models import Run, RunKind
from ..platforms import Platform
from ..run_refusals import NothingToDo, NothingToUndo, OutcomeMissing, RowChanged, SetupMissing
from . import choices, new_passwords, parameters
from .documents import Change, PlanDocument, PlannedRow
from .parameters import Order
from .planned_rows import Look, check_count, planned_rows

__all__ = ["Change", "PlanDocument", "PlannedRow", "build", "check", "check_count", "differences"]

VERSION = 1


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
        TargetMissing, TooManyRows, LoginTaken, RowChanged, KeyShared, StatementUnfit, NothingToDo, NothingToUndo,
            OutcomeMissing, SetupMissing: the plan cannot be made.
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
        "password": _password(look, platform),
        "restart": profile.restart,
        "statements": [_statement_fields(statement) for statement in look.statements],
        "parameters": look.parameters,
        "rows": [row.as_fields() for row in planned_rows(look)],
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
        "bound": dict(statement.bound),
    }


def _statements(session: Session, profile: Profile, order: Order) -> tuple[Statement, ...]:
    chosen = profile.outcomes[order.outcome].statements
    if order.restores is not None:
        _require_unchanged(session, profile, order.restores)
        chosen = profile.outcomes[order.outcome].undoing(order.restores.kind)
    if not chosen:
        raise NothingToUndo(why=_("The profile knows nothing to put back after such a run."))
    found = choices.choose(session, profile.outcomes[order.outcome], chosen, parameters.asked(order))
    if not found:
        raise NothingToDo
    return found


def _require_unchanged(session: Session, profile: Profile, run: Run) -> None:
    """A restore is only for rows that nobody has touched since."""
    for image in images.from_json(run.after):
        table = table_from(image.table, profile.schema)
        now = images.by_key(session, profile, run.kind, table, image.key)
        volatile = profile.tables[table].volatile
        if now.without(volatile) != image.without(volatile):
            raise RowChanged(row=f"{image.table} {image.row_key}", what=differences(image, now, volatile))


def _password(look: Look, platform: Platform) -> dict[str, Any] | None:
    if "password_hash" not in look.parameters:
        return None
    return new_passwords.planned(look.session, platform, look.order, look.statements)


def differences(was: images.Image, now: images.Image, volatile: Iterable[str] = ()) -> str:
    """What differs between two images of a row, for a sentence; values of fingerprints stay out of it."""
    old, new = was.without(volatile), now.without(volatile)
    if new is None or old is None:
        return _("it is gone") if new is None else _("it was not there before")
    changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return "; ".join(f"{name}: {images.told(old.get(name))} → {images.told(new.get(name))}" for name in changed)
