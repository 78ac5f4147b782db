"""The part of a paper script that reads rows: before, locked and compared with the plan, and after. It writes nothing."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..hashing import passwords
from ..language.columns import Table, quoted
from ..language.derived import Row, json_object
from ..language.profile import Statement, TableRule
from ..language.statements import parameters_in
from ..planning.documents import PlannedRow
from ..running.changes import Job
from .paper_values import VARIABLE, bound, literal, variable

Stamps = Mapping[tuple[str, str], Mapping[str, str | None]]
# The rows of the plan that are not there any more or hold something else; rows that the plan does not know.
COMPARED = """\
SELECT pg_temp.require(CASE WHEN jsonb_array_length({found}::jsonb) <> {count} THEN {other}
       ELSE coalesce({changed} || string_agg(DISTINCT wanted.name, ', '), '') END) AS bg_held
  FROM jsonb_array_elements({planned}::jsonb) AS planned (row)
  LEFT JOIN jsonb_array_elements({found}::jsonb) AS found (row) ON found.row -> 'row' = planned.row -> 'row'
 CROSS JOIN LATERAL jsonb_each_text(planned.row -> 'columns') AS wanted (name, value)
 WHERE found.row IS NULL OR found.row -> 'columns' ->> wanted.name IS DISTINCT FROM wanted.value \\gset
"""


@dataclass(frozen=True)
class Sheet:
    """What a script is written from. stamps: place -> secret column -> stamp now, where it could be read; proof: see receipts."""

    job: Job
    until: datetime
    stamps: Stamps
    proof: str = field(repr=False)

    def rule(self, statement: Statement) -> TableRule:
        return self.job.profile.tables[statement.table]

    def values_of(self, statement: Statement) -> dict[str, Any]:
        return {**self.job.document.known_values, **self.job.values.secret, **statement.bound}

    def is_known_before(self, number: int) -> bool:
        """Whether the rows of a statement can be found before anything was written."""
        statement = self.job.statements[number]
        if statement.parsed.action == "insert":
            return False
        returned = {name for one in self.job.statements for name in one.returns}
        return not parameters_in(statement.parsed.where) & returned

    def planned(self, number: int) -> list[PlannedRow]:
        return [row for row in self.job.document.rows if row.statement == number]


def returned(number: int) -> str:
    """What the psql variables begin with that hold what a statement returns."""
    return f"{VARIABLE}r{number}_"


def met(sheet: Sheet, number: int) -> Iterator[str]:
    """Lock and note the rows that an UPDATE or DELETE will meet, and compare them with the plan."""
    statement = sheet.job.statements[number]
    where = bound(statement.parsed.where, sheet.values_of(statement))
    alias = statement.parsed.alias or statement.table.name
    image = _image(sheet, statement, alias)
    yield f"-- Rows that “{' '.join(statement.name.split())}” will meet, locked."
    yield (
        f"SELECT coalesce(jsonb_agg(locked.image), '[]') AS {VARIABLE}met_{number}\n"
        f"  FROM (SELECT {image} AS image\n          FROM {_source(statement.table, alias)} WHERE {where}\n"
        f"           FOR UPDATE OF {quoted(alias)}) AS locked \\gset"
    )
    planned = [row for row in sheet.planned(number) if row.compared]
    if planned:
        rows = [_before(sheet, row) for row in planned]
        yield _compared(sheet, statement, f"met_{number}", rows, was=True)


def free(sheet: Sheet, number: int) -> Iterator[str]:
    """A new account's login is not taken: where no rule of the table says so, running the script twice would add it twice."""
    statement, rows = sheet.job.statements[number], sheet.planned(number)
    label = sheet.rule(statement).label
    if statement.table != sheet.job.profile.accounts or not rows or "value" not in rows[0].after.get(label, {}):
        return
    login, source = literal(rows[0].after[label]["value"]), _source(statement.table, statement.table.name)
    taken = f"EXISTS (SELECT FROM {source} WHERE {quoted(statement.table.name)}.{quoted(label)} = {login})"
    what = literal(f"{statement.table} already has a row with this {label}")
    yield f"SELECT pg_temp.require(CASE WHEN {taken} THEN {what} ELSE '' END) AS bg_held \\gset"


