"""What one outcome of a profile must be: its inputs, the order in which values arise, and what each statement may write."""

import re
from collections.abc import Iterable

from django.utils.translation import gettext as _

from .columns import CONSOLE_SCHEMA, Column
from .profile import BEFORE, GENERATORS, INPUTS, OUTCOMES, RANDOM_GENERATORS, Outcome, Profile, Statement
from .sections import Section
from .statements import Parsed

NAME = re.compile(r"[a-z][a-z0-9_]*")


def check_outcome(profile: Profile, outcome: Outcome, section: Section) -> None:
    """Raises the section's refusal at the first rule that the outcome breaks."""
    if not outcome.statements:
        raise section.no("statement", _("at least one statement is needed"))
    _check_inputs(outcome, section)
    known = set(outcome.inputs) | set(outcome.generated)
    earlier: list[Statement] = []
    for statement, step in zip(outcome.statements, section.steps("statement"), strict=True):
        if any(statement.name == other.name for other in earlier):
            raise step.no("name", _("two statements have the same name"))
        _check_statement(profile, outcome, statement, step)
        _check_own_names(outcome, statement, step)
        _check_returns(outcome, statement, earlier, step)
        wanted = statement.parsed.parameters - statement.own_names - known
        unknown = sorted(name for name in wanted if not _is_before(outcome, name))
        if unknown:
            raise step.no(
                "sql", _("the parameter {name} is neither an input nor returned before").format(name=unknown[0])
            )
        known.update(statement.returns)
        earlier.append(statement)


def check_bare(profile: Profile, parsed: Parsed, section: Section, key: str) -> None:
    """Rights follow from columns: a table of which none is read, and whose key nobody has said, would be closed in the run."""
    nameless = sorted(table for table in parsed.bare - profile.tables.keys() if table.schema != CONSOLE_SCHEMA)
    if nameless:
        reason = _("{table} is named, but none of its columns is read, so that no right to it follows; read one")
        raise section.no(key, reason.format(table=nameless[0]))


def _check_inputs(outcome: Outcome, section: Section) -> None:
    unknown = sorted(set(outcome.inputs) - INPUTS)
    if unknown:
        known = ", ".join(sorted(INPUTS))
        raise section.no("inputs", _("{name} is not known; known are {known}").format(name=unknown[0], known=known))
    if outcome.kind != "create" and "key" not in outcome.inputs:
        raise section.no("inputs", _("key is missing: the account that is meant"))
    _check_free("generate", outcome.generated, INPUTS, section)
    for name, generator in outcome.generated.items():
        if generator not in GENERATORS:
            raise section.no(f"generate.{name}", _one_of(GENERATORS))


def _one_of(known: Iterable[str]) -> str:
    return _("it must be one of {known}").format(known=", ".join(sorted(known)))


def _check_free(key: str, names: Iterable[str], taken: Iterable[str], section: Section) -> None:
    """A name of the writer's own: such as a parameter may have, and no other value's name."""
    for name in names:
        if not NAME.fullmatch(name) or name.startswith(BEFORE):
            raise section.no(
                f"{key}.{name}", _("a name is made of small letters, digits and _, and does not begin with before_")
            )
        if name in taken:
            raise section.no(f"{key}.{name}", _("another value has this name already"))


def _check_own_names(outcome: Outcome, statement: Statement, step: Section) -> None:
    taken = {*INPUTS, *outcome.generated}
    _check_free("each", statement.each.names if statement.each else (), taken, step)
    _check_free("generate", statement.generated, taken.union(statement.each.names if statement.each else ()), step)
    for name, generator in statement.generated.items():
        if generator not in RANDOM_GENERATORS:  # the moment of a run is one for all its statements
            raise step.no(f"generate.{name}", _one_of(RANDOM_GENERATORS))
    if statement.each and not statement.parsed.parameters.intersection(statement.each.names):
        raise step.no("each", _("the statement uses none of its values, so that each time would be the same"))
    if statement.each and statement.returns:
        raise step.no("returns", _("a repeated statement returns no values: which one would count?"))


