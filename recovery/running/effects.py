"""What a platform transaction really touches, by the server's own account: a trigger or a rule that writes more is named."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from ..database import Session
from ..language.columns import Table
from ..language.derived import Row
from ..language.profile import Profile, Statement
from ..run_refusals import MoreThanPlanned

# Counters of this transaction alone; on a fresh connection nothing older is among them. Partitions count for their root.
TOUCHED = """
SELECT n.nspname, c.relname, sum(s.n_tup_ins)::int, sum(s.n_tup_upd)::int, sum(s.n_tup_del)::int
FROM pg_stat_xact_user_tables AS s
JOIN pg_class AS c ON c.oid = coalesce(pg_partition_root(s.relid), s.relid)
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE s.n_tup_ins + s.n_tup_upd + s.n_tup_del > 0
GROUP BY n.nspname, c.relname
"""
ACTIONS = ("insert", "update", "delete")
MOST_NAMED = 5


def require_nothing_else(session: Session, profile: Profile, written: Mapping[Table, Mapping[str, int]]) -> None:
    """Raises MoreThanPlanned unless this transaction wrote exactly the rows that its statements counted."""
    found = {
        Table(schema, name): dict(zip(ACTIONS, counts, strict=True)) for schema, name, *counts in _touched(session)
    }
    expected = {table: dict(counts) for table, counts in written.items() if any(counts.values())}
    if found != expected:
        differing = sorted(table for table in found.keys() | expected.keys() if found.get(table) != expected.get(table))
        raise MoreThanPlanned(
            what="; ".join(_told(session, profile, t, found.get(t), expected.get(t)) for t in differing)
        )


def _touched(session: Session) -> list[tuple[Any, ...]]:
    return session.execute(TOUCHED).fetchall()


def _told(
    session: Session,
    profile: Profile,
    table: Table,
    found: Mapping[str, int] | None,
    expected: Mapping[str, int] | None,
) -> str:
    if expected is None:
        return _("{table}, which no statement names ({counts})").format(table=table, counts=_counts(found or {}))
    if found is None:
        return _("{table}: the platform counts no rows (is track_counts off?)").format(table=table)
    told = _("{table}: {found} instead of {expected}").format(
        table=table, found=_counts(found), expected=_counts(expected)
    )
    return f"{told}: {', '.join(_own_rows(session, profile, table))}"


def _counts(counts: Mapping[str, int]) -> str:
    words = {"insert": _("{n} added"), "update": _("{n} changed"), "delete": _("{n} removed")}
    return ", ".join(words[action].format(n=count) for action, count in counts.items() if count)


def _own_rows(session: Session, profile: Profile, table: Table) -> list[str]:
    """The rows that carry this transaction's id. Reads the whole table, and only when something is already wrong."""
    row = Row(table, "touched", profile.tables[table].key)
    own = f"SELECT {row.key_object()}::text FROM {row.source} WHERE {row.column('xmin')} = pg_current_xact_id()::xid"
    return [key for (key,) in session.execute(f"{own} LIMIT {MOST_NAMED}").fetchall()]


def require_named_tables(session: Session, statement: Statement, values: Mapping[str, Any]) -> None:
    """Raises MoreThanPlanned when the server's plan for the statement touches a relation that its text does not name."""
    explained = session.one("EXPLAIN (VERBOSE, FORMAT JSON) " + statement.sql, values)[0]
    named = statement.parsed.tables | {statement.table}
    for table, writes in _relations(explained[0]["Plan"]):
        root = _root(session, table)
        if writes and root != statement.table or root not in named and root not in _behind(session, named):
            raise MoreThanPlanned(what=_("{statement} reaches {table}").format(statement=statement.name, table=table))


def _relations(node: Mapping[str, Any]) -> Iterator[tuple[Table, bool]]:
    if "Relation Name" in node:
        yield Table(node.get("Schema", ""), node["Relation Name"]), node["Node Type"] == "ModifyTable"
    for below in node.get("Plans", ()):
        yield from _relations(below)


def _root(session: Session, table: Table) -> Table:
    """The table itself, or for a partition the table that it is a part of. By name: a cast would ask for rights to schemas."""
    query = """
        SELECT m.nspname, r.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_class AS r ON r.oid = coalesce(pg_partition_root(c.oid), c.oid) JOIN pg_namespace AS m ON m.oid = r.relnamespace
        WHERE n.nspname = %s AND c.relname = %s
    """
    return Table(*session.one(query, [table.schema, table.name]))


def _behind(session: Session, named: Iterable[Table]) -> set[Table]:
    """What the views among the named tables read."""
    query = """
        WITH RECURSIVE behind(oid) AS (
            SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE (n.nspname || '.' || c.relname) = ANY(%s)
            UNION
            SELECT d.refobjid FROM behind AS b JOIN pg_rewrite AS w ON w.ev_class = b.oid
            JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
                               AND d.refclassid = 'pg_class'::regclass
        )
        SELECT n.nspname, c.relname FROM behind JOIN pg_class AS c USING (oid) JOIN pg_namespace AS n ON n.oid = c.relnamespace
    """
    return {Table(*row) for row in session.execute(query, [[str(table) for table in named]]).fetchall()}
