"""The values that a statement will write, as far as they can be known before it runs. Reads only; shows no secret."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .. import images
from ..database import Session
from ..language.columns import Table
from ..language.derived import Row, exactly, json_object
from ..language.profile import Profile, Statement
from ..language.statements import Assigned

Known = dict[str, dict[str, Any]]
CLOCK = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|current_(date|time|timestamp)|localtime\w*)\b",
    re.IGNORECASE,
)
PLAIN = re.compile(r"(small|big)?int(eger)?|boolean|text|uuid|date|character.*|numeric.*|time.*")
CHANGING = """
SELECT DISTINCT proname FROM pg_proc WHERE proname = ANY(%s) AND provolatile = 'v'
"""
TYPES = """
SELECT attname, format_type(atttypid, CASE WHEN atttypid = 'varchar'::regtype THEN NULL ELSE atttypmod END)
FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
"""
UNIQUE_KEY = """
SELECT EXISTS (
    SELECT FROM pg_index WHERE indrelid = %s::regclass AND indisunique AND indisvalid AND indpred IS NULL AND indexprs IS NULL
       AND NOT EXISTS (SELECT FROM unnest((indkey::int2[])[:indnkeyatts - 1]) AS part(attnum)
                         JOIN pg_attribute AS a ON a.attrelid = indrelid AND a.attnum = part.attnum
                        WHERE a.attname <> ALL(%s) OR NOT a.attnotnull))
"""
UNIQUE = """
SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
WHERE indrelid = %s::regclass AND indisunique AND indnkeyatts = 1 AND indpred IS NULL AND indexprs IS NULL
  AND has_column_privilege(indrelid, attnum, 'SELECT')
"""


def kinds(
    profile: Profile, statement: Statement, unknown: Mapping[str, str], *, changing: Collection[str] = ()
) -> dict[str, str]:
    """The written columns whose new value is not known beforehand, each with the kind of value that it will get.

    unknown: parameter -> kind, for parameters without a value yet. changing: functions that answer anew each time.
    """
    volatile = profile.tables[statement.table].volatile
    found = {}
    for name, assigned in statement.parsed.assigned.items():
        kind = _kind(assigned, unknown, volatile | set(changing))
        if kind:
            found[name] = kind
    return found


def _kind(assigned: Assigned, unknown: Mapping[str, str], moving: Collection[str]) -> str:
    waiting = [unknown[name] for name in sorted(assigned.parameters) if name in unknown]
    if waiting:
        return waiting[0]
    if assigned.source in {"clock", "default"}:
        return assigned.source
    if assigned.source != "expression":
        return ""
    if any(re.search(rf"\b{re.escape(name)}\b", assigned.text, re.IGNORECASE) for name in moving):
        return "expression"
    return "clock" if CLOCK.search(assigned.text) else ""


def changing_calls(session: Session, statement: Statement) -> list[str]:
    """Those of the statement's functions that answer anew each time, by the catalog; the clock's are not among them."""
    called = sorted(name for name in statement.parsed.calls if not CLOCK.fullmatch(name))
    return [name for (name,) in session.execute(CHANGING, [called]).fetchall()] if called else []


def updated(
    session: Session, profile: Profile, statement: Statement, values: Mapping[str, Any], hidden: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """What an UPDATE will write into each row that it meets: row key -> column -> value."""
    found = {}
    for after, key in session.execute(as_select(session, profile, statement, hidden), values).fetchall():
        image = images.Image(str(statement.table), images.read(key), images.read(after))
        found[image.row_key] = dict(image.columns or {})
    return found


def inserted(
    session: Session, profile: Profile, statement: Statement, values: Mapping[str, Any], hidden: Iterable[str]
) -> list[dict[str, Any]]:
    """What an INSERT will write: one entry per row that it would add."""
    text = as_select(session, profile, statement, hidden)
    return [images.read(after) for (after,) in session.execute(text, values).fetchall()]


def as_select(session: Session, profile: Profile, statement: Statement, hidden: Iterable[str] = ()) -> str:
    """The statement as a SELECT of its new values, but for the hidden columns; of an UPDATE or DELETE with each row's key."""
    rule, parsed = profile.tables[statement.table], statement.parsed
    computed = json_object(_cast(session, statement, frozenset(hidden), rule.secret))
    if parsed.action == "insert":
        return f"SELECT {computed}::text\n{parsed.source}"
    row = Row(statement.table, parsed.alias or statement.table.name, rule.key)
    return f"SELECT {computed}::text, {row.key_object()}::text FROM {row.source} WHERE {parsed.where}"


def _cast(session: Session, statement: Statement, hidden: frozenset[str], secret: frozenset[str]) -> dict[str, str]:
    types, assigned = column_types(session, statement.table), statement.parsed.assigned
    return {
        name: _shaped(f"({assigned[name].text}\n)::{types[name]}", types[name], is_secret=name in secret)
        for name in sorted(assigned)
        if name not in hidden and name in types and assigned[name].source != "default"
    }


def _shaped(value: str, type_name: str, *, is_secret: bool) -> str:
    """As an image would hold it. Plain types stay plain, so that a value may be an aggregate."""
    if is_secret:
        return f"{value}::text"
    return value if PLAIN.fullmatch(type_name) else f"(SELECT {exactly('one.v')} FROM (SELECT {value} AS v) AS one)"


def column_types(session: Session, table: Table) -> dict[str, str]:
    """The table's columns with their types, from the catalog. Raises NameMissing when there is no such table."""
    return dict(session.execute(TYPES, [table.quoted]).fetchall())


def is_known(statement: Statement, hidden: Iterable[str], unknown: Mapping[str, str]) -> bool:
    """False when an INSERT looks up its values by something that an earlier statement returns."""
    own = statement.parsed.assigned
    used = frozenset().union(*(own[name].parameters for name in own.keys() & set(hidden)))
    return not (statement.parsed.parameters & unknown.keys()) - used


def is_unique_key(session: Session, table: Table, key: Iterable[str]) -> bool:
    """True when a rule of the table itself sees to it that no two rows share this key."""
    return bool(session.one(UNIQUE_KEY, [table.quoted, list(key)])[0])


def unique_columns(session: Session, table: Table) -> list[str]:
    """Columns that are unique by themselves and that the reader may read."""
    return [name for (name,) in session.execute(UNIQUE, [table.quoted]).fetchall()]


def has_row(session: Session, table: Table, column: str, value: Any) -> bool:
    row = Row(table, "existing", ())
    text = f"SELECT EXISTS (SELECT FROM {row.source} WHERE {row.column(column)} = %(value)s)"
    return bool(session.one(text, {"value": value})[0])
