"""Who owns an unknown platform: its tenants, its roles; and which rows end a sign-in or tell of one. A guess, with its doubts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from .guess_catalog import Catalog, Field, Relation, has_word, words
from .guess_columns import Names
from .guess_finds import Accounts, allowed_by_rule, literal
from .guess_words import AUDITS, NO_SESSIONS, OWNER_FLAGS, OWNERS, ROLES, SECRETS, SESSIONS, SYSTEM, TENANTS


@dataclass(frozen=True)
class Tenant:
    """The table of tenants. system: the condition for the one that owns the platform, on bare column names."""

    relation: Relation
    key: str
    name: str
    column: str
    system: str


@dataclass(frozen=True)
class Membership:
    """The rows that make an account an owner. role: its table, None where a text of the row itself says it."""

    relation: Relation
    account: str
    column: str
    value: str
    role: Relation | None = None
    role_key: str = ""
    role_name: str = ""


@dataclass(frozen=True)
class Owner:
    """What makes an account an owner: a column of its own, or a membership; neither: nobody knows."""

    column: str = ""
    value: str = ""
    membership: Membership | None = None


@dataclass(frozen=True)
class Session:
    relation: Relation
    account: str
    key: tuple[str, ...]
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    relation: Relation
    at: str


def find_tenant(catalog: Catalog, found: Accounts) -> Tenant | None:
    for link in found.relation.links:
        relation = catalog.relations.get(link.table)
        if relation is not None and has_word(link.table.name, TENANTS):
            texts = [c for c in relation.fields.values() if c.kind == "text"]
            named = (c.name for word in ("name", "title", "slug", "code") for c in texts if has_word(c.name, (word,)))
            system = _system(catalog, found, relation, link.to)
            return Tenant(relation, link.to, next(named, link.to), link.column, system)
    return None


def _system(catalog: Catalog, found: Accounts, relation: Relation, key: str) -> str:
    columns = relation.fields.values()
    flag = next((c.name for c in columns if c.kind == "flag" and has_word(c.name, SYSTEM)), "")
    if flag:
        return f"{{{flag}}}"
    for column in [c for c in columns if c.kind in {"text", "enum"}]:
        known = (
            list(column.labels) or allowed_by_rule(relation, column.name) or catalog.values(relation.table, column.name)
        )
        value = _named(known, SYSTEM)
        if value:
            if not (column.labels or allowed_by_rule(relation, column.name)):
                found.doubt(
                    "tenant", _("{column} = {value} was taken from the rows").format(column=column.name, value=value)
                )
            return f"{{{column.name}}} = {literal(value)}"
    if catalog.count(relation.table) == 1:
        return "true"
    found.doubt("tenant", _("nothing says which row is the system tenant; the first one is taken"))
    keys = sorted(catalog.values(relation.table, key), key=lambda value: (len(value), value))
    return f"{{{key}}} = {literal(keys[0])}" if keys else "true"


def _named(values: Iterable[str], wanted: Iterable[str]) -> str:
    """The value whose words are these; with the order of the wanted ones."""
    by_words = {" ".join(words(value)): value for value in values}
    return next((by_words[word] for word in wanted if word in by_words), "")


def find_owner(catalog: Catalog, found: Accounts) -> Owner:
    """What makes an owner, the most telling sign first."""
    columns = found.relation.fields.values()
    for word in OWNER_FLAGS:
        for column in columns:
            if column.kind == "flag" and has_word(column.name, (word,)):
                return Owner(column.name, "true")
    for owner in _own_roles(catalog, found):
        return owner
    for membership in _memberships(catalog, found):
        return Owner(membership=membership)
    for column in columns:
        if column.kind in {"text", "enum"} and has_word(column.name, (*ROLES, "type", "kind", "level")):
            value = _role(catalog, found, found.relation, column)
            if value:
                return Owner(column.name, literal(value))
    found.doubt("owner", _("nothing was found that makes an account an owner, so every account counts as one"))
    return Owner()


def _role(catalog: Catalog, found: Accounts, relation: Relation, column: Field) -> str:
    """The role of an owner among the values of a column; the rarest one where no name tells."""
    said = list(column.labels) or allowed_by_rule(relation, column.name)
    counted = catalog.values(relation.table, column.name)
    value = _named([*said, *counted], OWNERS)
    if not value and counted:
        value = min(counted, key=lambda name: (counted[name], name))
        found.doubt("owner", _("no name tells the owner's role; the rarest one, {value}, is taken").format(value=value))
    elif value and value.lower() in {"admin", "administrator"} and catalog.schema:
        found.doubt("owner", _("is {value} the role that owns the whole platform?").format(value=value))
    return value


def _own_roles(catalog: Catalog, found: Accounts) -> Iterator[Owner]:
    """A column of the account that names a row in a table of roles."""
    names = Names(catalog)
    for link in found.relation.links:
        role = catalog.relations.get(link.table)
        if (
            role is None
            or not has_word(role.table.name, ROLES)
            or not has_word(link.column, (*ROLES, "role id", "group id"))
        ):
            continue
        named = _name_of(role)
        value = _role(catalog, found, role, named) if named else ""
        if named and value:
            where = f"WHERE r.{names.name(named.name)} = {literal(value)}"
            yield Owner(link.column, f"(SELECT r.{names.name(link.to)} FROM {names.table(role.table)} AS r {where})")


def _name_of(role: Relation) -> Field | None:
    texts = [c for c in role.fields.values() if c.kind in {"text", "enum"} and (c.name,) != role.key]
    named = [c for word in ("name", "code", "title", "slug") for c in texts if has_word(c.name, (word,))]
    return next(iter(named or texts), None)


def _memberships(catalog: Catalog, found: Accounts) -> Iterator[Membership]:
    for relation in catalog.relations.values():
        link = relation.link_to(found.relation.table)
        if link is None or relation is found.relation or has_word(relation.table.name, (*SESSIONS, *AUDITS)):
            continue
        if sum(other.table == link.table for other in relation.links) > 1 or relation.key == (link.column,):
            continue
        for other in relation.links:
            role = catalog.relations.get(other.table)
            if role is not None and role is not found.relation and has_word(role.table.name, ROLES):
                yield from _by_role_table(catalog, found, relation, link.column, other.column, role, other.to)
        for column in relation.fields.values():
            if column.kind in {"text", "enum"} and has_word(column.name, ROLES):
                value = _role(catalog, found, relation, column)
                if not value:
                    found.doubt(
                        "owner",
                        _("{table} may say who an owner is, but no value was seen").format(table=relation.table),
                    )
                else:
                    yield Membership(relation, link.column, column.name, value)


def _by_role_table(
    catalog: Catalog, found: Accounts, relation: Relation, account: str, column: str, role: Relation, role_key: str
) -> Iterator[Membership]:
    named = _name_of(role)
    value = _role(catalog, found, role, named) if named else ""
    if named and value:
        yield Membership(relation, account, column, value, role, role_key, named.name)


def find_sessions(catalog: Catalog, found: Accounts) -> list[Session]:
    """Tables whose rows let a browser in, each with a key that is no secret."""
    sessions = []
    for relation in catalog.relations.values():
        link = relation.link_to(found.relation.table)
        if link is None or not has_word(relation.table.name, SESSIONS) or has_word(relation.table.name, NO_SESSIONS):
            continue
        secrets = tuple(c.name for c in relation.fields.values() if _lets_in(c, relation))
        key = (
            relation.key if relation.key and not set(relation.key) & set(secrets) else _other_key(relation, link.column)
        )
        if not key:
            sentence = _("{table} looks like sessions, but every key of it is secret; they are not ended")
            found.doubt("sessions", sentence.format(table=relation.table))
            continue
        if key != relation.key:
            sentence = _(
                "the key of {table} may be what a browser shows: {key} is taken in its place, and must be unique"
            )
            found.doubt(f"table {relation.table.name}", sentence.format(table=relation.table, key=", ".join(key)))
        sessions.append(Session(relation, link.column, key, tuple(name for name in secrets if name not in key)))
    return sessions


def _lets_in(column: Field, relation: Relation) -> bool:
    is_open_key = (column.name,) == relation.key and column.kind in {"text", "uuid"}
    return is_open_key or (
        column.kind in {"text", "uuid", "bytes"} and has_word(column.name, (*SECRETS, "session", "cookie"))
    )


def _other_key(relation: Relation, account: str) -> tuple[str, ...]:
    moment = next((c.name for c in relation.fields.values() if c.kind == "moment" and not c.is_nullable), "")
    return (account, moment) if moment else ()


def find_audit(catalog: Catalog, found: Accounts) -> Audit | None:
    """The platform's own log: a table of that name with a key of one column and a moment."""
    for word in AUDITS:
        for relation in catalog.relations.values():
            moment = next((c.name for c in relation.fields.values() if c.kind == "moment"), "")
            if (
                has_word(relation.table.name, (word,))
                and moment
                and len(relation.key) == 1
                and relation is not found.relation
            ):
                if word != "audit":
                    found.doubt("audit", _("is {table} the log of who did what?").format(table=relation.table))
                return Audit(relation, moment)
    return None