def after(sheet: Sheet, number: int) -> Iterator[str]:
    """Note the rows as the statement left them, and compare what the plan promised."""
    statement = sheet.job.statements[number]
    if statement.parsed.action == "insert":
        yield f"\\set {VARIABLE}met_{number} '[]'"
    if statement.parsed.action == "delete":
        yield f"\\set {VARIABLE}after_{number} '[]'"
        return
    if statement.parsed.action == "insert":
        yield from _own_key(sheet, number)
    yield _look_after(sheet, number)
    rows = list(_promised(sheet, number))
    if rows:
        yield _compared(sheet, statement, f"after_{number}", rows, was=False)


def expected_counts(sheet: Sheet) -> Iterator[str]:
    """For each table (schema, name, rows added, changed, removed), as the statements counted them."""
    sums: dict[Table, dict[str, list[str]]] = {}
    for number, statement in enumerate(sheet.job.statements):
        counts = sums.setdefault(statement.table, {"insert": ["0"], "update": ["0"], "delete": ["0"]})
        counts[statement.parsed.action].append(f":{VARIABLE}rows_{number}")
    for table, counts in sums.items():
        numbers = ", ".join(" + ".join(texts) for texts in counts.values())
        yield f"({literal(table.schema)}::name, {literal(table.name)}::name, {numbers})"


def _look_after(sheet: Sheet, number: int) -> str:
    statement = sheet.job.statements[number]
    alias = statement.table.name
    image, source = _image(sheet, statement, alias), _source(statement.table, alias)
    return (
        f"SELECT coalesce(jsonb_agg({image}), '[]') AS {VARIABLE}after_{number}\n"
        f"  FROM {source} WHERE {_where_after(sheet, number, alias)} \\gset"
    )


def _where_after(sheet: Sheet, number: int, alias: str) -> str:
    """By the key: the plan's own where it knows the rows, else that which the platform gave, else what was met."""
    statement = sheet.job.statements[number]
    rule = sheet.rule(statement)
    if statement.parsed.action == "insert":
        return " AND ".join(f"{quoted(alias)}.{quoted(name)} :{VARIABLE}key{number}_{name}" for name in rule.key)
    planned = sheet.planned(number)
    if planned and statement.parsed.action == "update":
        keys = [{name: literal(row.image.key[name]) for name in rule.key} for row in planned]
        return " OR ".join(f"({_by_key(alias, key)})" for key in keys)
    key = _key_texts(alias, rule.key)
    return f"{key} IN (SELECT row -> 'row' FROM jsonb_array_elements({variable(f'met_{number}')}::jsonb) AS met (row))"


def _own_key(sheet: Sheet, number: int) -> Iterator[str]:
    """The key of a new row as psql variables that hold a comparison: a NULL leaves no variable behind."""
    for name in sheet.rule(sheet.job.statements[number]).key:
        given, key = f"{returned(number)}{name}", f"{VARIABLE}key{number}_{name}"
        yield f"\\if :{{?{given}}}\n\\set {key} '= ' :'{given}'\n\\else\n\\set {key} 'IS NULL'\n\\endif"


def _by_key(alias: str, key: Mapping[str, str]) -> str:
    named = ((f"{quoted(alias)}.{quoted(name)}", value) for name, value in key.items())
    return " AND ".join(f"{name} IS NULL" if value == "NULL" else f"{name} = {value}" for name, value in named)


def _image(sheet: Sheet, statement: Statement, alias: str) -> str:
    """One row as JSON: `row` its key as texts, to compare by; secrets as their stamps."""
    rule = sheet.rule(statement)
    row = Row(statement.table, alias, rule.key)
    names = sheet.job.profile.image_columns(sheet.job.run.kind, statement.table)
    columns = {name: _told(row.column(name), is_secret=name in rule.secret) for name in names}
    return (
        f"jsonb_build_object('table', {literal(str(statement.table))}, 'row', {_key_texts(alias, rule.key)},\n"
        f"         'key', {row.key_object()}, 'xmin', {row.column('xmin')}::text,\n"
        f"         'columns', {json_object(columns)})"
    )


def _key_texts(alias: str, key: tuple[str, ...]) -> str:
    texts = ", ".join(f"to_jsonb({quoted(alias)}.{quoted(name)}) #>> '{{}}'" for name in key)
    return f"jsonb_build_array({texts})"


