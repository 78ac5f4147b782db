"""Rows now and after, or before and after, as a page shows them: changed columns one by one, the rest by name. Pure."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _

from recovery import images
from recovery.images import Image
from recovery.models import Run
from recovery.planning.documents import Change, PlanDocument

FINGERPRINT = re.compile(r"hmac:[0-9a-f]{64}")
MOMENT = re.compile(r"[12]\d{3}-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d:[0-5]\d(\.\d{1,6})?([+-]\d\d(:?\d\d)?|Z)?")
NOT_SHOWN_ALONE = ("unchanged", "volatile")


@dataclass(frozen=True)
class Cell:
    """One column that differs. kind: changed, or added for a column of a new row."""

    column: str
    now: str
    after: str
    kind: str


@dataclass(frozen=True)
class Row:
    """One row: what differs, and the names of what stays or moves by itself."""

    table: str
    key: str
    label: str
    cells: list[Cell]
    unchanged: list[str] = field(default_factory=list)
    volatile: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The row as people say it: "adminuser 17", or "a new row of adminuser"."""
        table = self.table.removeprefix("public.")
        return f"{table} {self.key}" if self.key not in ("", "{}") else _("a new row of {table}").format(table=table)


def of_plan(content: str) -> list[Row]:
    """The rows of a plan, now and after."""
    return list(_rows(PlanDocument(content).diff()))


def statements_of(content: str) -> list[str]:
    """The exact statements of a plan."""
    return [statement["sql"].strip() for statement in PlanDocument(content).statements]


def of_run(run: Run) -> list[Row]:
    """The rows of a run, before and after, as the platform itself gave them out."""
    after = {image.place: image for image in images.from_json(run.after or run.planned_after)}
    before = {image.place: image for image in images.from_json(run.before)}
    changes = [_compared(before.get(place), after.get(place)) for place in before | after]
    return list(_rows(change for row in changes for change in row))


def sent_by(run: Run) -> list[dict[str, Any]]:
    """What a run sent: each with the SQL and the number of rows."""
    return [
        {"sql": str(one.get("sql", "")).strip(), "count": one.get("rows")}
        for one in (json.loads(run.statements) if run.statements else [])
    ]


def _compared(before: Image | None, after: Image | None) -> Iterator[Change]:
    was, now = (before and before.columns) or {}, (after and after.columns) or {}
    place = after or before
    for name in [*was, *(name for name in now if name not in was)]:
        kind = "added" if not was else "unchanged" if name in now and was.get(name) == now[name] else "changed"
        yield Change(place.table, place.row_key, place.label, name, was.get(name), now.get(name), kind)


def _rows(changes: Iterable[Change]) -> Iterator[Row]:
    for (table, key, label), columns in groupby(changes, key=lambda one: (one.table, one.key, one.label)):
        listed = list(columns)
        is_new = any(one.kind == "added" for one in listed)
        cells = [_cell(one, is_new=is_new) for one in listed if one.kind not in NOT_SHOWN_ALONE]
        names = {kind: [one.column for one in listed if one.kind == kind] for kind in NOT_SHOWN_ALONE}
        yield Row(table, key, label, cells, **names)


def _cell(change: Change, *, is_new: bool) -> Cell:
    if is_new:
        return Cell(change.column, "—", _said(change.after), "added")
    return Cell(change.column, _said(change.now), _said(change.after), "changed")


def _said(value: Any) -> str:
    if value is None:
        return _("empty")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if FINGERPRINT.fullmatch(text):
        return _("fingerprint {start}…").format(start=text.partition(":")[2][:8])
    return _moment(text) if MOMENT.fullmatch(text) else text


def _moment(text: str) -> str:
    """A machine's moment to the second, as UTC where it names its offset; the exact text stays in the plan and the bundle."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return f"{moment:%Y-%m-%d %H:%M:%S}"
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