def _check_returns(outcome: Outcome, statement: Statement, earlier: list[Statement], step: Section) -> None:
    taken = {*INPUTS, *outcome.generated, *statement.own_names}
    _check_free("returns", statement.returns, taken, step)
    for name, column in statement.returns.items():
        if column not in statement.parsed.returning:
            raise step.no(f"returns.{name}", _("{column} is not in RETURNING").format(column=column))
        always = [other for other in (*earlier, statement) if name in other.returns and not other.is_optional]
        if len(always) > 1:
            raise step.no(f"returns.{name}", _("two statements return it in every plan; one of them needs a `when`"))
    if statement.returns and (statement.expect.least, statement.expect.most) != (1, 1):
        raise step.no("returns", _("values are returned only by a statement that expects exactly 1 row"))


def _is_before(outcome: Outcome, name: str) -> bool:
    return outcome.kind == "restore" and name.startswith(BEFORE)


def _check_statement(profile: Profile, outcome: Outcome, statement: Statement, step: Section) -> None:
    rule = profile.tables.get(statement.table)
    if rule is None:
        raise step.no("sql", _("there is no section for {table} under [table]").format(table=statement.table))
    _check_action(profile, statement, step)
    check_bare(profile, statement.parsed, step, "sql")
    if statement.parsed.action != "update" and not set(rule.key) <= set(statement.parsed.returning):
        reason = _("it must say RETURNING {key}, so that the rows are known").format(key=", ".join(rule.key))
        raise step.no("sql", reason)
    changed_key = {Column(statement.table, name) for name in rule.key} & statement.parsed.writes
    if statement.parsed.action == "update" and changed_key:
        raise step.no("sql", _("the key {column} is changed").format(column=min(changed_key)))
    if statement.undoes and (outcome.kind != "restore" or statement.undoes not in OUTCOMES):
        raise step.no("undoes", _("it stands only in a restore and names an outcome"))
    hidden = statement.parsed.reads.intersection(profile.secret_columns)
    if hidden:
        raise step.no(
            "sql", _("it reads the secret column {column}; only a new value may be written").format(column=min(hidden))
        )
    _check_random(profile, outcome, statement, step)
    _check_before(profile, outcome, statement, step)


def _check_random(profile: Profile, outcome: Outcome, statement: Statement, step: Section) -> None:
    """A random value is made with the plan and stands in it, so that it can be no secret."""
    random = {name for name, made in outcome.generated.items() if made in RANDOM_GENERATORS} | set(statement.generated)
    for name, assigned in statement.parsed.assigned.items():
        shown, written = sorted(assigned.parameters & random), Column(statement.table, name)
        if shown and written in profile.secret_columns:
            reason = _(
                "{name} stands in the plan for all to see; let PostgreSQL make what goes into the secret {column}"
            )
            raise step.no("sql", reason.format(name=shown[0], column=written))


def _check_action(profile: Profile, statement: Statement, step: Section) -> None:
    parsed = statement.parsed
    if statement.table.schema in {CONSOLE_SCHEMA, "pg_catalog", "information_schema"}:
        raise step.no("sql", _("nothing is written to the schema {schema}").format(schema=statement.table.schema))
    if str(statement.table) == profile.tenant_table and (parsed.action != "update" or not statement.repair):
        raise step.no("sql", _("the tenant table is written only by an UPDATE whose `repair` says why"))
    if parsed.action == "delete" and statement.table not in profile.deletable:
        raise step.no("sql", _("{table} is not listed under [delete] tables").format(table=statement.table))
    if parsed.action == "insert" and (statement.expect.least, statement.expect.most) != (1, 1):
        raise step.no("expect", _("an INSERT expects exactly 1 row"))


def _check_before(profile: Profile, outcome: Outcome, statement: Statement, step: Section) -> None:
    """A value of the before-image must be in the images of the outcome that is undone."""
    for name in sorted(n for n in statement.parsed.parameters if _is_before(outcome, n)):
        undone = profile.outcomes.get(statement.undoes)
        held = profile.image_columns(undone.kind, statement.table) if undone else ()
        if name.removeprefix(BEFORE) not in held:
            raise step.no("sql", _("{name}: no image of the undone outcome holds this column").format(name=name))
