"""How a profile says that a new password becomes what the platform stores. It never connects anywhere."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from ..hashing import formulas
from ..hashing.formula_nodes import BYTES, FormulaRefused, Given
from ..hashing.formulas import Formula
from ..hashing.salts import SALTS, Salt, salt_named
from .columns import Column, table_from
from .queries import Query, read_query
from .sections import Section

PASSWORD = ("column", "scheme", "default", "current", "formula", "salt", "pepper", "example", "longest", "shortest")
KNOWN_FORM, DECLARED = frozenset({"default", "current"}), frozenset({"formula", "salt", "pepper", "example"})
SCHEMES = ("row", "default", "declared")


@dataclass(frozen=True, slots=True)
class PasswordRule:
    """How a new password becomes what the platform stores.

    scheme: "row" (as the replaced row has it), "default" or "declared". default: a hash's beginning that names scheme and
    cost. current: the query that gives that beginning for the account %(key)s as its only column `prefix`.
    formula: the declared scheme; salt: how its salt is made; pepper: the query that finds its pepper.
    """

    column: Column
    scheme: str
    default: str
    current: Query | None
    longest: int | None
    shortest: int
    formula: Formula | None = None
    salt: Salt | None = None
    pepper: Query | None = None

    @property
    def needs_pepper(self) -> bool:
        return self.formula is not None and "pepper" in self.formula.names

    @property
    def has_salt_column(self) -> bool:
        """Whether the salt is of use only where it stands in a column of its own."""
        return self.formula is not None and "salt" in self.formula.names and "salt" not in self.formula.shows


def read_rule(section: Section, schema: str) -> PasswordRule:
    """The rule that the section `[password]` holds. Raises the section's refusal."""
    section.only(PASSWORD)
    scheme = section.text("scheme", default="row")
    if scheme not in SCHEMES:
        raise section.no("scheme", _("it must be one of {known}").format(known=", ".join(SCHEMES)))
    for key in sorted((KNOWN_FORM if scheme == "declared" else DECLARED) & section.content.keys()):
        raise section.no(key, _("it has no meaning with scheme = {scheme}").format(scheme=scheme))
    return _declared(section, schema) if scheme == "declared" else _of_known_form(section, schema, scheme)


def _of_known_form(section: Section, schema: str, scheme: str) -> PasswordRule:
    has_current = section.has("current")
    if scheme == "row" and not has_current:
        raise section.no("current", _("scheme = row needs the query that reads the row's scheme and cost"))
    current = None
    if has_current:
        current = read_query(section, schema, output=("prefix",), parameters=("key",), key="current")
    return _rule(section, schema, scheme=scheme, default=section.text("default"), current=current)


def _declared(section: Section, schema: str) -> PasswordRule:
    salt = _salt(section)
    try:
        formula = formulas.read(section.text("formula"), salt=salt)
    except FormulaRefused as refused:
        raise section.no("formula", str(refused)) from refused
    for name, is_there in (("salt", salt), ("pepper", section.has("pepper"))):
        if is_there and name not in formula.names:
            raise section.no(name, _("the formula does not name it"))
    _check_example(section, formula, salt)
    pepper = read_query(section, schema, output=("pepper",), key="pepper") if section.has("pepper") else None
    parts = {"scheme": "declared", "default": "", "current": None}
    return _rule(section, schema, formula=formula, salt=salt, pepper=pepper, **parts)


def _rule(section: Section, schema: str, **parts: object) -> PasswordRule:
    longest, shortest = section.number("longest", default=None), section.number("shortest", default=12)
    return PasswordRule(column=_column(section, schema), longest=longest, shortest=shortest, **parts)  # type: ignore[arg-type]


def _salt(section: Section) -> Salt | None:
    if not section.has("salt"):
        return None
    salt = salt_named(section.text("salt"))
    if salt is None:
        known = ", ".join(name if name == "uuid" else f"{name}N" for name in sorted(SALTS))
        raise section.no("salt", _("it must be one of {known}, N a number up to 128").format(known=known))
    return salt


def _check_example(section: Section, formula: Formula, salt: Salt | None) -> None:
    """A formula counts only once it has given a known answer: one that the platform itself made."""
    example = section.below("example").only((*sorted(formula.names), "hash"))
    given: dict[str, Any] = {name: example.text(name) for name in sorted(formula.names)}
    if salt is not None and salt.kind == BYTES:
        given["salt"] = _unhexed(example)
    written, longest = example.text("hash"), section.number("longest", default=None)
    if longest is not None and len(written) > longest:
        raise example.no("hash", _("it is longer than the {most} characters of `longest`").format(most=longest))
    try:
        fits = formula.verify(written, Given(**given))
    except FormulaRefused as refused:
        raise example.no("hash", str(refused)) from refused
    if not fits:
        raise example.no("hash", _("the formula gives another hash for these values"))


def _unhexed(example: Section) -> bytes:
    try:
        return bytes.fromhex(example.text("salt"))
    except ValueError as error:
        raise example.no("salt", _("a salt of bytes is written as hexadecimal digits here")) from error


def _column(section: Section, schema: str) -> Column:
    table, _dot, name = section.text("column").rpartition(".")
    with section.reading("column"):
        return Column(table_from(table, schema), name)
