"""What a guessed INSERT puts into each column of a new row, and names as SQL and TOML need them. Pure."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from ..language.columns import Table, quoted
from .guess_catalog import Catalog, Field, Relation
from .guess_finds import allowed_by_rule, literal

PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Names:
    """Writes names of one catalog: in quotes only where PostgreSQL needs them."""

    catalog: Catalog

    def name(self, name: str) -> str:
        return name if PLAIN.fullmatch(name) and name not in self.catalog.reserved else quoted(name)

    def table(self, table: Table) -> str:
        own = self.name(table.name)
        return own if table.schema == self.catalog.schema else f"{self.name(table.schema)}.{own}"

    def on(self, column: str, rule: str, alias: str = "") -> str:
        """A condition on one column, which stands in it as {column}."""
        return rule.replace("{column}", f"{alias}.{self.name(column)}" if alias else self.name(column))

    def filled(self, text: str, alias: str = "") -> str:
        """A condition whose columns stand in braces."""
        before = f"{alias}." if alias else ""
        return re.sub(r"\{([^{}]+)\}", lambda found: before + self.name(found[1]), text)


def toml(value: str | Iterable[str]) -> str:
    """A text or a list of texts as TOML writes it."""
    return json.dumps(value if isinstance(value, str) else list(value), ensure_ascii=False)


def toml_key(name: str) -> str:
    return name if BARE_KEY.fullmatch(name) else toml(name)


def toml_sql(*lines: str) -> str:
    """The lines of a SQL text between three quotes."""
    escaped = "\n".join(lines).strip().replace("\\", "\\\\").replace('"""', '""\\"')
    return f'"""\n{escaped}\n"""'


@dataclass
class NewRow:
    """The columns of one INSERT with their SQL values; generated: name -> generator; doubts: sentences.

    secret: columns whose values must not stand in a plan, so that PostgreSQL makes them.
    key: the column that names a row where no primary key does; it always gets a value.
    """

    catalog: Catalog
    relation: Relation
    secret: frozenset[str] = frozenset()
    prefix: str = "new"
    key: str = ""
    values: dict[str, str] = field(default_factory=dict)
    generated: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)

    def put(self, name: str, value: str) -> None:
        self.values.setdefault(name, value)

    def fill(self) -> None:
        """A value for every column that neither the table nor the guess gives one."""
        neutral = []
        for column in self.relation.fields.values():
            is_needed = column.must_be_said or (column.name == self.key and not column.is_given)
            if column.name in self.values or not is_needed:
                continue
            self.values[column.name] = self._value(column, neutral)
        if neutral:
            listed = ", ".join(f"{name} = {value}" for name, value in neutral)
            self.doubts.append(_("values that only stand in for something: {listed}").format(listed=listed))

    def _value(self, column: Field, neutral: list[tuple[str, str]]) -> str:
        linked = next((link for link in self.relation.links if link.column == column.name), None)
        if column.name == self.key or (column.name,) == self.relation.key:
            return self._key(column)
        if linked is not None and linked.table in self.catalog.relations:
            names = Names(self.catalog)
            self.doubts.append(
                _("{column}: the first row of {table} is taken").format(column=column.name, table=linked.table)
            )
            to = names.name(linked.to)
            return f"(SELECT x.{to} FROM {names.table(linked.table)} AS x ORDER BY x.{to} LIMIT 1)"
        if column.kind == "moment":
            return "now()"
        if column.kind == "uuid":
            return f"{self._generate(column.name, 'uuid')}::uuid"
        if column.kind == "text" and self.relation.is_unique(column.name):
            return self._text(column)
        value = self._neutral(column)
        neutral.append((column.name, value))
        return value

    def _key(self, column: Field) -> str:
        if column.kind == "uuid":
            return f"{self._generate(column.name, 'uuid')}::uuid"
        if column.kind == "text":
            self.doubts.append(_("{column}: is the key of a row any random text?").format(column=column.name))
            return self._text(column)
        wanted = [f"{self.relation.table.name}_{column.name}_seq", f"{self.relation.table.name}_seq"]
        sequence = next((name for name in wanted if name in self.catalog.sequences), "")
        if sequence:
            return f"nextval({literal(f'{self.catalog.schema}.{sequence}')})"
        self.doubts.append(
            _("{column}: nothing gives the next number, so it is the largest plus one").format(column=column.name)
        )
        names = Names(self.catalog)
        return (
            f"(SELECT coalesce(max(x.{names.name(column.name)}), 0) + 1 FROM {names.table(self.relation.table)} AS x)"
        )

    def _text(self, column: Field) -> str:
        if column.name in self.secret:
            return f"left(replace(gen_random_uuid()::text, '-', ''), {min(column.width or 32, 32)})"
        if column.width is not None and column.width < 16:
            return f"left({self._generate(column.name, 'text16')}, {column.width})"
        return self._generate(
            column.name, "uuid" if column.width == 36 else "hex32" if column.width == 32 else "text16"
        )

    def _generate(self, name: str, generator: str) -> str:
        own = f"{self.prefix}_" + re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        self.generated[own] = generator
        return f"%({own})s"

    def _neutral(self, column: Field) -> str:
        allowed = list(column.labels) or allowed_by_rule(self.relation, column.name)
        if allowed:
            return literal(allowed[0])
        return {"flag": "false", "number": "0", "json": "'{}'"}.get(column.kind, "''")
