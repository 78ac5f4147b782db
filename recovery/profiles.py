"""Loads profiles from TOML and refuses everything malformed with file, key and reason. It never connects anywhere."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from django.utils.translation import gettext as _

from . import login_rule
from .columns import Column, Table, table_from
from .password_rule import read_rule
from .profile import (
    OUTCOMES,
    OWNER_COLUMNS,
    SHIPPED,
    Expect,
    Outcome,
    Profile,
    Statement,
    TableRule,
    TenantRule,
    digest_of,
)
from .profile_rules import check
from .queries import Query, read_query
from .refusals import ProfileRefused
from .sections import Section, parse_toml, read_toml
from .statements import parse_query, parse_write

ROOT = (
    *("title", "schema", "restart", "accounts", "table", "tenant", "delete"),
    *("owners", "password", "outcome", "forecast", "proof", "audit", "login_check"),
)
TABLE = ("key", "label", "shows", "secret", "volatile")
STATEMENT = ("name", "sql", "expect", "returns", "when", "undoes", "repair")
MOST_ROWS = 1000


def load(name_or_path: str) -> Profile:
    """The profile of a shipped name (`saas`) or of a path that ends in .toml. Raises ProfileRefused."""
    is_path = name_or_path.endswith(".toml")
    path = Path(name_or_path) if is_path else SHIPPED / f"{name_or_path}.toml"
    if not is_path and name_or_path not in shipped():
        reason = _("no profile of this name is shipped; shipped are {names}").format(names=", ".join(shipped()))
        raise ProfileRefused(file=name_or_path, key="-", reason=reason)
    root, raw = read_toml(path, ProfileRefused)
    return _loaded(root.file, path.stem, raw)


def shipped() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.toml")))


@lru_cache(maxsize=32)
def _loaded(file: str, name: str, raw: bytes) -> Profile:
    return parse(parse_toml(file, raw, ProfileRefused), name=name, raw=raw)


def parse(root: Section, *, name: str, raw: bytes) -> Profile:
    """The profile that the root section of a file holds. Raises ProfileRefused."""
    schema = root.only(ROOT).text("schema", default="public")
    tables = _tables(root, schema)
    profile = Profile(
        name=name,
        title=root.text("title"),
        digest=digest_of(raw),
        text=raw.decode(),
        schema=schema,
        tables=tables,
        tenant=_tenant(root.below("tenant"), schema),
        accounts=_table(root, "accounts", schema),
        owners=read_query(root.below("owners"), schema, output=OWNER_COLUMNS),
        password=read_rule(root.below("password"), schema),
        outcomes=_outcomes(root, schema, tables),
        forecast=_optional_query(root, "forecast", schema, parameters=("key", "outcome"), output=("blockers",)),
        proof=_optional_query(root, "proof", schema, parameters=("key", "since"), output=("at", "what")),
        audit=_optional_query(root, "audit", schema, parameters=("since", "until"), output=("id", "at", "line")),
        login_check=login_rule.parse(root.below("login_check")) if root.has("login_check") else None,
        restart=root.text("restart", default=""),
        deletable=_deletable(root, schema),
    )
    check(profile, root)
    return profile


def _table(section: Section, key: str, schema: str) -> Table:
    with section.reading(key):
        return table_from(section.text(key), schema)


def _deletable(root: Section, schema: str) -> frozenset[Table]:
    section = root.below("delete", optional=True).only(("tables",))
    with section.reading("tables"):
        return frozenset(table_from(name, schema) for name in section.texts("tables", default=[]))


def _tables(root: Section, schema: str) -> Mapping[Table, TableRule]:
    rules = {}
    for name, section in root.each("table").items():
        with section.reading(""):
            table = table_from(name, schema)
        rules[table] = _table_rule(section.only(TABLE), table)
    return MappingProxyType(rules)


def _table_rule(section: Section, table: Table) -> TableRule:
    key = section.texts("key")
    if not key:
        raise section.no("key", _("at least one column is needed"))
    return TableRule(
        table=table,
        key=key,
        label=section.text("label", default=key[0]),
        shows=section.texts("shows", default=[]),
        secret=frozenset(section.texts("secret", default=[])),
        volatile=frozenset(section.texts("volatile", default=[])),
    )


def _tenant(section: Section, schema: str) -> TenantRule:
    section.only(("table", "key", "system"))
    rule = TenantRule(_table(section, "table", schema), section.text("key"), section.text("system"))
    with section.reading("system"):
        parse_query(rule.system_tenants, schema=schema)
    return rule


def _optional_query(
    root: Section, name: str, schema: str, *, output: tuple[str, ...], parameters: tuple[str, ...]
) -> Query | None:
    return read_query(root.below(name), schema, output=output, parameters=parameters) if root.has(name) else None


def _outcomes(root: Section, schema: str, tables: Mapping[Table, TableRule]) -> Mapping[str, Outcome]:
    volatile = frozenset(Column(rule.table, name) for rule in tables.values() for name in rule.volatile)
    found = {}
    for kind, section in root.each("outcome").items():
        if kind not in OUTCOMES:
            raise section.no("", _("it is not known; known are {known}").format(known=", ".join(OUTCOMES)))
        found[kind] = _outcome(section.only(("inputs", "generate", "statement")), kind, schema, volatile)
    return MappingProxyType(found)


def _outcome(section: Section, kind: str, schema: str, volatile: frozenset[Column]) -> Outcome:
    generated = section.below("generate", optional=True)
    return Outcome(
        kind=kind,
        inputs=section.texts("inputs"),
        generated=MappingProxyType({name: generated.text(name) for name in generated.content}),
        statements=tuple(_statement(step, schema) for step in section.steps("statement")),
        volatile=volatile,
    )


def _statement(section: Section, schema: str) -> Statement:
    section.only(STATEMENT)
    returns = section.below("returns", optional=True)
    with section.reading("sql"):
        parsed = parse_write(section.text("sql"), schema=schema)
    when = None
    if section.has("when"):
        when = read_query(section, schema, output=("holds",), parameters=("key",), key="when")
    return Statement(
        name=section.text("name"),
        sql=section.text("sql"),
        expect=_expect(section),
        parsed=parsed,
        returns=MappingProxyType({name: returns.text(name) for name in returns.content}),
        when=when,
        undoes=section.text("undoes", default=""),
        repair=section.text("repair", default=""),
    )


def _expect(section: Section) -> Expect:
    """`expect = 1`, or `expect = { least = 0, most = 20 }`."""
    if isinstance(section.content.get("expect"), dict):
        bounds = section.below("expect").only(("least", "most"))
        expect = Expect(bounds.number("least"), bounds.number("most"))
    else:
        count = section.number("expect")
        expect = Expect(count, count)
    if not 0 <= expect.least <= expect.most <= MOST_ROWS or expect.most == 0:
        raise section.no("expect", _("it must be between 0 and {most} rows, at least 1").format(most=MOST_ROWS))
    return expect
