"""Makes the planned change inside one platform transaction and compares all that it did with the plan. It never commits.

The rehearsal and the real run are this same code. See DESIGN section 6.
"""

from dataclasses import dataclass, field
from typing import Any

from . import database, effects, images, passwords
from .answers import MARK
from .columns import Table
from .database import Session
from .documents import PlanDocument, PlannedRow
from .images import Image
from .models import Run
from .parameters import CLOCK, Values
from .plans import check_count, differences
from .platforms import Platform
from .profile import Profile, Statement
from .run_refusals import NotAsPlanned, RowChanged, TargetMissing, TooManyRows
from .statements import parameters_in


@dataclass(frozen=True)
class Job:
    """One run with everything that it needs, checked before any access is opened."""

    run: Run
    document: PlanDocument
    platform: Platform
    profile: Profile
    statements: tuple[Statement, ...]
    values: Values = field(repr=False)

    @property
    def kind(self) -> str:
        return self.run.kind


@dataclass
class Done:
    """What the statements did, still uncommitted. counts: statement -> rows; sent: the texts with secrets left out."""

    before: dict[tuple[str, str], Image] = field(default_factory=dict)
    after: dict[tuple[str, str], Image] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    written: dict[Table, dict[str, int]] = field(default_factory=dict)
    added: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        return {sent["name"]: sent["rows"] for sent in self.sent}

    @property
    def to_seal(self) -> list[Image]:
        """Rows that a later restore may have to put back: those that were there and still are."""
        return [image for place, image in self.before.items() if image.clear and self.after[place].columns is not None]


def make(session: Session, job: Job, *, explain: bool = False) -> Done:
    """Lock and compare the rows, run the statements, count, and look at what the transaction touched.

    Raises:
        WrongPlatform, PlatformReadOnly, RowChanged, TargetMissing, TooManyRows, NotAsPlanned, MoreThanPlanned, and what
        the platform answers. The caller rolls back.
    """
    run, done = job.run, Done()
    database.require_primary(session, system_identifier=run.system_identifier, database_name=run.database_name)
    session.hide(*job.values.secret.values())
    values = job.document.known_values | dict(job.values.secret) | _clock(session, job)
    with database.naming_blocker(session, job.platform.conninfo("reader")):
        for number, statement in enumerate(job.statements):
            _meet(session, job, done, number, statement, values)
        for number, statement in enumerate(job.statements):
            _run(session, job, done, number, statement, values, explain)
    session.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a deferred rule that breaks at COMMIT would break too late
    _look_after(session, job, done)
    _check_planned(job, done)
    effects.require_nothing_else(session, job.profile, done.written)
    return done


def _clock(session: Session, job: Job) -> dict[str, Any]:
    """One moment for all statements, by the platform's clock."""
    wanted = {name: given["unit"] for name, given in job.document.parameters.items() if given.get("kind") == "clock"}
    if not wanted:
        return {}
    row = session.execute("SELECT " + ", ".join(CLOCK[unit] for unit in wanted.values())).fetchone()
    return dict(zip(wanted, row, strict=True))


def _meet(session: Session, job: Job, done: Done, number: int, statement: Statement, values: dict[str, Any]) -> None:
    """Lock and note the rows that a statement will meet, unless that hangs on what an earlier one returns."""
    if statement.parsed.action == "insert" or not parameters_in(statement.parsed.where) <= values.keys():
        return
    found = images.met(session, job.profile, job.kind, statement, values)
    planned = [row for row in job.document.rows if row.statement == number and row.compared]
    if statement.parsed.action == "update" and planned:
        _compare(job, statement, planned, found)
    for image in found:
        done.before.setdefault(image.place, image)


def _compare(job: Job, statement: Statement, planned: list[PlannedRow], found: list[Image]) -> None:
    now, volatile = {image.place: image for image in found}, job.profile.tables[statement.table].volatile
    for row in planned:
        image = now.pop(row.image.place, None)
        name = f"{row.image.table} {row.image.label or row.image.row_key}"
        if image is None:
            raise TargetMissing(target=row.image.label, statement=statement.name, table=statement.table)
        if image.without(volatile) != row.image.without(volatile):
            raise RowChanged(row=name, what=differences(row.image, image, volatile))
    if now:
        raise TooManyRows(
            statement=statement.name, count=len(found), table=statement.table, expect=str(statement.expect)
        )


