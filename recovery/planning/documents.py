"""A plan as one exact text: what was approved is this text, and what runs is compared with it. Never edited, only made anew."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext_lazy as _

from .. import words
from ..images import Image

KINDS = {
    "password_hash": _("the hash of the password that the beneficiary types"),
    "salt": _("a new random salt"),
    "sealed": _("the sealed value from before"),
    "clock": _("the moment of the change, by the platform's clock"),
    "default": _("what the platform gives by default"),
    "returned": _("what an earlier statement returns"),
    "expression": _("computed by the platform at that moment"),
}
SECRET_KINDS = frozenset({"password_hash", "salt", "sealed"})


@dataclass(frozen=True)
class Change:
    """One column of one row, now and after. kind: changed, unchanged, volatile, secret, added or removed."""

    table: str
    key: str
    label: str
    column: str
    now: Any
    after: Any
    kind: str


@dataclass(frozen=True)
class PlannedRow:
    """One row that a statement will meet or add. after: column -> {"value": v} or {"kind": k}. compared: must not change until then."""

    statement: int
    action: str
    image: Image
    after: dict[str, dict[str, Any]]
    volatile: dict[str, Any]
    secret: tuple[str, ...]
    compared: bool

    def as_fields(self) -> dict[str, Any]:
        image = self.image.as_fields()
        del image["xmin"]  # a failed sign-in makes a new version of the row and must not void a plan
        fields = {"statement": self.statement, "action": self.action, "after": self.after, "volatile": self.volatile}
        return {**image, **fields, "secret": list(self.secret), "compared": self.compared}

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> "PlannedRow":
        image = Image(fields["table"], fields["key"], fields["columns"], fields["label"])
        own = {name: fields[name] for name in ("statement", "action", "after", "volatile", "compared")}
        return cls(image=image, secret=tuple(fields["secret"]), **own)


@dataclass(frozen=True)
class PlanDocument:
    """A plan. content is the RFC 8785 JSON that the digest covers; everything else is read from it."""

    content: str

    @cached_property
    def digest(self) -> str:
        return sha256(self.content.encode()).hexdigest()

    @property
    def words(self) -> str:
        return words.spoken(self.digest)

    @cached_property
    def fields(self) -> dict[str, Any]:
        return json.loads(self.content)

    @property
    def outcome(self) -> str:
        return self.fields["outcome"]

    @property
    def platform(self) -> str:
        return self.fields["platform"]["name"]

    @property
    def mode(self) -> str:
        """How the console gets at the platform for this change: a value of AccessMode."""
        return self.fields["platform"].get("access", "doors")

    @property
    def system_identifier(self) -> str:
        return self.fields["platform"]["system_identifier"]

    @property
    def database_name(self) -> str:
        return self.fields["platform"]["database_name"]

    @property
    def profile_digest(self) -> str:
        return self.fields["profile"]["digest"]

    @property
    def incident(self) -> str:
        return self.fields["incident"]

    @property
    def window_minutes(self) -> int:
        return self.fields["window_minutes"]

    @property
    def beneficiary(self) -> str:
        return self.fields["beneficiary"]

    @property
    def target_key(self) -> str:
        return self.fields["target"]["key"]

    @property
    def login(self) -> str:
        return self.fields["target"]["login"]

    @property
    def restores(self) -> str:
        """The id of the run whose rows are put back, "" for every other outcome."""
        return self.fields["restores"]

    @property
    def statements(self) -> list[dict[str, Any]]:
        """Each with name, sql, table, action, least, most, repair and bound: the values that it alone has."""
        return self.fields["statements"]

    @property
    def restart(self) -> str:
        """What must be restarted afterwards, in one sentence of the profile; "" when nothing must."""
        return self.fields.get("restart", "")

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """Name -> {"value": v}, or {"kind": k} for what cannot be known yet."""
        return self.fields["parameters"]

    @property
    def known_values(self) -> dict[str, Any]:
        """The parameters whose values were approved."""
        return {name: given["value"] for name, given in self.parameters.items() if "value" in given}

    @property
    def password(self) -> dict[str, Any] | None:
        """scheme (for reading) and prefix (a hash's beginning) of the new password, None when none is set."""
        return self.fields["password"]

    @property
    def needs_password(self) -> bool:
        return self.password is not None

    @cached_property
    def rows(self) -> tuple[PlannedRow, ...]:
        return tuple(map(PlannedRow.from_fields, self.fields["rows"]))

    def diff(self) -> list[Change]:
        """Every column of every row now and after, in the order of the statements; volatile ones last in each row."""
        scheme = self.password["scheme"] if self.password else ""
        return [change for row in self.rows for change in _changes(row, scheme)]


def _changes(row: PlannedRow, scheme: str) -> Iterator[Change]:
    now = row.volatile | dict(row.image.columns or {})
    untouched = row.volatile.keys() - row.after.keys()
    for name in (*sorted((now.keys() | row.after.keys()) - untouched), *sorted(untouched)):
        after, kind = (now[name], "volatile") if name in untouched else _after(row, name, now, scheme)
        shown = _shown(now.get(name), name in row.secret)
        yield Change(row.image.table, row.image.row_key, row.image.label, name, shown, after, kind)


def _after(row: PlannedRow, name: str, now: dict[str, Any], scheme: str) -> tuple[Any, str]:
    if row.action == "delete":
        return None, "removed"
    if name not in row.after:
        return _shown(now.get(name), name in row.secret), "unchanged"
    planned, is_new = row.after[name], row.action == "insert"
    if "kind" in planned:
        told = f"{KINDS[planned['kind']]}{f': {scheme}' if planned['kind'] == 'password_hash' else ''}"
        return told, "secret" if name in row.secret else "added" if is_new else "changed"
    value = _shown(planned["value"], name in row.secret)
    if is_new:
        return value, "added"
    return value, "unchanged" if planned["value"] == now.get(name) else "changed"


def _shown(value: Any, is_secret: bool) -> Any:
    if not is_secret:
        return value
    return str(_("not set") if value is None else _("set (secret)"))
