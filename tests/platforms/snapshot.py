"""A saved copy of a software's database beside it, and the way back to it while the software runs."""

import psycopg
from psycopg import sql

from breakglass.practice import databases
from breakglass.practice.cluster import Cluster
from tests.platforms.rowdiff import CONSOLE_SCHEMA

COLUMNS = """
SELECT n.nspname, c.relname, array_agg(a.attname ORDER BY a.attnum)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
 WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', %s)
 GROUP BY n.nspname, c.relname
"""
SEQUENCES = "SELECT schemaname, sequencename, start_value, last_value FROM pg_sequences"
Saved = list[tuple[str, str, list[str]]]


def is_there(dba: psycopg.Connection, dbname: str) -> bool:
    return databases.exists(dba, _saved(dbname))


def save(dba: psycopg.Connection, dbname: str) -> None:
    """Copy the database; nobody may be connected to it."""
    draft = f"{dbname}_draft"  # gets its name when it is complete
    databases.drop(dba, draft)
    databases.create(dba, draft, template=dbname)
    databases.drop(dba, _saved(dbname))
    databases.rename(dba, draft, _saved(dbname))


def restore(cluster: Cluster, dbname: str) -> None:
    """Put every row and sequence of the copy back, in one transaction and without triggers; the console's schema stays."""
    with cluster.connect(_saved(dbname)) as source, cluster.connect(dbname) as target, target.transaction():
        tables = source.execute(COLUMNS, [CONSOLE_SCHEMA]).fetchall()
        target.execute("SET LOCAL lock_timeout = '30s'")
        target.execute("SET LOCAL session_replication_role = replica")
        names = sql.SQL(", ").join(sql.Identifier(schema, table) for schema, table, _columns in tables)
        target.execute(sql.SQL("TRUNCATE {}").format(names))
        for schema, table, columns in tables:
            _copy(source, target, sql.Identifier(schema, table), columns)
        for schema, name, start, last in source.execute(SEQUENCES).fetchall():
            place = sql.Literal(sql.Identifier(schema, name).as_string(target))
            values = (place, sql.Literal(start if last is None else last), sql.Literal(last is not None))
            target.execute(sql.SQL("SELECT setval({}::regclass, {}, {})").format(*values))


def _copy(source: psycopg.Connection, target: psycopg.Connection, table: sql.Identifier, columns: list[str]) -> None:
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    read = sql.SQL("COPY {} ({}) TO STDOUT (FORMAT binary)").format(table, listed)
    write = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(table, listed)
    with source.cursor().copy(read) as taken, target.cursor().copy(write) as put:
        for block in taken:
            put.write(block)


def _saved(dbname: str) -> str:
    return f"{dbname}_pristine"
