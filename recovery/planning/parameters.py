"""The parameters of a plan's statements: what is fixed when the plan is made, and what is only known in the run."""

import secrets
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.utils.translation import gettext as _

from .. import images
from ..language.profile import BEFORE, Outcome, Profile, Statement
from ..models import Run
from ..run_refusals import NothingToUndo

Parameters = dict[str, dict[str, Any]]
ALPHANUMERIC = string.ascii_letters + string.digits
RANDOM = {  # fixed when the plan is made, so that they are approved
    "uuid": lambda: str(uuid4()),
    "uuid_hex": lambda: uuid4().hex,
    "text16": lambda: "".join(secrets.choice(ALPHANUMERIC) for _n in range(16)),
    "hex32": lambda: secrets.token_hex(16),
}
CLOCK = {  # one moment for all statements of a run: the platform's transaction time
    "now": "now()::text",
    "epoch": "floor(extract(epoch FROM now()))::bigint",
    "epoch_ms": "floor(extract(epoch FROM now()) * 1000)::bigint",
    "epoch_us": "floor(extract(epoch FROM now()) * 1000000)::bigint",
}


@dataclass(frozen=True)
class Order:
    """What was asked for, before the platform was looked at."""

    outcome: str
    target_key: str
    login: str
    display_name: str
    beneficiary: str
    incident: str
    window_minutes: int
    restores: Run | None


@dataclass(frozen=True)
class Values:
    """The secret values of one run, in memory only: parameter -> value. Never shown, not even by repr."""

    secret: Mapping[str, str] = field(default_factory=dict, repr=False)


def planned(profile: Profile, outcome: Outcome, statements: Iterable[Statement], order: Order) -> Parameters:
    """Every parameter that these statements use: {"value": v}, or {"kind": k} for what cannot be known yet."""
    chosen = tuple(statements)
    used = sorted(frozenset().union(*(statement.parsed.parameters - statement.own_names for statement in chosen)))
    returned: Parameters = {name: {"kind": "returned"} for statement in chosen for name in statement.returns}
    known = _inputs(order) | _generated(outcome) | returned
    return {name: _before(profile, chosen, name, order) if name.startswith(BEFORE) else known[name] for name in used}


def asked(order: Order) -> dict[str, str | None]:
    """What the order says, for the queries that choose the statements: NULL where it says nothing."""
    given = {"key": order.target_key, "login": order.login, "email": order.login, "name": order.display_name}
    return {name: value or None for name, value in given.items()}


def _inputs(order: Order) -> Parameters:
    given = {
        "key": order.target_key,
        "login": order.login,
        "email": order.login,
        "name": order.display_name,
        "incident": order.incident,
    }
    known: Parameters = {name: {"value": value} for name, value in given.items()}
    return known | {"password_hash": {"kind": "password_hash"}, "salt": {"kind": "salt"}}


def _generated(outcome: Outcome) -> Parameters:
    return {
        name: {"value": RANDOM[generator]()} if generator in RANDOM else {"kind": "clock", "unit": generator}
        for name, generator in outcome.generated.items()
    }


def _before(profile: Profile, statements: tuple[Statement, ...], name: str, order: Order) -> dict[str, Any]:
    """A value of the row before the run that is undone: part of what is approved, unless it is secret."""
    column = name.removeprefix(BEFORE)
    statement = next(statement for statement in statements if name in statement.parsed.parameters)
    if order.restores is None:
        raise NothingToUndo(why=_("No earlier run is named whose {column} could be put back.").format(column=column))
    if column in profile.tables[statement.table].secret:
        return {"kind": "sealed"}
    image = undone_image(order.restores, str(statement.table), order.target_key)
    return {"value": (image.columns or {}).get(column)}


def undone_image(run: Run, table: str, target_key: str) -> images.Image:
    """The row of this table as it was before the run: the target's own, else the only one. Raises NothingToUndo."""
    found = [image for image in images.from_json(run.before) if image.table == table and image.columns is not None]
    own = [image for image in found if image.row_key == target_key]
    if len(own or found) != 1:
        raise NothingToUndo(why=_("The earlier run holds no single row of {table}.").format(table=table))
    return (own or found)[0]


def known(parameters: Parameters) -> dict[str, Any]:
    return {name: given["value"] for name, given in parameters.items() if "value" in given}


def unknown(parameters: Parameters) -> dict[str, str]:
    return {name: given["kind"] for name, given in parameters.items() if "kind" in given}
