"""An unknown platform as its catalog describes it, and a few values. It only reads, and what looks secret it never keeps."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..database import Session
from ..hashing.password_schemes import FAMILIES
from ..language.columns import Table, quoted

COLUMNS = """
SELECT c.relname, a.attname, coalesce(b.typname, t.typname),
       CASE WHEN a.atttypmod > 4 AND t.typname IN ('varchar', 'bpchar') THEN a.atttypmod - 4 END,
       NOT a.attnotnull, a.attidentity <> '' OR a.attgenerated <> '' OR d.adbin IS NOT NULL,
       coalesce(pg_get_expr(d.adbin, d.adrelid), ''), has_column_privilege(c.oid, a.attnum, 'SELECT'),
       coalesce((SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = a.atttypid), '{}')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = t.typbasetype AND t.typtype = 'd'
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""
INDEXES = """
SELECT c.relname, i.indisprimary, pg_get_indexdef(i.indexrelid),
       coalesce((SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(num, place)
                 JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.num WHERE k.place <= i.indnkeyatts), '{}'),
       i.indpred IS NULL AND i.indexprs IS NULL
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND i.indisunique AND i.indisvalid ORDER BY c.relname, i.indexrelid
"""
LINKS = """
SELECT c.relname, a.attname, n2.nspname, c2.relname, a2.attname
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class c2 ON c2.oid = k.confrelid JOIN pg_namespace n2 ON n2.oid = c2.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
JOIN pg_attribute a2 ON a2.attrelid = c2.oid AND a2.attnum = k.confkey[1]
WHERE n.nspname = %(schema)s AND k.contype = 'f' AND cardinality(k.conkey) = 1 ORDER BY c.relname, a.attnum
"""
CHECKS = """
SELECT c.relname, pg_get_constraintdef(k.oid) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %(schema)s AND k.contype = 'c'
"""
SEQUENCES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %(schema)s AND c.relkind = 'S'
"""
RESERVED = "SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T', 'C')"
KINDS = {
    **dict.fromkeys(("text", "varchar", "bpchar", "citext", "name"), "text"),
    **dict.fromkeys(("int2", "int4", "int8", "numeric"), "number"),
    **dict.fromkeys(("timestamp", "timestamptz", "date"), "moment"),
    "bool": "flag",
    "uuid": "uuid",
    "json": "json",
    "jsonb": "json",
    "bytea": "bytes",
}
MOST_LOOKED_AT, MOST_VALUES = 10_000, 20
WRITABLE = re.compile(r"[^%.\\\x00-\x1f]{1,63}")
HEX, BASE64 = re.compile(r"[0-9A-Fa-f]+"), re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
DIGEST_DIGITS = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}


@dataclass(frozen=True, slots=True)
class Field:
    """One column. kind: text, number, moment, flag, uuid, json, bytes, enum or other. given: the table fills it by itself."""

    name: str
    kind: str
    width: int | None
    is_nullable: bool
    is_given: bool
    default: str
    is_readable: bool
    labels: tuple[str, ...] = ()

    @property
    def must_be_said(self) -> bool:
        return not (self.is_nullable or self.is_given)


@dataclass(frozen=True, slots=True)
class Link:
    """A foreign key of one column."""

    column: str
    table: Table
    to: str


@dataclass(frozen=True)
class Relation:
    table: Table
    fields: Mapping[str, Field]
    key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    lowered: frozenset[str] = frozenset()
    links: tuple[Link, ...] = ()
    checks: tuple[str, ...] = ()

    def is_unique(self, name: str) -> bool:
        return (name,) in self.unique or self.key == (name,) or name in self.lowered

    def link_to(self, table: Table) -> Link | None:
        return next((link for link in self.links if link.table == table), None)


@dataclass(frozen=True)
class Form:
    """How the hashes of a column look. beginning: of a form that the console makes; "" for one that it does not know."""

    beginning: str
    name: str


@dataclass(frozen=True)
class Catalog:
    """The tables of one schema, and the few values that a guess looks at."""

    schema: str
    relations: Mapping[Table, Relation]
    sequences: frozenset[str]
    reserved: frozenset[str]
    session: Session = field(repr=False)

    def values(self, table: Table, name: str) -> dict[str, int]:
        """The values of a column that has few of them, with their counts, the most frequent first; {} if it may not be read."""
        if not self.relations[table].fields[name].is_readable:
            return {}
        some = f"SELECT {quoted(name)} AS value FROM {table.quoted} LIMIT {MOST_LOOKED_AT}"
        text = f"SELECT value::text, count(*) FROM ({some}) AS looked_at WHERE value IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
        rows = self.session.execute(f"{text} LIMIT {MOST_VALUES + 1}").fetchall()
        return dict(rows) if len(rows) <= MOST_VALUES else {}

    def count(self, table: Table) -> int:
        """Rows, counted up to a few; -1 if the table may not be read."""
        readable = next((f.name for f in self.relations[table].fields.values() if f.is_readable), None)
        if readable is None:
            return -1
        some = f"SELECT {quoted(readable)} FROM {table.quoted} LIMIT 3"
        return self.session.one(f"SELECT count(*) FROM ({some}) AS looked_at")[0]

    def has_null(self, table: Table, name: str) -> bool:
        """Whether a row has no value there; True if the column may not be read."""
        if not self.relations[table].fields[name].is_readable:
            return True
        text = f"SELECT EXISTS (SELECT FROM {table.quoted} WHERE {quoted(name)} IS NULL)"
        return bool(self.session.one(text)[0])

    def forms(self, table: Table, name: str) -> tuple[Form, ...]:
        """The forms of the hashes in a column, the most frequent first; values that are none count as no form."""
        found = self.relations[table].fields[name]
        if not found.is_readable or found.kind != "text":
            return ()
        text = f"SELECT {quoted(name)}::text FROM {table.quoted} WHERE {quoted(name)} <> '' LIMIT 200"
        counted: dict[Form, int] = {}
        for (value,) in self.session.execute(text):
            form = form_of(value)
            if form is not None:
                counted[form] = counted.get(form, 0) + 1
        return tuple(sorted(counted, key=lambda form: -counted[form]))


def form_of(value: str) -> Form | None:
    """What a value looks like, if it looks like a hash. Nothing of its salt or digest is kept."""
    for family in FAMILIES:
        match = re.match(family.prefix, value)
        if match:
            return Form("".join(match.groups("")), family.name)
    if HEX.fullmatch(value) and len(value) in DIGEST_DIGITS:
        return Form("", f"{len(value)} hexadecimal digits, such as {DIGEST_DIGITS[len(value)]} gives")
    if BASE64.fullmatch(value) and len(value) in {24, 28, 44, 64, 84, 88} and re.search(r"\d", value):
        return Form("", f"{len(value)} characters of base64")
    return None


def read(session: Session, schema: str) -> Catalog:
    """The tables of this schema. Raises what the platform answers."""
    facts = {"schema": schema}
    fields: dict[str, dict[str, Field]] = {}
    for table, name, kind, *rest in session.execute(COLUMNS, facts):
        if not (WRITABLE.fullmatch(table) and WRITABLE.fullmatch(name)):
            continue  # a profile cannot name it
        width, is_nullable, is_given, default, is_readable, labels = rest
        written = "enum" if labels else KINDS.get(kind, "other")
        fields.setdefault(table, {})[name] = Field(
            name, written, width, is_nullable, is_given, default, is_readable, tuple(labels)
        )
    indexes, links = session.execute(INDEXES, facts).fetchall(), session.execute(LINKS, facts).fetchall()
    checks = session.execute(CHECKS, facts).fetchall()
    links += _unsaid(schema, fields, indexes, links)
    relations = [_relation(Table(schema, name), found, indexes, links, checks) for name, found in fields.items()]
    sequences = frozenset(name for (name,) in session.execute(SEQUENCES, facts))
    reserved = frozenset(word for (word,) in session.execute(RESERVED))
    return Catalog(schema, {relation.table: relation for relation in relations}, sequences, reserved, session)


def _relation(table: Table, fields: dict[str, Field], indexes: list, links: list, checks: list) -> Relation:
    own = [row[1:] for row in indexes if row[0] == table.name]
    whole = [(is_key, names) for is_key, _text, names, is_whole in own if is_whole]
    lowered = {word for _is_key, text, *_rest in own for word in re.findall(r'\(lower\(\(?"?([^")]+)"?\)', text)}
    return Relation(
        table,
        fields,
        key=next((tuple(names) for is_key, names in whole if is_key), ()),
        unique=tuple(tuple(names) for _is_key, names in whole),
        lowered=frozenset(lowered),
        links=tuple(
            Link(column, Table(to_schema, to), name) for of, column, to_schema, to, name in links if of == table.name
        ),
        checks=tuple(text for of, text in checks if of == table.name),
    )


def _unsaid(schema: str, fields: dict[str, dict[str, Field]], indexes: list, links: list) -> list[tuple[str, ...]]:
    """Foreign keys that only the names tell: `account_id` beside a table `account` or `accounts` with a key of one column."""
    keys = {row[0]: row[3][0] for row in indexes if row[1] and len(row[3]) == 1}
    said = {(row[0], row[1]) for row in links}
    found: list[tuple[str, ...]] = []
    for table, columns in fields.items():
        for name in columns:
            first, last = words(name)[:-1], words(name)[-1:]
            named = (
                next((to for to in keys if words(to) in (first, (*first[:-1], f"{first[-1]}s"))), None)
                if first
                else None
            )
            if last == ("id",) and named not in (None, table) and (table, name) not in said:
                found.append((table, name, schema, str(named), keys[str(named)]))
    return found


def words(name: str) -> tuple[str, ...]:
    """The words of a name: `passwordHash` and `password_hash` give the same."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return tuple(re.findall(r"[a-z]+|[0-9]+", spaced.lower()))


def has_word(name: str, wanted: Iterable[str]) -> bool:
    """Whether one of these words, or two of them with a blank, stands in the name."""
    joined = f" {' '.join(words(name))} "
    return any(f" {word} " in joined for word in wanted)
