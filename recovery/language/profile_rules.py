"""What a profile must be as a whole: the rules that no single section can see. A rule stands here once."""

from django.utils.translation import gettext as _

from .columns import CONSOLE_SCHEMA, quoted
from .derived import secrets_view
from .outcome_rules import check_bare, check_outcome
from .profile import Profile, TableRule
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
        check_outcome(profile, outcome, outcomes[kind])


def _check_tables(profile: Profile, root: Section) -> None:
    tenant = [("tenant.table", profile.tenant.table)] if profile.tenant else []
    for key, table in (("accounts", profile.accounts), *tenant):
        if table not in profile.tables:
            raise root.no(key, _("there is no section for {table} under [table]").format(table=table))
    if profile.password.column.table not in profile.tables:
        raise root.no("password.column", _("there is no section for this table under [table]"))
    if profile.password.column not in profile.secret_columns:
        raise root.no("password.column", _("it must be listed as secret by its table"))
    if profile.tenant and profile.tenant.table in profile.deletable:
        raise root.no("delete.tables", _("a tenant is never deleted"))
    for rule in profile.tables.values():
        _check_names(rule, root)
    names = [rule.table.name for rule in profile.tables.values() if rule.secret]
    if len(set(names)) != len(names):
        raise root.no("table", _("two tables with secret columns have the same name in two schemas"))


def _check_names(rule: TableRule, root: Section) -> None:
    """Names as PostgreSQL keeps them, those in the view of secrets as well, and no secret among what is shown."""
    place = f"table.{rule.table.name}"
    views = [secrets_view(rule.table).name] if rule.secret else []
    hidden = [f"{name}_{ending}" for name in rule.secret for ending in ("is_set", "prefix", "stamp")]
    with root.reading(place):
        for name in (*rule.key, rule.label, *rule.shows, *rule.volatile, *views, *hidden):
            quoted(name)
    clash = rule.secret.intersection((*rule.key, *rule.shows, rule.label))
    if clash:
        raise root.no(place, _("{name} is secret and cannot be shown").format(name=min(clash)))


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
            raise root.no(query.place, reason)
        check_bare(profile, query.parsed, root, query.place)
        unknown = {t for t in query.parsed.tables if t.schema == CONSOLE_SCHEMA} - views
        if unknown:
            raise root.no(query.place, _("there is no view {view}").format(view=min(unknown)))
    if profile.password.pepper is not None:
        check_bare(profile, profile.password.pepper.parsed, root, profile.password.pepper.place)
