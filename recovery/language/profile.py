"""What a profile says, as frozen facts: for one kind of platform its owners, its outcomes and how a sign-in is recognised.

A profile is configuration that a DBA can read: its content is SQL, its digest is part of every plan.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from .columns import Column, StatementRefused, Table
from .login_rule import LoginCheck
from .password_rule import PasswordRule
from .queries import Query
from .statements import Parsed

SHIPPED = Path(__file__).parent.parent / "profiles"
OUTCOMES = ("create", "reset", "enable", "disable", "restore")
INPUTS = frozenset({"key", "login", "email", "name", "password_hash", "salt", "incident"})
RANDOM_GENERATORS = frozenset({"uuid", "uuid_hex", "text16", "hex32"})
GENERATORS = RANDOM_GENERATORS | {"now", "epoch", "epoch_ms", "epoch_us"}
BEFORE = "before_"

STOPS = {
    "disabled": _("disabled"),
    "deleted": _("deleted"),
    "tenant_suspended": _("tenant suspended"),
    "locked": _("locked after failed sign-ins"),
    "external_sign_in": _("signs in elsewhere"),
    "no_password": _("no password"),
    "password_expired": _("password expired"),
    "no_membership": _("no membership"),
    "not_activated": _("not activated yet"),
    "expired": _("account expired"),
    "other": _("stopped"),
}
NOTES = {
    "second_factor": _("second factor is on"),
    "must_change": _("must change the password"),
}
# What an outcome clears unless its `clears` says otherwise.
CLEARED = {
    "enable": frozenset({"disabled"}),
    "reset": frozenset({"no_password", "locked", "password_expired"}),
}
OWNER_COLUMNS = (
    "id",
    "login",
    "name",
    "tenant",
    "tenant_key",
    "enabled",
    "is_owner",
    "last_sign_in",
    "blockers",
)


@dataclass(frozen=True, slots=True)
class Blocker:
    """Why a sign-in would fail (a stop), or what its owner must have at hand (a note)."""

    kind: str
    detail: str

    @property
    def is_stop(self) -> bool:
        return self.kind in STOPS

    @property
    def title(self) -> str:
        return str(STOPS.get(self.kind) or NOTES[self.kind])

    @property
    def sentence(self) -> str:
        return f"{self.title}: {self.detail}" if self.detail else self.title


def blocker(text: str) -> Blocker:
    """The blocker that a profile's query wrote as `kind: detail`. A kind outside the closed list becomes `other`."""
    kind, _colon, detail = text.partition(":")
    if kind.strip() in STOPS or kind.strip() in NOTES:
        return Blocker(kind.strip(), detail.strip())
    return Blocker("other", text.strip())


@dataclass(frozen=True, slots=True)
class TableRule:
    """One table that a profile touches. key names a row; shows is added to every image; volatile is left out of comparisons."""

    table: Table
    key: tuple[str, ...]
    label: str
    shows: tuple[str, ...] = ()
    secret: frozenset[str] = frozenset()
    volatile: frozenset[str] = frozenset()

    @property
    def secret_columns(self) -> frozenset[Column]:
        return frozenset(Column(self.table, name) for name in self.secret)


@dataclass(frozen=True, slots=True)
class TenantRule:
    """The table of tenants, and the query for the keys of the system tenants; there should be exactly one."""

    table: Table
    key: str
    system: Query

    @property
    def system_tenants(self) -> str:
        return self.system.sql


@dataclass(frozen=True, slots=True)
class Expect:
    """How many rows a statement may change. Anything else aborts the run."""

    least: int
    most: int

    def holds(self, count: int) -> bool:
        return self.least <= count <= self.most

    def __str__(self) -> str:
        return str(self.least) if self.least == self.most else f"{self.least}-{self.most}"


