"""The values that a statement will write, as far as they can be known before it runs. Reads only; shows no secret."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import sqlglot
from sqlglot import exp

from . import images
from .columns import Table
from .database import Session
from .derived import Row, json_object
from .profile import Profile, Statement
from .statements import DIALECT, Assigned

Known = dict[str, dict[str, Any]]
CHANGES_BY_ITSELF = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|current_\w+|localtime\w*|random\w*"
    r"|gen_random_\w+|uuid\w*|nextval|setval|pg_current_\w+|txid_\w+)\b",
    re.IGNORECASE,
)
TYPES = """
SELECT attname, format_type(atttypid, CASE WHEN atttypid = 'varchar'::regtype THEN NULL ELSE atttypmod END)
FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
"""
UNIQUE = """
SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
WHERE indrelid = %s::regclass AND indisunique AND indnkeyatts = 1 AND indpred IS NULL AND indexprs IS NULL
  AND has_column_privilege(indrelid, attnum, 'SELECT')
"""


def kinds(profile: Profile, statement: Statement, unknown: Mapping[str, str]) -> dict[str, str]:
    """The written columns whose new value is not known beforehand, each with the kind of value that it will get.

    unknown: parameter -> kind, for parameters without a value yet.
    """
    volatile = profile.tables[statement.table].volatile
    found = {}
    for name, assigned in statement.parsed.assigned.items():
        kind = _kind(assigned, unknown, volatile)
        if kind:
            found[name] = kind
    return found


def _kind(assigned: Assigned, unknown: Mapping[str, str], volatile: frozenset[str]) -> str:
    waiting = [unknown[name] for name in sorted(assigned.parameters) if name in unknown]
    if waiting:
        return waiting[0]
    if assigned.source in {"clock", "default"}:
        return assigned.source
    if assigned.source != "expression":
        return ""
    if any(re.search(rf"\b{re.escape(name)}\b", assigned.text) for name in volatile):
        return "expression"
    return "clock" if CHANGES_BY_ITSELF.search(assigned.text) else ""


def updated(
    session: Session, profile: Profile, statement: Statement, values: Mapping[str, Any], hidden: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """What an UPDATE will write into each row that it meets: row key -> column -> value."""
    rule, parsed = profile.tables[statement.table], statement.parsed
    row = Row(statement.table, parsed.alias or statement.table.name, rule.key)
    computed = json_object(_cast(session, statement, frozenset(hidden)))
    text = f"SELECT {computed}::text, {row.key_object()}::text FROM {row.source} WHERE {parsed.where}"
    found = {}
    for after, key in session.execute(text, values).fetchall():
        image = images.Image(str(statement.table), images.read(key), images.read(after))
        found[image.row_key] = dict(image.columns or {})
    return found


def inserted(
    session: Session, statement: Statement, values: Mapping[str, Any], hidden: Iterable[str]
) -> list[dict[str, Any]]:
    """What an INSERT will write: one entry per row that it would add."""
    root = sqlglot.parse_one(statement.sql, dialect=DIALECT)
    computed = f"SELECT {json_object(_cast(session, statement, frozenset(hidden)))}::text"
    source = root.expression
    if isinstance(source, exp.Select):
        bare = source.copy()
        bare.set("expressions", [exp.Placeholder(this="computed_here")])
        computed = bare.sql(dialect=DIALECT).replace("SELECT %(computed_here)s", computed, 1)
    return [images.read(after) for (after,) in session.execute(computed, values).fetchall()]


def _cast(session: Session, statement: Statement, hidden: frozenset[str]) -> dict[str, str]:
    types = column_types(session, statement.table)
    assigned = statement.parsed.assigned
    return {
        name: f"({assigned[name].text})::{types[name]}"
        for name in sorted(assigned)
        if name not in hidden and name in types
    }


def column_types(session: Session, table: Table) -> dict[str, str]:
    """The table's columns with their types, from the catalog. Raises NameMissing when there is no such table."""
    return dict(session.execute(TYPES, [table.quoted]).fetchall())


def is_known(statement: Statement, hidden: Iterable[str], unknown: Mapping[str, str]) -> bool:
    """False when an INSERT looks up its values by something that an earlier statement returns."""
    own = statement.parsed.assigned
    used = frozenset().union(*(own[name].parameters for name in own.keys() & set(hidden)))
    return not (statement.parsed.parameters & unknown.keys()) - used


def unique_columns(session: Session, table: Table) -> list[str]:
    """Columns that are unique by themselves and that the reader may read."""
    return [name for (name,) in session.execute(UNIQUE, [table.quoted]).fetchall()]


def has_row(session: Session, table: Table, column: str, value: Any) -> bool:
    row = Row(table, "existing", ())
    text = f"SELECT EXISTS (SELECT FROM {row.source} WHERE {row.column(column)} = %(value)s)"
    return bool(session.one(text, {"value": value})[0])
