"""Tables and columns by their PostgreSQL names, and which of them a parsed text reads. Pure; it never guesses a name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from sqlglot import exp

CONSOLE_SCHEMA = "breakglass"
LONGEST_NAME = 63
SCOPES = (exp.Select, exp.Update, exp.Insert, exp.Delete)


class StatementRefused(ValueError):
    """A SQL text that a profile may not hold; the reason is a sentence that the loader puts beside file and key."""

    def __init__(self, reason: str | Promise, **facts: object) -> None:
        super().__init__(reason)
        self.reason, self.facts = reason, facts

    def __str__(self) -> str:
        return str(self.reason).format(**self.facts)


@dataclass(frozen=True, slots=True, order=True)
class Table:
    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.name)}"


@dataclass(frozen=True, slots=True, order=True)
class Column:
    table: Table
    name: str

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"


def quoted(name: str) -> str:
    """The name as a quoted identifier. A NUL or a 64th byte would silently name something else, so both are refused."""
    if not name or "\0" in name or "%" in name or len(name.encode()) > LONGEST_NAME:
        raise StatementRefused(_("{name} is no name that PostgreSQL keeps as it is written"), name=repr(name))
    return '"' + name.replace('"', '""') + '"'


def name_of(identifier: exp.Expression | str | None) -> str:
    """The name as PostgreSQL reads it: folded to lower case unless it stands in quotes."""
    if not isinstance(identifier, exp.Identifier):
        raise StatementRefused(_("a name is missing or is not written as a plain name"))
    is_quoted = identifier.args.get("quoted")
    if not is_quoted and not identifier.this.isascii():  # how these are folded hangs on the database's locale
        raise StatementRefused(_("{name} holds a letter that needs quotes around the name"), name=identifier.this)
    name = identifier.this if is_quoted else identifier.this.lower()
    quoted(name)
    return name


def table_of(node: exp.Table, schema: str) -> Table:
    if node.args.get("catalog") is not None:
        raise StatementRefused(_("a table of another database ({name}) is named"), name=node.sql(dialect="postgres"))
    written = node.args.get("db")
    return Table(schema if written is None else name_of(written), name_of(node.this))


def table_from(text: str, schema: str) -> Table:
    """A table from a profile's key, `name` or `schema.name`, taken literally."""
    parts = text.split(".")
    if len(parts) > 2:
        raise StatementRefused(_("{name} is not written as table or schema.table"), name=text)
    for part in parts:
        quoted(part)
    return Table(parts[0] if len(parts) == 2 else schema, parts[-1])


def columns_read(root: exp.Expression, schema: str) -> frozenset[Column]:
    """Every table column that the text reads, from wherever it stands; columns of derived tables count where they start.

    Raises StatementRefused for `*`, whole rows and names that could belong to several tables.
    """
    found = (_resolved(column, schema) for column in root.find_all(exp.Column) if not _is_target(column))
    _refuse_stars(root)
    return frozenset(column for column in found if column is not None)


def tables_read(root: exp.Expression, schema: str) -> frozenset[Table]:
    """Every table that the text names, the written one included, and no name of a WITH query."""
    return frozenset(table_of(node, schema) for node in root.find_all(exp.Table) if _is_table(node))


def sources_of(scope: exp.Expression) -> Iterator[tuple[str, exp.Expression]]:
    """The names under which rows can be addressed inside one SELECT, UPDATE, INSERT or DELETE."""
    target = scope.this if isinstance(scope, (exp.Update, exp.Insert, exp.Delete)) else None
    if target is not None:
        node = target.this if isinstance(target, exp.Schema) else target
        yield name_of(_alias_of(node) or node.this), node
    start = scope.args.get("from_")
    nodes = [start.this] if start is not None else []
    nodes += [join.this for join in scope.args.get("joins") or ()]
    nodes += list(scope.args.get("laterals") or ())
    for node in nodes:
        yield from _named(node)


