"""What the platform shows of a script that somebody ran, or did not run, by hand: its clock, the transaction, the rows. It only reads."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from .. import database, images
from ..database import Identity, Session
from ..images import Image
from ..language.columns import Table
from ..language.derived import Row
from ..language.profile import Profile, Statement
from ..models import Run
from ..planning.documents import PlanDocument, PlannedRow
from ..platform_refusals import PlatformRefused
from ..platforms import Platform
from ..running.settle import OUT_OF_RANGE, SETTLE, STATUS, UNKNOWN, XID_SPAN
from .receipts import Receipt

__all__ = ["SETTLE", "Evidence", "gather"]

MARGIN = timedelta(seconds=60)  # between the script's last look at the clock and the end of its COMMIT


@dataclass(frozen=True)
class Evidence:
    """What was found. is_over: by the platform's clock the script refuses, and whoever began in time has ended.

    is_ours: every row of the receipt holds what it says; is_own_version: and was last written by its transaction.
    is_as_planned: the receipt tells of the planned rows and values. is_untouched: the rows are as they were before.
    bears_mark: a value stands in its row that only this script held. holds_plan: all known planned values are there.
    """

    has_receipt: bool
    status: str
    is_over: bool
    is_ours: bool = False
    is_own_version: bool = False
    is_as_planned: bool = True
    is_untouched: bool = False
    bears_mark: bool = False
    holds_plan: bool = False
    before: tuple[Image, ...] = ()
    after: tuple[Image, ...] = ()
    transaction: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Look:
    """One snapshot of the platform for one run."""

    session: Session
    profile: Profile
    run: Run
    document: PlanDocument
    marks: Mapping[str, str]

    def table(self, name: str) -> Table:
        return next(table for table in self.profile.tables if str(table) == name)

    def now(self, table: str, key: Mapping[str, Any]) -> Image:
        return images.by_key(self.session, self.profile, self.run.kind, self.table(table), key)

    def plain(self, image: Image) -> dict[str, Any] | None:
        """The row without what may change at any moment."""
        return image.without(self.profile.tables[self.table(image.table)].volatile)

    def statement(self, row: PlannedRow) -> Statement:
        return self._statement_at(row.statement)

    def written_later(self, row: PlannedRow) -> set[str]:
        """Columns that a later statement may write into this row as well."""
        later = map(self._statement_at, range(row.statement + 1, len(self.document.statements)))
        updates = (one for one in later if str(one.table) == row.image.table and one.parsed.action == "update")
        return {name for one in updates for name in one.parsed.assigned}

    def _statement_at(self, number: int) -> Statement:
        own = self.document.statements[number]
        kept = self.profile.outcomes[self.document.outcome].statements
        return next(one for one in kept if one.name == own["name"] and one.sql == own["sql"])


def gather(run: Run, platform: Platform, receipt: Receipt | None) -> Evidence:
    """Ask the platform's clock and transaction first, then read the rows. Raises PlatformRefused and kinds beside it."""
    profile = platform.profile
    with database.connect(platform.conninfo("reader"), purpose="read", autocommit=True, reading=True) as session:
        place = {"system_identifier": run.system_identifier, "database_name": run.database_name}
        identity = database.require_primary(session, **place)
        status = _status(session, identity, receipt) if receipt else UNKNOWN
    over = identity.clock >= run.paper.until + MARGIN
    with database.reading(platform, profile) as session:
        look = Look(session, profile, run, PlanDocument(run.content), json.loads(run.paper.fingerprints))
        rows = [(row, _planned_now(look, row)) for row in look.document.rows]
        if receipt is not None:
            return _by_receipt(look, receipt, rows, Evidence(True, status, over))
        return _by_plan(look, rows, Evidence(False, status, over))


def _status(session: Session, identity: Identity, receipt: Receipt) -> str:
    """Of the receipt's transaction, if this is the same history; otherwise its id may be a stranger's."""
    if identity.timeline != receipt.timeline:
        return UNKNOWN
    try:
        return session.one(STATUS, [receipt.xid])[0] or UNKNOWN
    except PlatformRefused as refused:
        if refused.facts.get("state") == OUT_OF_RANGE:
            return UNKNOWN
        raise


Planned = list[tuple[PlannedRow, list[Image]]]


def _planned_now(look: Look, row: PlannedRow) -> list[Image]:
    """The planned row as it is now; of a new account those that have its login; nothing for what cannot be found so."""
    if row.action != "insert":
        return [look.now(row.image.table, row.image.key)]
    table = look.table(row.image.table)
    rule = look.profile.tables[table]
    label = row.after.get(rule.label, {})
    if table != look.profile.accounts or "value" not in label:
        return []
    found = Row(table, table.name, rule.key)
    where = f"{found.column(rule.label)} = %(label)s"
    text = f"SELECT {found.key_object()}::text FROM {found.source} WHERE {where} LIMIT 2"
    keys = look.session.execute(text, {"label": label["value"]}).fetchall()
    return [look.now(row.image.table, images.read(key)) for (key,) in keys]


