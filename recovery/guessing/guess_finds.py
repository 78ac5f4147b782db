"""Which table holds the accounts, and what its columns mean. A guess from names, rules and forms; each doubt is kept with it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from .guess_catalog import Catalog, Field, Form, Relation, has_word, words
from .guess_words import (
    COUNTERS,
    DELETED,
    FACTORS,
    HASHES,
    LOGINS,
    MAILS,
    NAMES,
    NO_PEOPLE,
    NOT_PASSWORDS,
    OFF,
    ON,
    OUTSIDE,
    PASSWORDS,
    PEOPLE,
    SECRETS,
    SEEN,
    STATUS,
    UPDATED,
)


@dataclass(frozen=True, slots=True)
class Switch:
    """What lets an account in: on and off are SQL values, off_when an SQL condition on the column (with {column})."""

    name: str
    on: str
    off: str
    off_when: str


@dataclass
class Accounts:
    """The table of accounts and its columns by their meaning; "" and () for what was not found.

    deleted: column -> the SQL condition (with {column}) under which the account is no more.
    idle: a column that a statement which is not filled in yet can name, because something must stand there.
    """

    relation: Relation
    password: str
    forms: tuple[Form, ...]
    login: str
    key: str
    email: str = ""
    name: str = ""
    switches: list[Switch] = field(default_factory=list)
    deleted: dict[str, str] = field(default_factory=dict)
    notes: list[Field] = field(default_factory=list)
    counters: list[str] = field(default_factory=list)
    failed_at: list[str] = field(default_factory=list)
    locked_until: str = ""
    seen: str = ""
    updated: list[str] = field(default_factory=list)
    factors: list[Field] = field(default_factory=list)
    outside: str = ""
    must_change: str = ""
    secrets: list[str] = field(default_factory=list)
    idle: str = ""
    doubts: dict[str, list[str]] = field(default_factory=dict)

    def doubt(self, place: str, sentence: str) -> None:
        self.doubts.setdefault(place, []).append(sentence)


def find_accounts(catalog: Catalog) -> Accounts | list[str]:
    """The accounts, or sentences that say what was not found."""
    ranked = sorted((found for found in _candidates(catalog) if found[0] > 0), key=lambda found: -found[0])
    if not ranked:
        sentence = _("No table of the schema {schema} has a column that looks like a password hash.")
        return [sentence.format(schema=catalog.schema)]
    _score, relation, password, forms = ranked[0]
    key = _key(catalog, relation, password)
    if not key:
        sentence = _("{table} looks like the table of accounts, but its rows are not named by a key of one column.")
        return [sentence.format(table=relation.table)]
    login = _login(relation, password)
    if not login:
        return [_without_login(catalog, relation, password)]
    found = Accounts(relation, password, forms, login, key)
    for other in dict.fromkeys(other.table for _score, other, *_rest in ranked[1:] if other is not relation):
        found.doubt("accounts", _("{table} may hold passwords as well").format(table=other))
    _understand(catalog, found)
    if not (found.switches or found.idle):
        return [_("{table} has no column that looks like it disables an account.").format(table=relation.table)]
    return found


def _key(catalog: Catalog, relation: Relation, password: str) -> str:
    """The primary key of one column; else a unique column without a NULL, best one that foreign keys point to; else ""."""
    if len(relation.key) == 1:
        return relation.key[0]
    pointed = [link.to for other in catalog.relations.values() for link in other.links if link.table == relation.table]
    single = [names[0] for names in relation.unique if len(names) == 1 and names[0] in relation.fields]
    unique = [relation.fields[name] for name in dict.fromkeys(single) if name != password and not _is_secret(name)]
    unique.sort(key=lambda c: (c.is_nullable, -pointed.count(c.name), c.kind == "text"))
    fit = (c.name for c in unique if not c.is_nullable or not catalog.has_null(relation.table, c.name))
    return next(fit, "")


def _doubt_key(found: Accounts) -> None:
    if found.relation.key == (found.key,):
        return
    facts = {"table": found.relation.table, "column": found.key}
    sentence = _("{table} has no primary key of one column; {column} is unique and is taken for the key of a row")
    if found.relation.fields[found.key].is_nullable:
        sentence = _(
            "{table} has no primary key of one column; {column} is unique, may be NULL and is so in no row now"
        )
    found.doubt("login", sentence.format(**facts))


def _without_login(catalog: Catalog, relation: Relation, password: str) -> str:
    for link in relation.links:
        other = catalog.relations.get(link.table)
        if other is not None and _login(other, password):
            sentence = _(
                "The logins stand in {table}, the passwords in {other}. A guess takes them only from one table."
            )
            return sentence.format(table=other.table, other=relation.table)
    return _("{table} has a password, but no column that looks like a login.").format(table=relation.table)


def _candidates(catalog: Catalog) -> Iterable[tuple[int, Relation, str, tuple[Form, ...]]]:
    for relation in catalog.relations.values():
        for column in relation.fields.values():
            if column.kind != "text" or column.name in relation.key or (column.width or 99) < 13:
                continue
            forms = catalog.forms(relation.table, column.name)
            score = _password_score(column, forms)
            if score:
                yield score + _people_score(relation, column.name), relation, column.name, forms


def _password_score(column: Field, forms: tuple[Form, ...]) -> int:
    if has_word(column.name, NOT_PASSWORDS):
        return 0
    score = 4 if has_word(column.name, PASSWORDS) else 2 if has_word(column.name, HASHES) and forms else 0
    if any(form.beginning for form in forms):
        return score + 5
    return score + (1 if forms else 0)


def _people_score(relation: Relation, password: str) -> int:
    score = 2 if has_word(relation.table.name, PEOPLE) else 0
    score -= 5 if has_word(relation.table.name, NO_PEOPLE) else 0
    return score + (3 if _login(relation, password) else -3)


def _login(relation: Relation, password: str) -> str:
    """The best name among the unique texts; else any unique text; else the best name among all texts."""
    texts = [c for c in relation.fields.values() if c.kind == "text" and c.name != password]
    unique = [column.name for column in texts if relation.is_unique(column.name)]
    for names in (unique, [column.name for column in texts]):
        for word in LOGINS:
            for name in names:
                if has_word(name, (word,)) and not has_word(name, (*SECRETS, *OFF)):
                    return name
        if unique and names is unique:
            return next((name for name in unique if name not in relation.key), "")
    return ""


def _understand(catalog: Catalog, found: Accounts) -> None:
    relation = found.relation
    _doubt_key(found)
    if not relation.is_unique(found.login):
        found.doubt("login", _("{column} is not unique: two accounts may have one login").format(column=found.login))
    elif not has_word(found.login, LOGINS):
        found.doubt("login", _("{column} was taken for the login because it is unique").format(column=found.login))
    rest = [c for c in relation.fields.values() if c.name not in {found.password, found.login, found.key}]
    found.email = next((c.name for c in rest if c.kind == "text" and has_word(c.name, MAILS)), "")
    found.name = _first(rest, "text", NAMES)
    moments = [c for c in rest if c.kind == "moment"]
    found.seen = next((c.name for c in moments if has_word(c.name, SEEN)), "")
    found.failed_at = [c.name for c in moments if has_word(c.name, COUNTERS)]
    found.updated = [
        c.name for c in moments if has_word(c.name, UPDATED) and not has_word(c.name, (*PASSWORDS, *COUNTERS))
    ]
    found.counters = [c.name for c in rest if c.kind == "number" and has_word(c.name, COUNTERS)]
    found.factors = [c for c in rest if c.kind in {"flag", "text", "bytes"} and has_word(c.name, FACTORS)]
    found.must_change = next((c.name for c in rest if c.kind == "flag" and has_word(c.name, ("must", "force"))), "")
    found.outside = next((c.name for c in rest if c.kind == "text" and c.is_nullable and has_word(c.name, OUTSIDE)), "")
    found.secrets = [c.name for c in rest if c.kind in {"text", "bytes"} and _is_secret(c.name)]
    _understand_switches(catalog, found, rest)
    if not found.switches:
        found.notes = []  # what would be noted beside a switch
        idle = [found.login, *(c.name for c in rest if not c.is_given)]
        found.idle = next((name for name in idle if name not in {found.key, *found.secrets}), "")


def _first(columns: Iterable[Field], kind: str, wanted: Iterable[str]) -> str:
    columns = list(columns)
    return next((c.name for word in wanted for c in columns if c.kind == kind and has_word(c.name, (word,))), "")


def _is_secret(name: str) -> bool:
    return has_word(name, (*SECRETS, *FACTORS)) and not has_word(
        name, ("public", "country", "zip", "postal", "language")
    )


def _understand_switches(catalog: Catalog, found: Accounts, rest: list[Field]) -> None:
    linked = {link.column for link in found.relation.links}
    for column in rest:
        is_moment, is_status = (
            column.kind == "moment",
            column.kind in {"text", "enum"} and has_word(column.name, STATUS),
        )
        if is_moment and has_word(column.name, OFF) and has_word(column.name, ("until", "till")):
            found.locked_until = column.name
        elif has_word(column.name, DELETED) and column.kind in {"flag", "number", "moment"}:
            found.deleted[column.name] = is_set(column)
        elif is_status:
            found.switches += _of_status(catalog, found, column)
        elif column.kind in {"flag", "number"} and column.name not in linked and not has_word(column.name, COUNTERS):
            found.switches += _of_flag(column)
        elif has_word(column.name, OFF) and column.is_nullable and (is_moment or column.kind == "text"):
            found.notes.append(column)
    if not found.switches:
        for note in [note for note in found.notes if note.kind == "moment"]:
            found.switches.append(Switch(note.name, "NULL", "now()", "{column} IS NOT NULL"))
            found.notes.remove(note)
    if len(found.switches) > 1:
        names = ", ".join(switch.name for switch in found.switches)
        found.doubt("switch", _("several columns look like they let an account in: {names}").format(names=names))


def _of_flag(column: Field) -> list[Switch]:
    """A flag, or a number used as one. `is_inactive` is no `active`: names are compared word by word."""
    is_flag = column.kind == "flag"
    true, false = ("true", "false") if is_flag else ("1", "0")
    negated = has_word(column.name, ("not", "no", "in", "un"))
    if has_word(column.name, ON) and not has_word(column.name, (*FACTORS, *OUTSIDE, "until", "from")) and not negated:
        return [Switch(column.name, true, false, "{column} IS NOT TRUE" if is_flag else "coalesce({column}, 0) = 0")]
    if has_word(column.name, OFF):
        return [Switch(column.name, false, true, "{column} IS TRUE" if is_flag else "coalesce({column}, 0) <> 0")]
    return []


def _of_status(catalog: Catalog, found: Accounts, column: Field) -> list[Switch]:
    """A text that says whether the account is let in: which of its values do, by their names."""
    allowed = list(column.labels) or allowed_by_rule(found.relation, column.name)
    known = allowed or list(catalog.values(found.relation.table, column.name))
    on, off = _of_words(known, ON), _of_words(known, OFF)
    if not on:
        return []
    if not off:
        off = next((value for value in known if value != on and not has_word(value, DELETED)), "disabled")
        found.doubt("switch", _("{column} = '{off}' is what disables, by guess").format(column=column.name, off=off))
    elif not allowed:
        found.doubt("switch", _("the values of {column} were taken from its rows").format(column=column.name))
    if gone := _of_words(known, DELETED):
        found.deleted[column.name] = f"{{column}} = {literal(gone)}"
    return [Switch(column.name, literal(on), literal(off), f"{{column}} IS DISTINCT FROM {literal(on)}")]


def _of_words(values: Iterable[str], wanted: Iterable[str]) -> str:
    values = list(values)
    return next((value for word in wanted for value in values if " ".join(words(value)) == word), "")


def allowed_by_rule(relation: Relation, name: str) -> list[str]:
    """The texts that a CHECK rule of the table lists for a column."""
    for rule in relation.checks:
        if re.search(rf"\b{re.escape(name)}\b", rule) and "ANY" in rule:
            return re.findall(r"'((?:[^']|'')*)'::", rule)
    return []


def is_set(column: Field) -> str:
    """The condition that a flag is on, a number is not 0, anything else is there; with {column}."""
    return {"flag": "{column} IS TRUE", "number": "coalesce({column}, 0) <> 0"}.get(column.kind, "{column} IS NOT NULL")


OPPOSITES = {"IS NOT TRUE": "IS TRUE", "IS NOT NULL": "IS NULL", "IS DISTINCT FROM": "IS NOT DISTINCT FROM", "<>": "="}


def opposite(rule: str) -> str:
    """The other side of a condition that this module writes."""
    for one, other in OPPOSITES.items():
        for old, new in ((one, other), (other, one)):
            if f" {old}" in rule and not (old == "=" and "IS" in rule):
                return rule.replace(f" {old}", f" {new}")
    return f"NOT ({rule})"


def literal(value: str) -> str:
    return "'" + value.replace("'", "''").replace("%", "%%") + "'"