def _named(node: exp.Expression) -> Iterator[tuple[str, exp.Expression]]:
    alias = _alias_of(node)
    if alias is None and isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        alias = node.this
    if alias is not None:
        yield name_of(alias), node
    for join in node.args.get("joins") or ():
        yield from _named(join.this)


def _alias_of(node: exp.Expression) -> exp.Identifier | None:
    alias = node.args.get("alias")
    named = alias.this if isinstance(alias, exp.TableAlias) else alias
    return named if isinstance(named, exp.Identifier) else None


def _scopes_above(node: exp.Expression) -> Iterator[exp.Expression]:
    above = node.find_ancestor(*SCOPES)
    while above is not None:
        yield above
        above = above.find_ancestor(*SCOPES)


def _resolved(column: exp.Column, schema: str) -> Column | None:
    if isinstance(column.this, exp.Star):
        return None
    name = name_of(column.this)
    if column.args.get("table") is None:
        return _resolved_bare(column, name, schema)
    wanted = name_of(column.args["table"])
    for scope in _scopes_above(column):
        sources = dict(sources_of(scope))
        if wanted in sources:
            return _column_in(sources[wanted], name, schema)
    raise StatementRefused(_("{name} belongs to no table of this statement"), name=f"{wanted}.{name}")


def _resolved_bare(column: exp.Column, name: str, schema: str) -> Column | None:
    for scope in _scopes_above(column):
        sources = dict(sources_of(scope))
        if _is_output_name(column, scope, name):
            return None
        if len(sources) > 1 and name in sources:
            raise StatementRefused(_("the whole row {name} is read; name its columns one by one"), name=name)
        if len(sources) > 1:
            raise StatementRefused(_("{name} could belong to several tables; write table.{name}"), name=name)
        for node in sources.values():
            return _column_in(node, name, schema)
    raise StatementRefused(_("{name} belongs to no table of this statement"), name=name)


def _is_output_name(column: exp.Column, scope: exp.Expression, name: str) -> bool:
    ordering = column.find_ancestor(exp.Order, exp.Group, *SCOPES)
    return isinstance(ordering, (exp.Order, exp.Group)) and name in {
        item.alias_or_name.lower() for item in scope.expressions
    }


def _column_in(node: exp.Expression, name: str, schema: str) -> Column | None:
    return Column(table_of(node, schema), name) if isinstance(node, exp.Table) and _is_table(node) else None


def _is_table(node: exp.Table) -> bool:
    return isinstance(node.this, exp.Identifier) and not _is_with_name(node)


def _is_with_name(node: exp.Table) -> bool:
    if node.args.get("db") is not None:
        return False
    wanted, above = name_of(node.this), node.parent
    while above is not None:
        with_ = above.args.get("with_")
        if with_ is not None and wanted in {name_of(_alias_of(query)) for query in with_.expressions}:
            return True
        above = above.parent
    return False


def _is_target(column: exp.Column) -> bool:
    """True for the left side of an assignment and for the bare word DEFAULT, which read nothing."""
    parent = column.parent
    if isinstance(parent, exp.EQ) and isinstance(parent.parent, exp.Update) and parent.arg_key == "expressions":
        is_default = (
            parent.expression is column and column.name.upper() == "DEFAULT" and column.args.get("table") is None
        )
        return parent.this is column or is_default
    return False


def _refuse_stars(root: exp.Expression) -> None:
    for star in root.find_all(exp.Star):
        if not isinstance(star.parent, exp.Count):
            raise StatementRefused(_("* is read; name the columns one by one"))


def by_table(columns: Mapping[Column, object] | frozenset[Column]) -> dict[Table, tuple[str, ...]]:
    """The column names, sorted, under their tables, sorted."""
    grouped: dict[Table, list[str]] = {}
    for column in sorted(columns):
        grouped.setdefault(column.table, []).append(column.name)
    return {table: tuple(names) for table, names in grouped.items()}
