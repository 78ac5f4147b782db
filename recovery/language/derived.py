"""SQL that follows from a profile's own statements: images of the rows they meet.

It only selects. What changes a platform is the profile's own text and nothing made here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from .columns import CONSOLE_SCHEMA, StatementRefused, Table, quoted
from .statements import Parsed


@dataclass(frozen=True, slots=True)
class Row:
    """A table under the name by which a statement's WHERE knows it."""

    table: Table
    name: str
    key: tuple[str, ...]

    @property
    def source(self) -> str:
        """Without an alias where the statement has none, so that its WHERE may also say schema.table.column."""
        return self.table.quoted if self.name == self.table.name else f"{self.table.quoted} AS {quoted(self.name)}"

    def column(self, name: str) -> str:
        return f"{quoted(self.name)}.{quoted(name)}"

    def exact(self, name: str) -> str:
        return exactly(self.column(name))

    def as_text(self, name: str) -> str:
        return f"{self.column(name)}::text"

    def key_object(self) -> str:
        return json_object({name: self.column(name) for name in self.key})

    def stamp(self, name: str) -> str:
        """The stamp of a secret column, from the view that hides the column."""
        matched = " AND ".join(f"secret_row.{quoted(key)} = {self.column(key)}" for key in self.key)
        return f"(SELECT secret_row.{quoted(name + '_stamp')} FROM {secrets_view(self.table).quoted} secret_row WHERE {matched})"

    def select(self, columns: Iterable[str], *, where: str, secret: frozenset[str], stamped: bool, lock: bool) -> str:
        hide = self.stamp if stamped else self.as_text
        image = json_object({name: (hide if name in secret else self.exact)(name) for name in sorted(columns)})
        locking = f"FOR UPDATE OF {quoted(self.name)}" if lock else ""
        selected = f"{image}::text AS image, {self.key_object()}::text AS key, {self.column('xmin')}::text AS xmin"
        return f"SELECT {selected} FROM {self.source} WHERE {where}\n{locking}"


def image_select(
    parsed: Parsed,
    columns: Iterable[str],
    *,
    key: Sequence[str],
    secret: Iterable[str] = (),
    stamped: bool = False,
    lock: bool = False,
) -> str:
    """The rows that an UPDATE or DELETE will meet, by its own WHERE, as (image json text, key json text, xmin text).

    columns name columns of the written table. The image holds secret ones as text; stamped: as their stamp, for a login
    that may not read them. Lock only what may be updated: FOR UPDATE needs the right to UPDATE, which DELETE lacks.
    """
    if parsed.action not in {"update", "delete"} or parsed.table is None:
        raise StatementRefused(_("an INSERT meets no rows before it runs"))
    row = Row(parsed.table, parsed.alias or parsed.table.name, tuple(key))
    return row.select(columns, where=parsed.where, secret=frozenset(secret), stamped=stamped, lock=lock)


def image_by_key(
    table: Table,
    columns: Iterable[str],
    *,
    key: Mapping[str, object],
    secret: Iterable[str] = (),
    stamped: bool = False,
) -> str:
    """One row by its key, in the same three columns; the values of the key are the parameters `key_<number>`."""
    named = enumerate((f"{quoted(table.name)}.{quoted(name)}", value) for name, value in key.items())
    where = " AND ".join(f"{name} IS NULL" if value is None else f"{name} = %(key_{n})s" for n, (name, value) in named)
    row = Row(table, table.name, tuple(key))
    return row.select(columns, where=where, secret=frozenset(secret), stamped=stamped, lock=False)


def secrets_view(table: Table) -> Table:
    """The view that says of a table's secret columns whether they are set, of what scheme and cost, and their stamp."""
    return Table(CONSOLE_SCHEMA, f"{table.name}_secrets")


def json_object(values: Mapping[str, str]) -> str:
    """jsonb of SQL texts by name; in parts, because a PostgreSQL function takes no more than 100 arguments."""
    pairs = [f"'{_literal(name)}', {text}" for name, text in values.items()]
    parts = [pairs[start : start + 40] for start in range(0, len(pairs), 40)] or [[]]
    return "(" + " || ".join(f"jsonb_build_object({', '.join(part)})" for part in parts) + ")"


def exactly(value: str) -> str:
    """A value as jsonb from which it can be made again to the letter: JSON, arrays and composites as their own text."""
    is_json = f"pg_typeof({value}) IN ('json'::regtype, 'jsonb'::regtype)"
    is_nested = f"jsonb_typeof(to_jsonb({value})) IN ('object', 'array')"
    return f"CASE WHEN {is_json} OR {is_nested} THEN to_jsonb({value}::text) ELSE to_jsonb({value}) END"


def _literal(name: str) -> str:
    quoted(name)
    return name.replace("'", "''")
