"""One run as one guarded script for psql. Pure: it only writes the text; whoever carries it out needs nothing of the console.

The statements are the profile's own. Around them stand locks, comparisons and counts, each of which ends the script with
nothing changed. What it prints at the end is the receipt, by which the console recognises later what was done.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from ..language.columns import quoted
from ..language.derived import exactly
from ..planning.documents import PlanDocument
from ..planning.parameters import CLOCK
from ..running.changes import Job
from . import paper_rows
from .paper_rows import Sheet
from .paper_values import VALUE, VARIABLE, bound, check, literal, variable

BEGIN, END = "-----BEGIN BREAK-GLASS RECEIPT-----", "-----END BREAK-GLASS RECEIPT-----"
VERSION = "breakglass-receipt-1"
TITLE = """\
-- Break-glass {incident}, {kind}, on {platform}: one change, approved by two people.
-- Plan: {words}   (compare these words by voice with an approver before you run it)
-- Run:  psql -X -d {database} -f THIS_FILE        Try it first, with nothing kept:  psql -X -v rehearse=1 -d {database} -f THIS_FILE
-- It works until {until} by the platform's own clock, once, and only while the rows are as they were when it was approved.
-- It holds a password hash: pass it on as a secret, and delete it when it was run. Bring back what it prints at the end.
\\set ON_ERROR_STOP on
\\set QUIET on
\\encoding UTF8
\\pset pager off
\\pset tuples_only on
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL statement_timeout = '10s';
SET LOCAL lock_timeout = '3s';
SET LOCAL idle_in_transaction_session_timeout = '20s';
SET LOCAL synchronous_commit = on;
SET LOCAL standard_conforming_strings = on;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SET LOCAL search_path = {schema}, pg_temp;
"""
OWN = """\
-- Three functions of this session alone, which end with it: one stops the script, two say what a row holds.
CREATE OR REPLACE FUNCTION pg_temp.require(refusal text) RETURNS void LANGUAGE plpgsql AS $own$
BEGIN
    IF refusal IS DISTINCT FROM '' THEN
        RAISE EXCEPTION '%. Nothing was changed.', refusal;
    END IF;
END $own$;
CREATE OR REPLACE FUNCTION pg_temp.said(value anyelement) RETURNS jsonb LANGUAGE sql AS $own$
    SELECT {exactly}
$own$;
CREATE OR REPLACE FUNCTION pg_temp.stamp(secret text) RETURNS text LANGUAGE sql AS $own$
    SELECT left(encode(sha256(convert_to(secret, 'UTF8')), 'hex'), 16)
$own$;
"""
PLACE = """\
-- The right database, one that takes changes, and in time.
SELECT pg_temp.require(CASE
    WHEN pg_is_in_recovery() THEN 'This server is a standby'
    WHEN current_database() <> {database} THEN 'This is the database ' || current_database()
    WHEN (SELECT system_identifier::text FROM pg_control_system()) <> {system} THEN 'This is another database server'
    WHEN clock_timestamp() >= {until} THEN 'The time of this script is over: it is ' || clock_timestamp()
    ELSE '' END) AS bg_held \\gset
"""
IN_TIME = """\
-- Still in time, at the last moment before it is kept.
SELECT pg_temp.require(CASE WHEN clock_timestamp() >= {until} THEN 'The time of this script is over: it is ' || clock_timestamp()
    ELSE '' END) AS bg_held \\gset
"""
TOUCHED = """\
SELECT n.nspname AS schema, c.relname AS name, sum(s.n_tup_ins)::int AS added, sum(s.n_tup_upd)::int AS changed,
       sum(s.n_tup_del)::int AS removed
  FROM pg_stat_xact_user_tables AS s
  JOIN pg_class AS c ON c.oid = coalesce(pg_partition_root(s.relid), s.relid)
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 GROUP BY n.nspname, c.relname
HAVING sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del) > 0"""
NOTHING_ELSE = """\
-- Nothing else: a trigger or a rule that wrote another table or row shows in the server's own count of this transaction.
SELECT pg_temp.require(coalesce('The change touched more than was approved: ' || string_agg(format(
         '%s.%s (%s added, %s changed, %s removed)',
         schema, name, found.added - was.added, found.changed - was.changed, found.removed - was.removed), '; '), ''))
       AS bg_held
  FROM ({touched}) AS found
  CROSS JOIN LATERAL (
      SELECT coalesce(sum((item ->> 'added')::int), 0) AS added, coalesce(sum((item ->> 'changed')::int), 0) AS changed,
             coalesce(sum((item ->> 'removed')::int), 0) AS removed
        FROM jsonb_array_elements(:'bg_baseline'::jsonb) AS item
       WHERE item ->> 'schema' = found.schema AND item ->> 'name' = found.name) AS was
  FULL JOIN (VALUES {expected}) AS planned (schema, name, added, changed, removed) USING (schema, name)
 WHERE (coalesce(found.added - was.added, 0), coalesce(found.changed - was.changed, 0),
        coalesce(found.removed - was.removed, 0))
       IS DISTINCT FROM (coalesce(planned.added, 0), coalesce(planned.changed, 0), coalesce(planned.removed, 0)) \\gset