def _run(
    session: Session,
    job: Job,
    done: Done,
    number: int,
    statement: Statement,
    values: dict[str, Any],
    explain: bool,
) -> None:
    if not parameters_in(statement.parsed.where) <= job.document.known_values.keys() | job.values.secret.keys():
        _meet(session, job, done, number, statement, values)
    if explain:
        effects.require_named_tables(session, statement, values)
    cursor = session.execute(statement.sql, values)
    check_count(statement, cursor.rowcount, target=job.document.login or job.document.target_key)
    _note(session, job, done, statement, values, cursor.rowcount)
    if statement.parsed.action == "insert":
        returned = dict(zip(statement.parsed.returning, cursor.fetchone(), strict=True))
        values |= {name: returned[column] for name, column in statement.returns.items()}
        rule = job.profile.tables[statement.table]
        image = images.by_key(session, job.profile, job.kind, statement.table, {n: returned[n] for n in rule.key})
        done.before[image.place], done.added[image.place] = image.gone(), number
    elif statement.returns:
        returned = dict(zip(statement.parsed.returning, cursor.fetchone(), strict=True))
        values |= {name: returned[column] for name, column in statement.returns.items()}


def _note(session: Session, job: Job, done: Done, statement: Statement, values: dict[str, Any], count: int) -> None:
    action, shown = statement.parsed.action, values | dict.fromkeys(job.values.secret, MARK)
    text = session.as_sent(statement.sql, shown)
    done.sent.append(
        {"name": statement.name, "sql": text, "table": str(statement.table), "action": action, "rows": count}
    )
    written = done.written.setdefault(statement.table, {"insert": 0, "update": 0, "delete": 0})
    written[action] += count


def _look_after(session: Session, job: Job, done: Done) -> None:
    tables = {str(table): table for table in job.profile.tables}
    for place, image in done.before.items():
        now = images.by_key(session, job.profile, job.kind, tables[image.table], image.key)
        done.after[place] = Image(now.table, now.key, now.columns, now.label or image.label, now.xmin)


def _check_planned(job: Job, done: Done) -> None:
    """What is in the rows now is what was approved: known values as planned, every other column as it was."""
    for place, after in done.after.items():
        planned = _planned_after(job, done, place)
        if after.columns is not None:
            _check_row(job, done.before[place], after, planned)


def _planned_after(job: Job, done: Done, place: tuple[str, str]) -> dict[str, dict[str, Any]]:
    number, merged = done.added.get(place), {}
    for row in job.document.rows:
        if row.image.place == place or (row.action == "insert" and row.statement == number):
            merged |= row.after
    return merged


def _check_row(job: Job, before: Image, after: Image, planned: dict[str, dict[str, Any]]) -> None:
    rule = next(rule for table, rule in job.profile.tables.items() if str(table) == after.table)
    wrong = {}
    for name, value in (after.columns or {}).items():
        expected = _expected(job, rule.table, name, planned.get(name))
        if name in planned and expected is not _ANY and expected != value:
            wrong[name] = f"{images.told(expected)} → {images.told(value)}"
        is_ours = (
            name in planned or name in rule.volatile or before.columns is None or _is_written(job, rule.table, name)
        )
        if not is_ours and value != before.columns.get(name):
            wrong[name] = f"{images.told(before.columns.get(name))} → {images.told(value)}"
    if wrong:
        what = "; ".join(f"{name}: {told}" for name, told in sorted(wrong.items()))
        raise NotAsPlanned(row=f"{after.table} {after.label or after.row_key}", what=what)


_ANY = object()


def _expected(job: Job, table: Table, name: str, planned: dict[str, Any] | None) -> Any:
    """The value that the plan promises; for a secret that is written as it was given, its fingerprint."""
    if planned is None:
        return _ANY
    if "value" in planned:
        return planned["value"]
    for statement in job.statements:
        assigned = statement.parsed.assigned.get(name)
        if statement.table == table and assigned and assigned.source == "parameter":
            secret = job.values.secret.get(min(assigned.parameters, default=""))
            return _ANY if secret is None else images.fingerprint(passwords.stamp(secret))
    return _ANY


def _is_written(job: Job, table: Table, name: str) -> bool:
    return any(s.table == table and name in s.parsed.assigned for s in job.statements)
