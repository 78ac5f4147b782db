"""Whether the platform understands every query and statement of a profile: each is explained, as the reader, and none is run."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from django.utils.translation import gettext as _
from psycopg import sql

from .database import Session
from .language.profile import Profile, Statement
from .language.queries import Query
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
            why = _answer(session, partial(_explain_statement, session, profile, statement))
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