def _told(column: str, *, is_secret: bool) -> str:
    """A value as an image holds it, by the script's own functions; of a secret only its stamp (see passwords.stamp)."""
    return f"pg_temp.stamp({column}::text)" if is_secret else f"pg_temp.said({column})"


def _source(table: Table, alias: str) -> str:
    return Row(table, alias, ()).source


def _before(sheet: Sheet, row: PlannedRow) -> dict[str, Any]:
    """A row as the plan has it. A secret that could not be read when the script was made is left out."""
    stamps = sheet.stamps.get(row.image.place, {})
    columns = {name: value for name, value in (row.image.columns or {}).items() if name not in row.secret}
    return {"row": _texts(row.image.key), "columns": columns | dict(stamps)}


def _promised(sheet: Sheet, number: int) -> Iterator[dict[str, Any]]:
    """What each row of the plan must hold afterwards, as far as it is known before. Of several statements the last counts."""
    statement = sheet.job.statements[number]
    for row in sheet.planned(number):
        columns: dict[str, Any] = {}
        if row.action == "update":
            own = _written(sheet, statement.table) | sheet.rule(statement).volatile
            columns = {name: value for name, value in _before(sheet, row)["columns"].items() if name not in own}
        for other in _same(sheet, row):
            columns |= _known_after(sheet, other)
        later = _written_later(sheet, row)
        known = {name: value for name, value in columns.items() if name not in later}
        yield {"row": _texts(row.image.key), "columns": known}


def _written_later(sheet: Sheet, row: PlannedRow) -> frozenset[str]:
    """Columns that a later statement may write into this row, although the plan cannot know its rows."""
    table, later = sheet.job.statements[row.statement].table, range(row.statement + 1, len(sheet.job.statements))
    unknown = [sheet.job.statements[number] for number in later if not sheet.is_known_before(number)]
    updates = (one.parsed.assigned for one in unknown if one.table == table and one.parsed.action == "update")
    return frozenset(name for assigned in updates for name in assigned)


def _same(sheet: Sheet, row: PlannedRow) -> list[PlannedRow]:
    """The row in every statement that the plan knows to meet it; a new row is only ever itself."""
    if row.action == "insert":
        return [row]
    return [one for one in sheet.job.document.rows if one.action == "update" and one.image.place == row.image.place]


def _known_after(sheet: Sheet, row: PlannedRow) -> dict[str, Any]:
    statement, secret = sheet.job.statements[row.statement], sheet.job.values.secret
    known = {name: given["value"] for name, given in row.after.items() if "value" in given and name not in row.secret}
    for name in row.secret:
        assigned = statement.parsed.assigned.get(name)
        if assigned and assigned.source == "parameter" and assigned.parameters <= secret.keys():
            known[name] = passwords.stamp(secret[min(assigned.parameters)])
    volatile = sheet.rule(statement).volatile
    return {name: value for name, value in known.items() if name not in volatile}


def _written(sheet: Sheet, table: Table) -> frozenset[str]:
    own = (one.parsed.assigned for one in sheet.job.statements if one.table == table)
    return frozenset(name for assigned in own for name in assigned)


def _compared(sheet: Sheet, statement: Statement, found: str, rows: list[dict[str, Any]], *, was: bool) -> str:
    title = f"{' '.join(statement.name.split())}, {statement.table}"
    changed = f"{title}: changed since the plan was made: " if was else f"{title}: not as it was approved: "
    other = f"{title}: other rows than the plan knows"
    planned = _json(rows)
    if not was and statement.parsed.action == "insert":
        # The key of a new row is the platform's own: the one row that was added is the one that is compared.
        own = f"{variable(found)}::jsonb -> 0 -> 'row'"
        columns = f"{_json(rows[0]['columns'])}::jsonb"
        planned = f"jsonb_build_array(jsonb_build_object('row', {own}, 'columns', {columns}))"
    facts = {"found": variable(found), "planned": planned, "count": len(rows)}
    return COMPARED.format(changed=literal(changed), other=literal(other), **facts)


def _json(value: Any) -> str:
    return literal(json.dumps(value, ensure_ascii=False))


def _texts(key: Mapping[str, Any]) -> list[str | None]:
    return [value if value is None or isinstance(value, str) else json.dumps(value) for value in key.values()]
