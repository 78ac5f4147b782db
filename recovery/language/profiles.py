"""Loads profiles from TOML and refuses everything malformed with file, key and reason. It never connects anywhere."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from django.utils.translation import gettext as _

from ..refusals import ProfileRefused
from . import login_rule
from .columns import Table, quoted, table_from
from .outcomes import read_outcomes
from .password_checks import check_password
from .password_rule import read_rule
from .profile import OWNER_COLUMNS, SHIPPED, Profile, TableRule, TenantRule, digest_of
from .profile_rules import check
from .queries import Query, read_query
from .sections import Section, parse_toml, read_toml
from .statements import parse_query

ROOT = (
    *("title", "schema", "restart", "accounts", "table", "tenant", "delete"),
    *("owners", "password", "outcome", "forecast", "proof", "audit", "login_check"),
)
TABLE = ("key", "label", "shows", "secret", "volatile")


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
        tenant=_tenant(root.below("tenant"), schema) if root.has("tenant") else None,
        accounts=_table(root, "accounts", schema),
        owners=read_query(root.below("owners"), schema, output=OWNER_COLUMNS),
        password=read_rule(root.below("password"), schema),
        outcomes=read_outcomes(root, schema, tables),
        forecast=_optional_query(root, "forecast", schema, parameters=("key", "outcome"), output=("blockers",)),
        proof=_optional_query(root, "proof", schema, parameters=("key", "since"), output=("at", "what")),
        audit=_optional_query(root, "audit", schema, parameters=("since", "until"), output=("id", "at", "line")),
        login_check=login_rule.parse(root.below("login_check")) if root.has("login_check") else None,
        restart=root.text("restart", default=""),
        deletable=_deletable(root, schema),
    )
    check(profile, root)
    check_password(profile, root)
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
    table = _table(section, "table", schema)
    with section.reading("key"):
        key = f"{quoted(section.text('key'))}::text AS tenant_key"
    sql = f"SELECT {key} FROM {table.quoted} WHERE ({section.text('system')})"
    with section.reading("system"):
        query = Query(sql, parse_query(sql, schema=schema), section.place("system"))
    if query.parameters:
        raise section.no("system", _("it is asked without parameters"))
    return TenantRule(table, section.text("key"), query)


def _optional_query(
    root: Section, name: str, schema: str, *, output: tuple[str, ...], parameters: tuple[str, ...]
) -> Query | None:
    return read_query(root.below(name), schema, output=output, parameters=parameters) if root.has(name) else None
