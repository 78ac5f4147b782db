"""Which statements of an outcome one plan holds: optional ones that apply now, repeated ones once per value. It only reads."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from ..database import Session, as_texts
from ..language.profile import BEFORE, Outcome, Profile, Statement
from ..run_refusals import PlanAltered, StatementUnfit
from .parameters import RANDOM

MOST_REPEATED = 100


def choose(
    session: Session, outcome: Outcome, statements: Iterable[Statement], asked: Mapping[str, Any]
) -> tuple[Statement, ...]:
    """The statements that a plan holds, their values bound. asked: what the order says, by the names of the inputs.

    Raises StatementUnfit when a value that a statement needs would be returned by none, or by two.
    """
    found = tuple(one for statement in statements for one in _applying(session, statement, asked))
    _require_values(outcome, found)
    return found


def recall(profile: Profile, kind: str, fields: Mapping[str, Any]) -> Statement:
    """The profile's statement that an entry of a plan's `statements` came from. Raises PlanAltered when there is none."""
    bound = fields.get("bound", {})
    for statement in profile.outcomes[kind].statements:
        if statement.sql == fields["sql"] and statement.own_names == bound.keys():
            again = statement.repeated(bound)
            if again.name == fields["name"]:
                return again
    raise PlanAltered(what=_("the profile no longer holds the statement {name}").format(name=fields["name"]))


def _applying(session: Session, statement: Statement, asked: Mapping[str, Any]) -> Iterator[Statement]:
    for values in _values(session, statement, asked):
        if statement.when is None or _holds(session, statement, {**asked, **values}):
            random = {name: RANDOM[generator]() for name, generator in statement.generated.items()}
            yield statement.repeated({**values, **random})


def _holds(session: Session, statement: Statement, values: Mapping[str, Any]) -> bool:
    row = session.execute(statement.when.sql, values).fetchone() if statement.when else None
    return bool(row and row[0])


def _values(session: Session, statement: Statement, asked: Mapping[str, Any]) -> list[dict[str, str]]:
    """One entry per repetition. A statement without `each` is its own only repetition."""
    each = statement.each
    if each is None:
        return [{}]
    if each.query is None:
        return [{each.names[0]: value} for value in each.values]
    rows = as_texts(session.execute(each.query.sql, asked))
    why = _unfit(rows)
    if why:
        raise StatementUnfit(statement=statement.name, why=why)
    return [dict(zip(each.names, map(str, row), strict=True)) for row in rows]


def _unfit(rows: list[tuple[str | None, ...]]) -> str:
    if not rows:
        return _("the query under `each` finds nothing to repeat it for")
    if len(rows) > MOST_REPEATED:
        return _("the query under `each` finds more than {most} rows").format(most=MOST_REPEATED)
    if any(value is None for row in rows for value in row):
        return _("the query under `each` gives an empty value")
    return _("the query under `each` gives the same values twice") if len(set(rows)) < len(rows) else ""


def _require_values(outcome: Outcome, statements: Iterable[Statement]) -> None:
    """Every value is there when it is needed, from one statement alone."""
    known = {*outcome.inputs, *outcome.generated}
    for statement in statements:
        missing = sorted(statement.parsed.parameters - known - statement.own_names)
        lacking = [name for name in missing if not name.startswith(BEFORE)]
        if lacking:
            why = _("it needs {name}, but every statement that returns it is left out of this plan")
            raise StatementUnfit(statement=statement.name, why=why.format(name=lacking[0]))
        twice = sorted(known.intersection(statement.returns))
        if twice:
            why = _("it returns {name}, which an earlier statement of this plan has returned already")
            raise StatementUnfit(statement=statement.name, why=why.format(name=twice[0]))
        known.update(statement.returns)
