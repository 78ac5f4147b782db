"""Who works on an incident: what a person must have to do a step, and how doing one makes a participant."""

from datetime import datetime

from audit import clock, events, log
from breakglass.people.models import LIVE, Account, DutyName, Person
from breakglass.procedure import texts
from breakglass.procedure.choice_refusals import ContactOfAnother
from breakglass.procedure.models import Choice, Incident, Participant
from breakglass.procedure.policy import Somebody
from breakglass.procedure.refusals import (
    AccountDisabled,
    BeneficiaryMayNotTakePart,
    DutyMissing,
    PracticeMeetsReal,
)
from breakglass.procedure.states import BEFORE_RUN

Part = Participant.Part


def somebody(account: Account) -> Somebody:
    """The human behind an account as the rules see one; duties and account as they are in the database now.

    Raises:
        AccountDisabled: somebody switched the account off since the page was loaded.
    """
    fresh = Account.objects.select_related("person").filter(pk=account.pk, is_active=True).first()
    if fresh is None:
        raise AccountDisabled
    live = fresh.person.duties.filter(LIVE)
    return Somebody(fresh.person_id, frozenset(live.values_list("name", flat=True)), fresh.person.practice)


def require(account: Account, *duties: str, practice: bool) -> Somebody:
    """Somebody with one of the duties (any duty if none is named), practice or real as the platform is.

    Raises:
        AccountDisabled, DutyMissing, PracticeMeetsReal
    """
    found = somebody(account)
    wanted = duties or tuple(DutyName.values)
    if found.duties.isdisjoint(wanted):
        raise DutyMissing(duties=", ".join(str(DutyName(name).label) for name in wanted))
    if found.practice != practice:
        raise PracticeMeetsReal
    return found


def take_part(incident: Incident, *, by: Account, part: str = Part.TOOK_OVER) -> None:
    """Make somebody a participant, inside a step and on a locked incident. Who is one already stays as they are.

    Raises:
        AccountDisabled, DutyMissing, PracticeMeetsReal, BeneficiaryMayNotTakePart
        ApproverMayNotTakePart: from the database, when the person approved the plan that is about to run.
    """
    found = require(by, practice=incident.practice)
    if found.key == beneficiary_before_run(incident):
        raise BeneficiaryMayNotTakePart
    own = Participant.objects.filter(incident=incident, person_id=found.key)
    if own.filter(part=part).exists() or (part == Part.TOOK_OVER and own.exists()):
        return
    at = clock.now()
    record_part(incident, by=by, part=part, at=at)
    if part == Part.TOOK_OVER:
        log.append(events.INCIDENT_HANDED_OVER, by=by.username, incident=incident.reference, to=by.username)


def record_part(incident: Incident, *, by: Account, part: str, at: datetime) -> Participant:
    """Write the row that says so. Steps call take_part instead."""
    return Participant.objects.create(incident=incident, account=by, person_id=by.person_id, part=part, at=at)


def beneficiary_before_run(incident: Incident) -> int | None:
    """The person who is to receive the account, as long as nothing has been changed; then None."""
    if incident.state not in BEFORE_RUN:
        return None
    return Choice.objects.filter(incident=incident).order_by("-id").values_list("beneficiary_id", flat=True).first()


def participants(incident: Incident) -> frozenset[int]:
    """The persons who took part, by key."""
    return frozenset(Participant.objects.filter(incident=incident).values_list("person_id", flat=True))


def known_person(name: str, contact: str, *, practice: bool) -> Person | None:
    """The person whom the console already knows by this contact or name, so that nobody becomes a second human.

    Raises:
        ContactOfAnother: somebody of another name is known by this contact. Neither may be taken for the other: it may be
            a participant under a second name, or somebody else at the same switchboard.
    """
    wanted = texts.folded(name)
    people = list(Person.objects.filter(practice=practice).order_by("id"))
    reached = [found for found in people if texts.folded(found.contact) == texts.folded(contact)]
    namesakes = [found for found in reached or people if texts.folded(found.name) == wanted]
    if reached and not namesakes:
        raise ContactOfAnother(name=", ".join(found.name for found in reached))
    return next(iter(namesakes), None)