"""
RECEIPT = """\
-- The receipt: bring these lines back to the console.
SELECT jsonb_build_object('v', {version}, 'run', {run}, 'digest', {digest}, 'database', current_database(),
         'system_identifier', (SELECT system_identifier::text FROM pg_control_system()),
         'timeline', substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), 'xid', pg_current_xact_id()::text,
         'clock', clock_timestamp(), 'statements', jsonb_build_array({statements}))::text AS bg_receipt \\gset
SELECT encode(sha256(convert_to({proof} || :'bg_receipt', 'UTF8')), 'hex') AS bg_seal \\gset
"""
FINISH = """\
\\if :{{?rehearse}}
ROLLBACK;
\\echo 'Rehearsed: all checks held, and nothing was kept.'
\\else
\\echo '{begin}'
\\echo :bg_receipt
\\echo :bg_seal
\\echo '{end}'
COMMIT;
\\echo 'Committed. Bring the lines from BEGIN to END back to the console.'
\\endif
"""


def write(sheet: Sheet) -> str:
    """The whole script. Raises NotForPaper."""
    return "\n".join(_parts(sheet))


def sent(sheet: Sheet, *, hidden: str) -> list[dict[str, object]]:
    """The statements as they stand in the script, secrets left out, for the record. hidden stands in their place."""
    shown = dict.fromkeys(sheet.job.values.secret, hidden)
    return [
        {
            "name": statement.name,
            "sql": bound(statement.sql, sheet.values_of(statement) | shown),
            "table": str(statement.table),
            "action": statement.parsed.action,
        }
        for statement in sheet.job.statements
    ]


def _parts(sheet: Sheet) -> Iterator[str]:
    job, until = sheet.job, literal(moment(sheet.until))
    yield _title(job, sheet.until)
    place = {"database": literal(job.run.database_name), "system": literal(job.run.system_identifier)}
    yield OWN.format(exactly=exactly("value"))
    yield PLACE.format(until=until, **place)
    yield from _clock(job.document)
    yield f"SELECT coalesce(jsonb_agg(to_jsonb(one)), '[]') AS bg_baseline FROM ({TOUCHED}) AS one \\gset\n"
    for number in range(len(job.statements)):
        if sheet.is_known_before(number):
            yield from paper_rows.met(sheet, number)
    for number in range(len(job.statements)):
        yield from _statement(sheet, number)
    yield "-- A deferred rule that breaks at COMMIT would break too late.\nSET CONSTRAINTS ALL IMMEDIATE;\n"
    for number in range(len(job.statements)):
        yield from paper_rows.after(sheet, number)
    expected = ", ".join(paper_rows.expected_counts(sheet))
    yield NOTHING_ELSE.format(touched=TOUCHED, expected=expected)
    yield _receipt(sheet)
    yield IN_TIME.format(until=until)
    yield FINISH.format(begin=BEGIN, end=END)


def _title(job: Job, until: datetime) -> str:
    facts = {"kind": job.run.kind, "incident": job.run.incident, "words": job.document.words}
    place = {"platform": job.run.platform, "database": job.run.database_name}
    one_line = {name: " ".join(text.split()) for name, text in (facts | place).items()}
    return TITLE.format(until=moment(until), schema=quoted(job.profile.schema), **one_line)


def _clock(document: PlanDocument) -> Iterator[str]:
    """One moment for all statements, by the platform's clock."""
    wanted = {name: given["unit"] for name, given in document.parameters.items() if given.get("kind") == "clock"}
    for name, unit in wanted.items():
        yield f"SELECT {CLOCK[unit]} AS {VALUE}{name} \\gset\n"


def _statement(sheet: Sheet, number: int) -> Iterator[str]:
    statement = sheet.job.statements[number]
    if not sheet.is_known_before(number) and statement.parsed.action != "insert":
        yield from paper_rows.met(sheet, number)
    if statement.parsed.action == "insert":
        yield from paper_rows.free(sheet, number)
    title = " ".join(statement.name.split())
    yield f"-- {number + 1} of {len(sheet.job.statements)}: {title} ({statement.table}, {statement.expect} rows)"
    check(statement.sql)
    text, rows = bound(statement.sql, sheet.values_of(statement)), f"{VARIABLE}rows_{number}"
    wants = statement.parsed.action == "insert" or statement.returns
    yield f"{text}\n\\gset {paper_rows.returned(number)}" if wants else f"{text};"
    yield f"\\set {rows} :ROW_COUNT"
    for name, column in statement.returns.items():
        yield f"\\set {VALUE}{name} :{paper_rows.returned(number)}{column}"
    what = literal(f"{title}: another number of rows than {statement.expect}")
    least, most = statement.expect.least, statement.expect.most
    yield (
        f"SELECT pg_temp.require(CASE WHEN :{rows} BETWEEN {least} AND {most} THEN '' ELSE {what} END) AS bg_held \\gset\n"
    )


def _receipt(sheet: Sheet) -> str:
    told = (
        f"jsonb_build_object('action', {literal(statement.parsed.action)}, 'rows', :{VARIABLE}rows_{number}, "
        f"'met', {variable(f'met_{number}')}::jsonb, 'after', {variable(f'after_{number}')}::jsonb)"
        for number, statement in enumerate(sheet.job.statements)
    )
    run = {"run": literal(str(sheet.job.run.pk)), "digest": literal(sheet.job.run.plan_digest)}
    return RECEIPT.format(version=literal(VERSION), proof=literal(sheet.proof), statements=", ".join(told), **run)


def moment(value: datetime) -> str:
    """A moment as the script writes it: UTC, to the second, never later than the real one."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S+00")
