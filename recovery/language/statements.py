"""What one SQL text of a profile writes and reads. Pure; the text itself is never changed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import sqlglot
from django.utils.translation import gettext_lazy as _
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType

from . import calls, own_words
from .columns import Column, StatementRefused, Table, columns_read, name_of, table_of, tables_read

DIALECT = "postgres"
PARAMETER = re.compile(r"%\(([a-z][A-Za-z0-9_]*)\)s")
WRITES = {exp.Insert: "insert", exp.Update: "update", exp.Delete: "delete"}
BLANKS = " \t\r\n\f"
CLOCKS = (exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime)
ONE_TABLE_ONLY = {
    "ON CONFLICT": "conflict",
    "USING": "using",
    "FROM": "from_",
    "WITH": "with_",
    "JOIN": "joins",
    "ONLY": "only",
}


@dataclass(frozen=True, slots=True)
class Assigned:
    """Where the new value of a column comes from: literal, parameter, clock, default or expression; text is its own SQL."""

    source: str
    text: str
    parameters: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Parsed:
    """One statement taken apart. action: insert, update, delete or select.

    where: of an UPDATE or DELETE. source: what follows the list of an INSERT's SELECT. calls: names of functions.
    sequences: what nextval takes numbers from.
    """

    action: str
    table: Table | None
    alias: str
    writes: frozenset[Column]
    reads: frozenset[Column]
    tables: frozenset[Table]
    parameters: frozenset[str]
    assigned: Mapping[str, Assigned]
    where: str
    returning: tuple[str, ...]
    output: tuple[str, ...]
    source: str = ""
    calls: frozenset[str] = frozenset()
    sequences: frozenset[Table] = frozenset()

    @property
    def bare(self) -> frozenset[Table]:
        """The tables that it names and of which it reads no column, such as in count(*); the written one is not among them."""
        return self.tables - {column.table for column in self.reads} - {self.table}


def parse_write(sql: str, *, schema: str = "public") -> Parsed:
    """Take an INSERT, UPDATE or DELETE apart; unqualified tables are of this schema. Raises StatementRefused."""
    root, tokens = _single(sql)
    action = WRITES.get(type(root))
    if action is None:
        raise StatementRefused(_("only INSERT, UPDATE and DELETE change a platform; this is something else"))
    parameters = _parameters(sql, root, tokens)
    _refuse_second_acts(root)
    calls.require_harmless(tokens, is_write=True)
    target = root.this.this if isinstance(root.this, exp.Schema) else root.this
    if not isinstance(target, exp.Table):
        raise StatementRefused(_("the table that is written is missing"))
    table = table_of(target, schema)
    where = own_words.where_text(sql, tokens) if action != "insert" else ""
    if action != "insert" and not where:
        raise StatementRefused(_("a WHERE is missing: every row of {table} would be written"), table=table)
    assigned = _assigned(root, sql, tokens)
    return Parsed(
        action=action,
        table=table,
        alias=name_of(target.args["alias"].this) if target.alias else "",
        writes=frozenset(Column(table, name) for name in assigned),
        reads=columns_read(root, schema),
        tables=tables_read(root, schema),
        parameters=parameters,
        assigned=MappingProxyType(assigned),
        where=where,
        returning=_output(root.args.get("returning")),
        output=(),
        source=own_words.source_text(sql, tokens) if action == "insert" else "",
        calls=calls.called(tokens),
        sequences=calls.sequences(tokens, schema),
    )


def parse_query(sql: str, *, schema: str = "public") -> Parsed:
    """Take a SELECT apart that changes and locks nothing. Raises StatementRefused."""
    root, tokens = _single(sql)
    if not isinstance(root, (exp.Select, exp.SetOperation)):
        raise StatementRefused(_("only a SELECT may stand here"))
    if any(root.find_all(exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Into, exp.Lock, exp.Command)):
        raise StatementRefused(_("a SELECT of a profile neither writes nor locks"))
    parameters = _parameters(sql, root, tokens)
    calls.require_harmless(tokens, is_write=False)
    return Parsed(
        action="select",
        table=None,
        alias="",
        writes=frozenset(),
        reads=columns_read(root, schema),
        tables=tables_read(root, schema),
        parameters=parameters,
        assigned=MappingProxyType({}),
        where="",
        returning=(),
        output=tuple(map(output_name, root.selects)),
        calls=calls.called(tokens),
    )


def parameters_in(sql: str) -> frozenset[str]:
    """The `%(name)s` parameters of a text. Any other percent sign is refused: psycopg would read it as its own."""
    rest = PARAMETER.sub("", sql).replace("%%", "")
    if "%" in rest:
        raise StatementRefused(_("a % is neither a %(name)s parameter nor doubled"))
    return frozenset(PARAMETER.findall(sql))


def _single(sql: str) -> tuple[exp.Expression, list[Token]]:
    if "\0" in sql:
        raise StatementRefused(_("a NUL stands in the text"))
    if any(letter.isspace() and letter not in BLANKS for letter in sql):  # PostgreSQL takes these for parts of names
        raise StatementRefused(_("a blank that is none for PostgreSQL stands in the text, such as a no-break space"))
    try:
        roots, tokens = sqlglot.parse(sql, dialect=DIALECT), sqlglot.tokenize(sql, read=DIALECT)
    except SqlglotError as error:
        raise StatementRefused(
            _("the text cannot be read as PostgreSQL: {why}"), why=str(error).split("\n")[0]
        ) from error
    if len(roots) != 1 or not isinstance(roots[0], exp.Expression):
        raise StatementRefused(_("exactly one statement may stand here"))
    return roots[0], tokens


def _refuse_second_acts(root: exp.Expression) -> None:
    inner = next((node for node in root.find_all(*WRITES, exp.Merge, exp.Into, exp.Lock) if node is not root), None)
    if inner is not None:
        raise StatementRefused(_("a statement inside the statement writes or locks; give it a step of its own"))
    target = root.this.this if isinstance(root.this, exp.Schema) else root.this
    clauses = [
        word for word, argument in ONE_TABLE_ONLY.items() if root.args.get(argument) or target.args.get(argument)
    ]
    if clauses:
        raise StatementRefused(
            _("{clause} is not understood in a write; use WHERE ... IN (SELECT ...)"), clause=clauses[0]
        )


def _assigned(root: exp.Expression, sql: str, tokens: list[Token]) -> dict[str, Assigned]:
    if isinstance(root, exp.Delete):
        return {}
    if isinstance(root, exp.Insert):
        return _once_each(_inserted(root), own_words.valued_texts(sql, tokens))
    return _once_each(_updated(root), own_words.assigned_texts(sql, tokens))


def _updated(root: exp.Expression) -> list[tuple[str, exp.Expression]]:
    pairs = []
    for item in root.expressions:
        if not isinstance(item, exp.EQ) or not isinstance(item.this, exp.Column) or item.this.args.get("table"):
            raise StatementRefused(_("assign one column at a time: SET a = 1, b = 2"))
        pairs.append((name_of(item.this.this), item.expression))
    return pairs


def _inserted(root: exp.Expression) -> list[tuple[str, exp.Expression]]:
    if not isinstance(root.this, exp.Schema):
        raise StatementRefused(
            _("an INSERT names its columns: INSERT INTO {table} (a, b) ..."), table=root.this.sql(DIALECT)
        )
    names = [name_of(column) for column in root.this.expressions]
    source = root.expression
    rows = source.expressions if isinstance(source, exp.Values) else [source]
    if len(rows) != 1 or not isinstance(rows[0], (exp.Tuple, exp.Select)):
        raise StatementRefused(_("an INSERT takes one row of VALUES or one SELECT"))
    values = rows[0].expressions
    if len(names) != len(values):
        raise StatementRefused(_("{names} columns but {values} values"), names=len(names), values=len(values))
    return list(zip(names, values, strict=True))


def _once_each(pairs: list[tuple[str, exp.Expression]], texts: list[str]) -> dict[str, Assigned]:
    if len(pairs) != len(texts):
        raise StatementRefused(_("the values cannot be told apart; put each in brackets"))
    assigned: dict[str, Assigned] = {}
    for (name, value), text in zip(pairs, texts, strict=True):
        if name in assigned:
            raise StatementRefused(_("the column {name} is assigned twice"), name=name)
        assigned[name] = _value(value, text)
    return assigned


def _value(value: exp.Expression, text: str) -> Assigned:
    if isinstance(value, exp.Alias) and not text:
        raise StatementRefused(_("a value of an INSERT needs no name"))
    inner = value.unalias()
    while isinstance(inner, (exp.Cast, exp.Paren, exp.Neg)):
        inner = inner.this
    names = frozenset(node.this.name for node in value.find_all(exp.Placeholder) if node.this)
    if text.upper() == "DEFAULT":
        return Assigned("default", "DEFAULT")
    if isinstance(inner, exp.Placeholder):
        return Assigned("parameter", text, names)
    if isinstance(inner, (exp.Literal, exp.Boolean, exp.Null)):
        return Assigned("literal", text)
    return Assigned("clock" if isinstance(inner, CLOCKS) else "expression", text, names)


def _output(returning: exp.Expression | None) -> tuple[str, ...]:
    return () if returning is None else tuple(map(output_name, returning.expressions))


def output_name(item: exp.Expr) -> str:
    """The name under which PostgreSQL gives a column of a result, "" where it makes one up."""
    named = (
        item.args.get("alias") if isinstance(item, exp.Alias) else item.this if isinstance(item, exp.Column) else None
    )
    return name_of(named) if isinstance(named, exp.Identifier) else item.alias_or_name.lower()


def _parameters(sql: str, root: exp.Expression, tokens: list[Token]) -> frozenset[str]:
    parsed = [node.this.name for node in root.find_all(exp.Placeholder) if isinstance(node.this, exp.Expression)]
    has_braces = any(token.token_type is TokenType.L_BRACE for token in tokens)
    if has_braces or any(root.find_all(exp.Parameter)) or len(list(root.find_all(exp.Placeholder))) != len(parsed):
        raise StatementRefused(_("parameters are written %(name)s, no other way"))
    if sorted(parsed) != sorted(PARAMETER.findall(sql)):
        raise StatementRefused(_("a parameter stands in quotes or in a comment"))
    return parameters_in(sql)