@dataclass(frozen=True, slots=True)
class Each:
    """What a statement is repeated over: a fixed list of values of one name, or a query whose columns are the names."""

    names: tuple[str, ...]
    values: tuple[str, ...] = ()
    query: Query | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One step of an outcome. sql is what runs, to the letter. returns: name for later statements -> returned column.

    when: run only if this query gives true. undoes: in a restore, run only if the run to undo was of this outcome.
    repair: why this statement may write the tenant table. generated: random values of this statement alone.
    bound: in a plan, the values that one repetition has, and the generated ones.
    """

    name: str
    sql: str
    expect: Expect
    parsed: Parsed
    returns: Mapping[str, str] = field(default_factory=dict)
    when: Query | None = None
    undoes: str = ""
    repair: str = ""
    each: Each | None = None
    generated: Mapping[str, str] = field(default_factory=dict)
    bound: Mapping[str, str] = field(default_factory=dict)

    @property
    def own_names(self) -> frozenset[str]:
        """The parameters that this statement alone has."""
        return frozenset(self.generated).union(self.each.names if self.each else ())

    @property
    def is_optional(self) -> bool:
        return self.when is not None or bool(self.undoes)

    @property
    def queries(self) -> tuple[Query, ...]:
        found = (self.when, self.each.query if self.each else None)
        return tuple(query for query in found if query is not None)

    def repeated(self, bound: Mapping[str, str]) -> "Statement":
        """The statement as a plan holds it, named after the values that it is repeated for."""
        shown = ", ".join(bound[name] for name in (self.each.names if self.each else ()))
        return replace(self, name=f"{self.name} ({shown})" if shown else self.name, bound=dict(bound))

    @property
    def table(self) -> Table:
        if self.parsed.table is None:
            raise StatementRefused(_("this statement writes no table"))
        return self.parsed.table


@dataclass(frozen=True, slots=True)
class Outcome:
    """One of create, reset, enable, disable, restore. inputs come from the console, generated are made at plan time or run.

    clears: the kinds of blockers that are gone afterwards; on this the recommendation counts.
    """

    kind: str
    inputs: tuple[str, ...]
    generated: Mapping[str, str]
    statements: tuple[Statement, ...]
    volatile: frozenset[Column]
    clears: frozenset[str] = frozenset()

    @property
    def writes(self) -> frozenset[Column]:
        return frozenset().union(*(statement.parsed.writes for statement in self.statements))

    @property
    def reads(self) -> frozenset[Column]:
        return frozenset().union(*(statement.parsed.reads for statement in self.statements))

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that the outcome writes, in the order of its statements, each once."""
        return tuple(dict.fromkeys(statement.table for statement in self.statements))

    def undoing(self, kind: str) -> tuple[Statement, ...]:
        """The statements of a restore that put back what a run of this kind changed."""
        return tuple(statement for statement in self.statements if statement.undoes in ("", kind))


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile as its file says it. digest is the SHA-256 (hex) of the file's bytes, text is the file itself."""

    name: str
    title: str
    digest: str
    text: str
    schema: str
    tables: Mapping[Table, TableRule]
    tenant: TenantRule | None
    accounts: Table
    owners: Query
    password: PasswordRule
    outcomes: Mapping[str, Outcome]
    forecast: Query | None
    proof: Query | None
    audit: Query | None
    login_check: LoginCheck | None
    restart: str
    deletable: frozenset[Table]

    @property
    def secret_columns(self) -> tuple[Column, ...]:
        return tuple(sorted(column for rule in self.tables.values() for column in rule.secret_columns))

    @property
    def queries(self) -> tuple[Query, ...]:
        """Everything that the reader runs."""
        statements = (statement for outcome in self.outcomes.values() for statement in outcome.statements)
        chosen = (query for statement in statements for query in statement.queries)
        system = self.tenant.system if self.tenant else None
        found = (system, self.owners, self.forecast, self.proof, self.audit, self.password.current, *chosen)
        return tuple(query for query in found if query is not None)

    def keys_of_bare(self, parsed: Parsed) -> frozenset[Column]:
        """The keys of the tables that a text names without reading a column: PostgreSQL asks for a right to one at least."""
        ruled = (self.tables[table] for table in parsed.bare if table in self.tables)
        return frozenset(Column(rule.table, name) for rule in ruled for name in rule.key)

    @property
    def tenant_table(self) -> str:
        """The name of the table of tenants, "" for a platform that has none."""
        return str(self.tenant.table) if self.tenant else ""

    def image_columns(self, kind: str, table: Table) -> tuple[str, ...]:
        """The columns of one table that a before/after image of this outcome holds: key, shown, read and written ones."""
        rule, outcome = self.tables[table], self.outcomes[kind]
        touched = {column.name for column in outcome.writes | outcome.reads if column.table == table}
        return tuple(sorted(touched.union(rule.key, rule.shows)))


def digest_of(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
