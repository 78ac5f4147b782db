"""A new password on its way to the platform: what its plan says of it, and the secret values made from it. It keeps nothing."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from .. import platforms
from ..database import Session
from ..hashing import formulas, passwords
from ..hashing.formula_nodes import LONGEST_TYPED, FormulaRefused, Given
from ..hashing.salts import salt_named
from ..language.profile import Statement
from ..platforms import Platform
from ..refusals import PasswordRefused
from ..run_refusals import SetupMissing
from . import peppers
from .documents import PlanDocument
from .parameters import Order

WIDTH = """
SELECT a.atttypmod - 4 FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND a.attname = %s AND a.atttypmod > 4
AND a.atttypid IN ('varchar'::regtype, 'bpchar'::regtype)
"""


def planned(session: Session, platform: Platform, order: Order, statements: Iterable[Statement]) -> dict[str, Any]:
    """What the plan says of the new password: its scheme and its limits. It is approved with the plan.

    Raises SchemeUnknown, PepperMissing, SetupMissing: this password could not be written.
    """
    rule, chosen = platform.profile.password, tuple(statements)
    fields: dict[str, Any] = {"prefix": "", "formula": "", "salt": rule.salt.name if rule.salt else ""}
    if rule.formula is not None:
        _require_ingredients(order, rule.formula.names)
        peppers.read(platform, rule, session)
        fields |= {"scheme": rule.formula.text, "formula": rule.formula.text}
    else:
        scheme = passwords.choose(rule, _prefix(session, platform, order))
        fields |= {"scheme": str(scheme), "prefix": scheme.prefix}
    _require_room(session, chosen, rule.salt.length if rule.salt else 0)
    widths = [*_widths(session, chosen, "password_hash"), *([rule.longest] if rule.longest else [])]
    limits = {"shortest": rule.shortest, "longest": min(widths, default=None)}
    return fields | limits | {"pepper": peppers.source(platform, rule)}


def prepared(document: PlanDocument, password: str) -> dict[str, str]:
    """The secret values that the plan's statements need, made and verified.

    Raises PasswordRefused, SchemeUnknown, PepperMissing, and what the platform answers where the pepper is in its database.
    """
    rule = document.password or {}
    if not rule.get("formula"):
        scheme = passwords.describe(rule["prefix"])
        made = passwords.make(password, scheme, shortest=rule["shortest"], longest_hash=rule["longest"])
        return {"password_hash": made}
    passwords.check(password, longest=LONGEST_TYPED, shortest=rule["shortest"])
    return _declared(document, rule, password)


def _declared(document: PlanDocument, rule: dict[str, Any], password: str) -> dict[str, str]:
    salt, platform = salt_named(rule["salt"]), platforms.get(document.platform)
    given = Given(
        password,
        salt=salt.new() if salt else "",
        pepper=peppers.read(platform, platform.profile.password),
        login=document.login,
        key=document.target_key,
    )
    try:
        formula = formulas.read(rule["formula"], salt=salt)
        made = formula.make(given)
        fits = formula.verify(made, given)
    except FormulaRefused as refused:
        raise PasswordRefused(reason=str(refused)) from refused
    passwords.require_written(made, fits=fits, longest=rule["longest"])
    return {"password_hash": made} | ({"salt": str(given.salt)} if "salt" in document.parameters else {})


def _prefix(session: Session, platform: Platform, order: Order) -> str | None:
    """How the replaced hash begins: None without a row or a password, "" for a form that is not known."""
    current = platform.profile.password.current
    if current is None or not order.target_key:
        return None
    row = session.execute(current.sql, {"key": order.target_key}).fetchone()
    return row[0] if row else None


def _require_ingredients(order: Order, names: frozenset[str]) -> None:
    given = {"login": order.login, "key": order.target_key}
    for name, value in given.items():
        if name in names and not value:
            what = _("The password's formula needs the {name} of the account, and none is given.").format(name=name)
            raise SetupMissing(what=what)


def _require_room(session: Session, statements: Iterable[Statement], length: int) -> None:
    for width in _widths(session, statements, "salt"):
        if length > width:
            sentence = _(
                "A salt has {length} characters, its column takes {width}. Correct [password] salt in the profile."
            )
            raise SetupMissing(what=sentence.format(length=length, width=width))


def _widths(session: Session, statements: Iterable[Statement], parameter: str) -> Iterator[int]:
    """How many characters the columns take to which this parameter is written as it is."""
    for statement in statements:
        for name, assigned in statement.parsed.assigned.items():
            if assigned.source == "parameter" and assigned.parameters == {parameter}:
                row = session.execute(WIDTH, [statement.table.schema, statement.table.name, name]).fetchone()
                yield from row or ()
