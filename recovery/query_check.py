"""Whether the platform understands every query and statement of a profile: each is explained, as the reader, and none is run."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from django.utils.translation import gettext as _
from psycopg import sql

from .database import Session
from .language.profile import BEFORE, Outcome, Profile, Statement
from .language.queries import Query
from .language.statements import PARAMETER
from .planning import previews
from .platform_refusals import ConnectionLost, PlatformRefused

# The shape of what the console asks with; NULL can stand for any of them.
SAMPLES: Mapping[str, str | None] = {
    "outcome": "reset",
    "since": "2026-01-01 00:00:00+00",
    "until": "2026-01-02 00:00:00+00",
    "login": "somebody@example.org",
    "email": "somebody@example.org",
    "name": "Somebody",
}
CHANGING = """
SELECT DISTINCT p.proname FROM pg_proc AS p
WHERE p.proname = ANY(%s) AND p.provolatile = 'v'
  AND p.proname <> ALL('{random,gen_random_uuid,clock_timestamp,timeofday}')
ORDER BY 1
"""
NO_TABLE = """
SELECT c.relkind FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND c.relkind NOT IN ('r', 'p')
"""
BOOLEAN, TEXTS = {16}, {1009, 1015}  # type numbers of PostgreSQL: bool; text[], varchar[]
TYPES = {"enabled": BOOLEAN, "is_owner": BOOLEAN, "holds": BOOLEAN, "blockers": TEXTS}
# As psycopg sends what is no text. Every other value travels without a type, and PostgreSQL finds one.
SENT_AS = {"epoch": "integer", "epoch_ms": "bigint", "epoch_us": "bigint"}
KEPT_AS = {"boolean", "smallint", "integer", "bigint"}
SAVEPOINT = sql.SQL("{} query_check")


def look(session: Session, profile: Profile) -> Iterator[str]:
    """One sentence per query or statement that the platform refuses, and per function in a query that may change something.

    session: the reader's, inside a read-only transaction. Raises ConnectionLost; every other answer becomes a sentence.
    """
    for query in profile.queries:
        why = _answer(session, partial(_explain_query, session, query))
        if why:
            yield _("The query {place} cannot be run: {why}. Correct the profile.").format(place=query.place, why=why)
            continue
        for name in _changing(session, query.parsed.calls):
            sentence = _(
                "The query {place} calls the function {name}, which may change something. Correct the profile."
            )
            yield sentence.format(place=query.place, name=name)
    for table in sorted({statement.table for one in profile.outcomes.values() for statement in one.statements}):
        if session.execute(NO_TABLE, [table.schema, table.name]).fetchone():
            sentence = _(
                "{table} is no table of this database (a view, a foreign table): its rows cannot be counted. Name the table."
            )
            yield sentence.format(table=table)
    for kind, outcome in profile.outcomes.items():
        for statement in outcome.statements:
            why = _answer(session, partial(_explain_statement, session, profile, statement)) or _untyped(
                session, outcome, statement
            )
            if why:
                sentence = _("The statement “{name}” of the outcome {kind} cannot be run: {why}. Correct the profile.")
                yield sentence.format(name=statement.name, kind=kind, why=why)


def _answer(session: Session, explain: Callable[[], str]) -> str:
    """What is wrong, "" when nothing is; the transaction goes on either way."""
    session.execute(SAVEPOINT.format(sql.SQL("SAVEPOINT")))
    try:
        return explain()
    except ConnectionLost:
        raise
    except PlatformRefused as refusal:
        session.execute(SAVEPOINT.format(sql.SQL("ROLLBACK TO SAVEPOINT")))
        return str(refusal.facts.get("message", refusal.code))


def _explain_query(session: Session, query: Query) -> str:
    values = {name: SAMPLES.get(name) for name in query.parameters}
    session.execute("EXPLAIN " + query.sql, values)
    return _unlike(session, query, values) if TYPES.keys() & set(query.parsed.output) else ""


def _explain_statement(session: Session, profile: Profile, statement: Statement) -> str:
    """The values that it would write and the rows that it would meet: the reader may not explain a write itself."""
    text = previews.as_select(session, profile, statement)
    session.execute("EXPLAIN " + text, dict.fromkeys(statement.parsed.parameters))
    return ""


def _untyped(session: Session, outcome: Outcome, statement: Statement) -> str:
    """What PostgreSQL says to the statement itself with its values apart, as the run sends it; the values by their names.

    So a parameter must have one type wherever it stands. To be parsed asks for no right to write, and runs nothing.
    """
    numbers: dict[str, str] = {}
    text = PARAMETER.sub(lambda found: numbers.setdefault(found[1], f"${len(numbers) + 1}"), statement.sql)
    names = {number: f"%({name})s" for name, number in numbers.items()}
    types = ", ".join(_sent_as(session, outcome, statement, name) for name in numbers)
    prepare = f"PREPARE query_check{f' ({types})' if types else ''} AS\n{text.replace('%%', '%')}"
    why = _answer(session, partial(_prepare, session, prepare))
    return re.sub(r"\$\d+", lambda found: names.get(found[0], found[0]), why)


def _prepare(session: Session, text: str) -> str:
    session.execute(text)
    session.execute("DEALLOCATE query_check")
    return ""


def _sent_as(session: Session, outcome: Outcome, statement: Statement, name: str) -> str:
    if name.startswith(BEFORE):
        kept = previews.column_types(session, statement.table).get(name.removeprefix(BEFORE), "")
        return kept if kept in KEPT_AS else "unknown"
    return SENT_AS.get(outcome.generated.get(name, ""), "unknown")


def _unlike(session: Session, query: Query, values: Mapping[str, str | None]) -> str:
    """What is wrong with the types of its columns; asked for no rows, a query is not run."""
    bare = query.sql.rstrip().rstrip(";")
    described = session.execute(f"SELECT * FROM (\n{bare}\n) AS asked LIMIT 0", values).description or ()
    for column in described:
        if column.name in TYPES and column.type_code not in TYPES[column.name]:
            wanted = "text[]" if TYPES[column.name] is TEXTS else "boolean"
            return _("its column {name} must be of the type {wanted}").format(name=column.name, wanted=wanted)
    return ""


def _changing(session: Session, called: Iterable[str]) -> list[str]:
    wanted = sorted(name for name in called if not previews.CLOCK.fullmatch(name))
    return [name for (name,) in session.execute(CHANGING, [wanted]).fetchall()] if wanted else []
