"""Which rows of which tables changed between two moments. It compares all rows of all tables as text, by primary key."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from tests.platforms.words import ADDED, CHANGED, REMOVED, Row

CONSOLE_SCHEMA = "breakglass"  # doors and views of the console: not part of the platform
State = dict[str, dict[str, dict[str, str | None]]]  # table -> key -> column -> text
TABLES = """
SELECT n.nspname, c.relname,
       array_agg(a.attname ORDER BY a.attnum),
       coalesce(array_agg(a.attname ORDER BY a.attnum) FILTER (WHERE a.attnum = ANY(i.indkey)), '{}')
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
 WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', %s)
 GROUP BY n.nspname, c.relname
 ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Change:
    """One row that is not as it was. columns: what changed in it; row: as it is now, or as it was when it is gone."""

    kind: str
    table: str
    key: str
    columns: frozenset[str]
    row: Mapping[str, str | None]

    def __str__(self) -> str:
        sign = {ADDED: "+", CHANGED: "~", REMOVED: "-"}[self.kind]
        return f"{sign} {self.table}" + (f" ({', '.join(sorted(self.columns))})" if self.columns else "")


def state(connection: psycopg.Connection) -> State:
    """Every row of every table of the platform."""
    return dict(_tables(connection))


def difference(before: State, after: State) -> list[Change]:
    changes = [
        change
        for table in sorted(before.keys() | after.keys())
        for change in _of_table(table, before.get(table, {}), after.get(table, {}))
    ]
    return sorted(changes, key=lambda change: (change.table, change.kind, change.key))


def unexpected(changes: list[Change], wanted: tuple[Row, ...], own: Mapping[str, frozenset[str]]) -> list[str]:
    """What is too much or missing, as lines. own: columns that the software writes by itself when somebody signs in."""
    left, faults = list(wanted), []
    for change in changes:
        row = next((row for row in left if _fits(change, row, own.get(change.table, frozenset()))), None)
        if row is not None:
            left.remove(row)
        elif not _is_own(change, own):
            faults.append(f"not expected: {change} {change.key}")
    return faults + [f"missing: {row}" for row in left]


def written_by_run(changes: list[Change], wanted: tuple[Row, ...], own: Mapping[str, frozenset[str]]) -> list[Change]:
    """The changes that are expected of the run, each with the columns that were asked for."""
    left, found = list(wanted), []
    for change in changes:
        row = next((row for row in left if _fits(change, row, own.get(change.table, frozenset()))), None)
        if row is not None:
            left.remove(row)
            found.append(replace(change, columns=row.columns))
    return found


def _fits(change: Change, row: Row, own: frozenset[str]) -> bool:
    is_it = (change.kind, change.table) == (row.kind, row.table)
    holds = all(change.row.get(name) == value for name, value in row.holds.items())
    return is_it and holds and row.columns <= change.columns <= row.columns | own


def _is_own(change: Change, own: Mapping[str, frozenset[str]]) -> bool:
    """A row that the software added, or whose columns it wrote, by itself. It never excuses a removed row."""
    if change.table not in own or change.kind == REMOVED:
        return False
    return (
        change.kind == ADDED and not own[change.table] or change.kind == CHANGED and change.columns <= own[change.table]
    )


def _of_table(table: str, before: Mapping, after: Mapping) -> Iterator[Change]:
    for key in after.keys() - before.keys():
        yield Change(ADDED, table, key, frozenset(), after[key])
    for key in before.keys() - after.keys():
        yield Change(REMOVED, table, key, frozenset(), before[key])
    for key in before.keys() & after.keys():
        columns = frozenset(name for name in after[key] if before[key].get(name) != after[key][name])
        if columns:
            yield Change(CHANGED, table, key, columns, after[key])


def _tables(connection: psycopg.Connection) -> Iterator[tuple[str, dict[str, dict[str, str | None]]]]:
    for schema, table, columns, key in connection.execute(TABLES, [CONSOLE_SCHEMA]).fetchall():
        # As text: PostgreSQL keeps values, such as the moment `infinity`, that no Python type holds.
        wanted = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in columns)
        found = connection.execute(sql.SQL("SELECT {} FROM {}").format(wanted, sql.Identifier(schema, table)))
        rows = (dict(zip(columns, row, strict=True)) for row in found)
        yield f"{schema}.{table}", {_key(row, key): row for row in rows}


def _key(row: Mapping[str, str | None], key: list[str]) -> str:
    if key:
        return " ".join(str(row[name]) for name in key)
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:16]
