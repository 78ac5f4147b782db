"""Makes the planned change inside one platform transaction and compares all that it did with the plan. It never commits.

The rehearsal and the real run are this same code. See DESIGN section 6.
"""

from dataclasses import dataclass, field
from typing import Any

from .. import database, images
from ..answers import MARK
from ..database import Session
from ..images import Image
from ..language.columns import Table
from ..language.profile import Profile, Statement, TableRule
from ..language.statements import parameters_in
from ..models import Run
from ..planning.documents import PlanDocument
from ..planning.parameters import CLOCK, Values
from ..planning.planned_rows import check_count
from ..platforms import Platform
from ..points import passed
from ..run_refusals import TooManyRows
from . import comparisons, effects


@dataclass(frozen=True)
class Job:
    """One run with everything that it needs, checked before any access is opened."""

    run: Run
    document: PlanDocument
    platform: Platform
    profile: Profile
    statements: tuple[Statement, ...]
    values: Values = field(repr=False)


@dataclass
class Done:
    """What the statements did, still uncommitted. sent: the texts with secrets left out; added: place -> its INSERT.

    met: number of an UPDATE or DELETE -> how many rows of it have an image.
    """

    before: dict[tuple[str, str], Image] = field(default_factory=dict)
    after: dict[tuple[str, str], Image] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    written: dict[Table, dict[str, int]] = field(default_factory=dict)
    added: dict[tuple[str, str], int] = field(default_factory=dict)
    met: dict[int, int] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        return {sent["name"]: sent["rows"] for sent in self.sent}

    @property
    def to_seal(self) -> list[Image]:
        """Rows that a later restore may have to put back: those that were there and still are."""
        return [image for place, image in self.before.items() if image.clear and self.after[place].columns is not None]


@dataclass(frozen=True)
class Work:
    """The statements of one job under way in one session. values grow with what statements return."""

    session: Session
    job: Job
    values: dict[str, Any] = field(repr=False)
    explain: bool
    done: Done = field(default_factory=Done)

    def rule(self, statement: Statement) -> TableRule:
        return self.job.profile.tables[statement.table]

    def values_of(self, statement: Statement) -> dict[str, Any]:
        return {**self.values, **statement.bound}


def make(session: Session, job: Job, *, explain: bool = False) -> Done:
    """Lock and compare the rows, run the statements, count, and look at what the transaction touched.

    Raises:
        WrongPlatform, PlatformReadOnly, RowChanged, TargetMissing, TooManyRows, NotAsPlanned, MoreThanPlanned, and what
        the platform answers. The caller rolls back.
    """
    run, secret = job.run, job.values.secret
    database.require_primary(session, system_identifier=run.system_identifier, database_name=run.database_name)
    session.hide(*secret.values())
    work = Work(session, job, job.document.known_values | dict(secret) | _clock(session, job), explain)
    first = frozenset(work.values)
    with database.naming_blocker(session, job.platform.conninfo("reader")):
        for number in range(len(job.statements)):
            _meet(work, number, known=first)
        passed("after_lock")
        for number in range(len(job.statements)):
            _run(work, number, known=first)
    session.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a deferred rule that breaks at COMMIT would break too late
    _look_after(work)
    comparisons.require_as_planned(job.document, job.profile, job.statements, secret, work.done)
    effects.require_nothing_else(session, job.profile, work.done.written)
    return work.done


def _clock(session: Session, job: Job) -> dict[str, Any]:
    """One moment for all statements, by the platform's clock."""
    wanted = {name: given["unit"] for name, given in job.document.parameters.items() if given.get("kind") == "clock"}
    if not wanted:
        return {}
    return dict(zip(wanted, session.one("SELECT " + ", ".join(CLOCK[unit] for unit in wanted.values())), strict=True))


def _meet(work: Work, number: int, *, known: frozenset[str]) -> None:
    """Lock and note the rows that a statement will meet, unless that hangs on what an earlier one returns."""
    statement = work.job.statements[number]
    if statement.parsed.action == "insert" or not parameters_in(statement.parsed.where) - statement.own_names <= known:
        return
    found = images.met(work.session, work.job.profile, work.job.run.kind, statement, work.values_of(statement))
    planned = [row for row in work.job.document.rows if row.statement == number and row.compared]
    if planned or _was_planned(work, statement):
        comparisons.require_unchanged(statement, planned, found, volatile=work.rule(statement).volatile)
    work.done.met[number] = len(found)
    for image in found:
        work.done.before.setdefault(image.place, image)


def _was_planned(work: Work, statement: Statement) -> bool:
    """True when the plan has looked for the rows of an UPDATE, so that none there means none now."""
    if statement.parsed.action != "update":
        return False
    return parameters_in(statement.parsed.where) - statement.own_names <= work.job.document.known_values.keys()


def _run(work: Work, number: int, *, known: frozenset[str]) -> None:
    statement, job = work.job.statements[number], work.job
    if not parameters_in(statement.parsed.where) - statement.own_names <= known:
        _meet(work, number, known=frozenset(work.values))
    values = work.values_of(statement)
    if work.explain:
        effects.require_named_tables(work.session, statement, values)
    cursor = work.session.execute(statement.sql, values)
    check_count(statement, cursor.rowcount, target=job.document.login or job.document.target_key)
    is_insert = statement.parsed.action == "insert"
    if not is_insert and cursor.rowcount > work.done.met[number]:  # an earlier statement has led it to further rows
        facts = {"statement": statement.name, "count": cursor.rowcount, "table": statement.table}
        raise TooManyRows(**facts, expect=work.done.met[number])
    _note(work, statement, cursor.rowcount)
    if is_insert or statement.returns:
        returned = dict(zip(statement.parsed.returning, database.as_texts(cursor)[0], strict=True))
        work.values.update({name: returned[column] for name, column in statement.returns.items()})
        if is_insert:
            _note_added(work, number, {name: returned[name] for name in work.rule(statement).key})


def _note_added(work: Work, number: int, key: dict[str, Any]) -> None:
    table = work.job.statements[number].table
    image = images.by_key(work.session, work.job.profile, work.job.run.kind, table, key)
    work.done.before[image.place], work.done.added[image.place] = image.gone(), number


def _note(work: Work, statement: Statement, count: int) -> None:
    action, shown = statement.parsed.action, work.values_of(statement) | dict.fromkeys(work.job.values.secret, MARK)
    text = work.session.as_sent(statement.sql, shown)
    told = {"name": statement.name, "sql": text, "table": str(statement.table), "action": action, "rows": count}
    work.done.sent.append(told)
    written = work.done.written.setdefault(statement.table, {"insert": 0, "update": 0, "delete": 0})
    written[action] += count


def _look_after(work: Work) -> None:
    tables = {str(table): table for table in work.job.profile.tables}
    for place, image in work.done.before.items():
        now = images.by_key(work.session, work.job.profile, work.job.run.kind, tables[image.table], image.key)
        work.done.after[place] = Image(now.table, now.key, now.columns, now.label or image.label, now.xmin)
