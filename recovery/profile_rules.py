"""What a profile must be as a whole: the rules that no single section can see. A rule stands here once."""

from django.utils.translation import gettext as _

from .columns import CONSOLE_SCHEMA, Column
from .derived import secrets_view
from .profile import BEFORE, GENERATORS, INPUTS, OUTCOMES, Outcome, Profile, Statement
from .sections import Section

REQUIRED = ("create", "reset", "enable", "disable")


def check(profile: Profile, root: Section) -> None:
    """Raises the root section's refusal at the first rule that the profile breaks."""
    _check_tables(profile, root)
    _check_readable(profile, root)
    outcomes = root.each("outcome")
    for kind in REQUIRED:
        if kind not in profile.outcomes:
            raise root.no(f"outcome.{kind}", _("it is missing"))
    for kind, outcome in profile.outcomes.items():
        _check_outcome(profile, outcome, outcomes[kind])


def _check_tables(profile: Profile, root: Section) -> None:
    for key, table in (("accounts", profile.accounts), ("tenant.table", profile.tenant.table)):
        if table not in profile.tables:
            raise root.no(key, _("there is no section for {table} under [table]").format(table=table))
    if profile.password.column.table not in profile.tables:
        raise root.no("password.column", _("there is no section for this table under [table]"))
    if profile.password.column not in profile.secret_columns:
        raise root.no("password.column", _("it must be listed as secret by its table"))
    if profile.tenant.table in profile.deletable:
        raise root.no("delete.tables", _("a tenant is never deleted"))
    for rule in profile.tables.values():
        clash = rule.secret.intersection((*rule.key, *rule.shows, rule.label))
        if clash:
            raise root.no(f"table.{rule.table.name}", _("{name} is secret and cannot be shown").format(name=min(clash)))
    names = [rule.table.name for rule in profile.tables.values() if rule.secret]
    if len(set(names)) != len(names):
        raise root.no("table", _("two tables with secret columns have the same name in two schemas"))


def _check_readable(profile: Profile, root: Section) -> None:
    """The reader never sees a secret column: queries take is-set, scheme and stamp from the views."""
    views = {secrets_view(rule.table) for rule in profile.tables.values() if rule.secret}
    for query in profile.queries:
        hidden = query.parsed.reads.intersection(profile.secret_columns)
        if hidden:
            view = secrets_view(min(hidden).table)
            reason = _("a query reads the secret column {column}; read {view} instead").format(
                column=min(hidden), view=view
            )
            raise root.no("sql", reason)
        unknown = {t for t in query.parsed.tables if t.schema == CONSOLE_SCHEMA} - views
        if unknown:
            raise root.no("sql", _("there is no view {view}").format(view=min(unknown)))


def _check_outcome(profile: Profile, outcome: Outcome, section: Section) -> None:
    if not outcome.statements:
        raise section.no("statement", _("at least one statement is needed"))
    _check_inputs(outcome, section)
    known = set(outcome.inputs) | set(outcome.generated)
    names: set[str] = set()
    for statement, step in zip(outcome.statements, section.steps("statement"), strict=True):
        if statement.name in names:
            raise step.no("name", _("two statements have the same name"))
        names.add(statement.name)
        _check_statement(profile, outcome, statement, step)
        unknown = sorted(name for name in statement.parsed.parameters - known if not _is_before(outcome, name))
        if unknown:
            raise step.no(
                "sql", _("the parameter {name} is neither an input nor returned before").format(name=unknown[0])
            )
        known.update(statement.returns)


def _check_inputs(outcome: Outcome, section: Section) -> None:
    unknown = sorted(set(outcome.inputs) - INPUTS)
    if unknown:
        known = ", ".join(sorted(INPUTS))
        raise section.no("inputs", _("{name} is not known; known are {known}").format(name=unknown[0], known=known))
    if outcome.kind != "create" and "key" not in outcome.inputs:
        raise section.no("inputs", _("key is missing: the account that is meant"))
    for name, generator in outcome.generated.items():
        if generator not in GENERATORS:
            known = ", ".join(sorted(GENERATORS))
            raise section.no(f"generate.{name}", _("it must be one of {known}").format(known=known))


def _is_before(outcome: Outcome, name: str) -> bool:
    return outcome.kind == "restore" and name.startswith(BEFORE)


def _check_statement(profile: Profile, outcome: Outcome, statement: Statement, step: Section) -> None:
    rule = profile.tables.get(statement.table)
    if rule is None:
        raise step.no("sql", _("there is no section for {table} under [table]").format(table=statement.table))
    _check_action(profile, statement, step)
    if statement.parsed.action != "update" and not set(rule.key) <= set(statement.parsed.returning):
        reason = _("it must say RETURNING {key}, so that the rows are known").format(key=", ".join(rule.key))
        raise step.no("sql", reason)
    for name, column in statement.returns.items():
        if column not in statement.parsed.returning:
            raise step.no(f"returns.{name}", _("{column} is not in RETURNING").format(column=column))
    if statement.returns and (statement.expect.least, statement.expect.most) != (1, 1):
        raise step.no("returns", _("values are returned only by a statement that expects exactly 1 row"))
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
    _check_before(profile, outcome, statement, step)


def _check_action(profile: Profile, statement: Statement, step: Section) -> None:
    parsed, tenant = statement.parsed, profile.tenant.table
    if statement.table.schema in {CONSOLE_SCHEMA, "pg_catalog", "information_schema"}:
        raise step.no("sql", _("nothing is written to the schema {schema}").format(schema=statement.table.schema))
    if statement.table == tenant and (parsed.action != "update" or not statement.repair):
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
