"""How a profile says that a new password becomes what the platform stores. It never connects anywhere."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from .columns import Column, table_from
from .queries import Query, read_query
from .sections import Section

PASSWORD = ("column", "scheme", "default", "current", "longest", "shortest")


@dataclass(frozen=True, slots=True)
class PasswordRule:
    """How a new password becomes what the platform stores.

    scheme: "row" (as the replaced row has it) or "default". default: a hash's beginning that names scheme and cost.
    current: the query that gives that beginning for the account %(key)s as its only column `prefix`.
    """

    column: Column
    scheme: str
    default: str
    current: Query | None
    longest: int | None
    shortest: int


def read_rule(section: Section, schema: str) -> PasswordRule:
    """The rule that the section `[password]` holds. Raises the section's refusal."""
    section.only(PASSWORD)
    scheme = section.text("scheme", default="row")
    if scheme not in {"row", "default"}:
        raise section.no("scheme", _("it must be row or default"))
    has_current = section.has("current")
    if scheme == "row" and not has_current:
        raise section.no("current", _("scheme = row needs the query that reads the row's scheme and cost"))
    query = {"output": ("prefix",), "parameters": ("key",), "key": "current"}
    return PasswordRule(
        column=_column(section, schema),
        scheme=scheme,
        default=section.text("default"),
        current=read_query(section, schema, **query) if has_current else None,
        longest=section.number("longest", default=None),
        shortest=section.number("shortest", default=12),
    )


def _column(section: Section, schema: str) -> Column:
    table, _dot, name = section.text("column").rpartition(".")
    with section.reading("column"):
        return Column(table_from(table, schema), name)