def _by_plan(look: Look, rows: Planned, base: Evidence) -> Evidence:
    found = [
        (row, now)
        for row, now in rows
        if row.action != "delete" and (now or row.action == "update" or _telling(look, row))
    ]
    before = [image for row, now in rows for image in _before(row, now)]
    return Evidence(
        base.has_receipt,
        base.status,
        base.is_over,
        is_untouched=bool(found) and all(_is_untouched(look, row, now) for row, now in found),
        bears_mark=_bears_mark(look, found),
        holds_plan=bool(found) and all(_holds_plan(look, row, now) for row, now in found),
        before=tuple(before),
        after=tuple(look.now(image.table, image.key) for image in before),
    )


def _telling(look: Look, row: PlannedRow) -> bool:
    """Whether a new row can be looked for at all."""
    rule = look.profile.tables[look.table(row.image.table)]
    return look.table(row.image.table) == look.profile.accounts and "value" in row.after.get(rule.label, {})


def _before(row: PlannedRow, now: list[Image]) -> Iterable[Image]:
    if row.action == "insert":
        return [image.gone() for image in now]
    return [row.image]


def _is_untouched(look: Look, row: PlannedRow, now: list[Image]) -> bool:
    if row.action == "insert":
        return not now
    return all(look.plain(image) == row.image.columns for image in now)


def _bears_mark(look: Look, rows: Planned) -> bool:
    """A salted hash that only this script held stands in the row it was planned for."""
    marked = [
        (image.columns or {}).get(name) == look.marks[min(assigned.parameters)]
        for row, now in rows
        for image in now
        for name, assigned in look.statement(row).parsed.assigned.items()
        if assigned.source == "parameter" and assigned.parameters & look.marks.keys()
    ]
    return bool(marked) and all(marked)


def _holds_plan(look: Look, row: PlannedRow, now: list[Image]) -> bool:
    volatile = look.profile.tables[look.table(row.image.table)].volatile
    known = {name: given["value"] for name, given in row.after.items() if "value" in given and name not in row.secret}
    left_out = volatile | look.written_later(row)
    wanted = {name: value for name, value in known.items() if name not in left_out}
    return len(now) == 1 and all((now[0].columns or {}).get(name) == value for name, value in wanted.items())


def _by_receipt(look: Look, receipt: Receipt, rows: Planned, base: Evidence) -> Evidence:
    live = {image.place: look.now(image.table, image.key) for image in receipt.after}
    own = str(int(receipt.xid) % XID_SPAN)
    changed = [image for image in receipt.after if image.columns is not None]
    by_plan = _by_plan(look, rows, base)
    return Evidence(
        base.has_receipt,
        base.status,
        base.is_over,
        is_ours=all(look.plain(live[image.place]) == look.plain(image) for image in receipt.after) and bool(changed),
        is_own_version=all(live[image.place].xmin == own for image in changed) and bool(changed),
        is_as_planned=_is_as_planned(look, receipt),
        is_untouched=all(look.plain(live[image.place]) == look.plain(image) for image in receipt.before),
        bears_mark=by_plan.bears_mark,
        holds_plan=by_plan.holds_plan,
        before=receipt.before,
        after=receipt.after,
        transaction={"xid": receipt.xid, "timeline": receipt.timeline},
    )


def _is_as_planned(look: Look, receipt: Receipt) -> bool:
    """The receipt's rows are those of the plan, before and, as far as it is known, after."""
    before = {image.place: image for image in receipt.before}
    after = {image.place: image for image in receipt.after}
    compared = [row for row in look.document.rows if row.compared]
    same = (look.plain(before.get(row.image.place, row.image.gone())) == row.image.columns for row in compared)
    kept = [(row, [after[row.image.place]]) for row in compared if row.image.place in after]
    last = {row.image.place: (row, now) for row, now in kept}
    return all(same) and all(_holds_plan(look, row, now) for row, now in last.values()) and _marks_hold(look, kept)


def _marks_hold(look: Look, rows: Planned) -> bool:
    marks = [
        one
        for row, _now in rows
        for one in look.statement(row).parsed.assigned.values()
        if one.parameters & look.marks.keys()
    ]
    return not marks or _bears_mark(look, rows)


def of_plan(run: Run) -> tuple[tuple[Image, ...], tuple[Image, ...]]:
    """The rows before and after as the plan has them, for a run that only a person can tell about."""
    marks = json.loads(run.paper.fingerprints)
    rows = [row for row in PlanDocument(run.content).rows if row.action != "delete"]
    return tuple(_told_before(row) for row in rows), tuple(_told_after(row, marks) for row in rows)


def _told_before(row: PlannedRow) -> Image:
    if row.action != "insert":
        return row.image
    known = {name: given["value"] for name, given in row.after.items() if "value" in given and name not in row.secret}
    return replace(row.image, key={"new": row.image.label or str(sorted(known.items()))})


def _told_after(row: PlannedRow, marks: Mapping[str, str]) -> Image:
    known = {name: given["value"] for name, given in row.after.items() if "value" in given}
    secret = {name: marks[given["kind"]] for name, given in row.after.items() if given.get("kind") in marks}
    return replace(_told_before(row), columns={**(row.image.columns or {}), **known, **secret})
