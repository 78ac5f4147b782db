"""Whether a platform is ready whose database administrator opens the login, or runs the script, by hand. It only reads."""

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .bastion import paper_values
from .bastion.paper_refusals import NotForPaper
from .database import Session
from .doors import premade_role
from .language import rights
from .language.profile import Profile

STANDS = {
    "doors": gettext_lazy("The console opens its access through doors, each time for a mandate of the keeper."),
    "premade": gettext_lazy("The database administrator opens and closes the console's login by printed statements."),
    "paper": gettext_lazy("The console changes nothing itself: the database administrator runs a printed script."),
}


def of_premade(session: Session, database_name: str) -> Iterator[str]:
    """The pre-made role is there, closed and harmless."""
    role = rights.premade(database_name)
    faults = premade_role.faults_when_closed(premade_role.look(session, role))
    if faults:
        sentence = _("The login {role} is not as it should be while no access is open: {why}. {remedy}")
        remedy = _("Let the database administrator run the script of: platform grants.")
        yield sentence.format(role=role, why="; ".join(faults), remedy=remedy)


def of_paper(profile: Profile, kinds: Iterable[str]) -> Iterator[str]:
    """Every statement can stand in a script for psql."""
    for kind in kinds:
        for statement in profile.outcomes[kind].statements:
            try:
                paper_values.check(statement.sql)
            except NotForPaper as refusal:
                yield _("“{name}” cannot be written as a script: {why}. Correct the profile.").format(
                    name=statement.name, why=refusal.facts["why"]
                )
