"""What a profile's statements may do with a new password and its salt: rules that no single section can see."""

from django.utils.translation import gettext as _

from ..hashing.formula_nodes import BYTES
from .columns import Column
from .profile import Outcome, Profile, Statement
from .sections import Section

SECRET = frozenset({"password_hash", "salt"})


def check_password(profile: Profile, root: Section) -> None:
    """Raises the root section's refusal at the first rule that the profile breaks."""
    outcomes = root.each("outcome")
    for kind, outcome in profile.outcomes.items():
        for statement, step in zip(outcome.statements, outcomes[kind].steps("statement"), strict=True):
            _check_columns(profile, statement, step)
        _check_ingredients(profile, outcome, outcomes[kind])
        _check_put_back(profile, outcome, outcomes[kind])


def _check_columns(profile: Profile, statement: Statement, step: Section) -> None:
    """What the console must not show stands only in columns that it does not show."""
    for name, assigned in statement.parsed.assigned.items():
        written = Column(statement.table, name)
        if assigned.parameters & SECRET and written not in profile.secret_columns:
            parameter = min(assigned.parameters & SECRET)
            reason = _("{parameter} is written to {column}, which its table does not list as secret")
            raise step.no("sql", reason.format(parameter=parameter, column=written))


def _check_ingredients(profile: Profile, outcome: Outcome, section: Section) -> None:
    rule, used = profile.password, _used(outcome)
    has_salt = rule.salt is not None and rule.salt.kind != BYTES
    if "salt" in used and not has_salt:
        raise section.no(
            "inputs", _("there is a salt for a column only where [password] salt makes a text for a formula")
        )
    if "salt" in used and "password_hash" not in used:
        raise section.no("statement", _("a new salt is written only together with a new password_hash"))
    if "password_hash" not in used:
        return
    if rule.has_salt_column and "salt" not in used:
        raise section.no(
            "statement", _("the salt cannot be read from the hash: a statement must write %(salt)s as well")
        )
    if rule.formula is not None and "key" in rule.formula.names and outcome.kind == "create":
        raise section.no("statement", _("the formula needs the account's key, which a new account does not have yet"))


def _check_put_back(profile: Profile, outcome: Outcome, section: Section) -> None:
    """An old hash without its old salt would fit no password."""
    if outcome.kind != "restore" or profile.password.column not in outcome.writes:
        return
    statements = (statement for other in profile.outcomes.values() for statement in other.statements)
    salts = {
        Column(statement.table, name)
        for statement in statements
        for name, assigned in statement.parsed.assigned.items()
        if "salt" in assigned.parameters
    }
    left = sorted(salts - outcome.writes)
    if left:
        raise section.no("statement", _("{column} must go back together with the password").format(column=left[0]))


def _used(outcome: Outcome) -> frozenset[str]:
    return frozenset().union(*(statement.parsed.parameters for statement in outcome.statements))
