"""Binds the values of a profile's statement for psql: literals where they are known, psql variables where the platform gives them."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from psycopg import sql

from ..language.statements import PARAMETER
from .paper_refusals import NotForPaper

VARIABLE = "bg_"  # what the script's own psql variables begin with
VALUE = "value_"  # and those that stand for a parameter of the profile
QUOTED = re.compile(
    r"""(?ix) \b e'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | \$(\w*)\$.*?\$\1\$ | --[^\n]* | /\*.*?\*/""",
    re.DOTALL,
)
SPECIAL = re.compile(r"""\\|(?<!:):(?=[A-Za-z_'"{])""")


def literal(value: Any) -> str:
    """A value as PostgreSQL reads it in any text, whatever it holds."""
    return sql.Literal(value).as_string(None).strip()


def variable(name: str) -> str:
    """The value of one of the script's variables, as a quoted literal that psql makes."""
    return f":'{VARIABLE}{name}'"


def bound(statement: str, values: Mapping[str, Any]) -> str:
    """The statement to the letter with its parameters filled in: those in values as literals, all others as variables.

    Raises NotForPaper: psql would read something in the text as its own.
    """
    check(statement)
    filled = PARAMETER.sub(lambda found: _value(found.group(1), values), statement)
    return filled.replace("%%", "%").strip()


def _value(name: str, values: Mapping[str, Any]) -> str:
    return literal(values[name]) if name in values else f":'{VALUE}{name}'"


def check(statement: str) -> None:
    """Outside of quotes psql takes a backslash for a command of its own and `:name` for a variable. Raises NotForPaper."""
    found = SPECIAL.search(QUOTED.sub("''", PARAMETER.sub("''", statement)))
    if found is not None:
        raise NotForPaper(why=_("psql reads “{sign}” in a statement as its own").format(sign=found.group()))
