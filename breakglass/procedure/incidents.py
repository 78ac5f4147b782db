"""Opens an incident and ends what is not needed. Diagnosis and outcome stand in outcomes, and are called from here too."""

from datetime import datetime

from django.utils.translation import gettext as _

from audit import clock, events, log
from breakglass.people.models import Account
from breakglass.procedure import colleagues, messages, texts, waiting, window_ends
from breakglass.procedure.colleagues import Part, take_part
from breakglass.procedure.models import Incident, Trigger
from breakglass.procedure.outcomes import choose, diagnose, override
from breakglass.procedure.refusals import FollowsAnother, TriggerUnknown
from breakglass.procedure.standing import lock, move, require_no_run, require_state
from breakglass.procedure.states import BEFORE_RUN, FINAL, State
from breakglass.procedure.steps import recorded, step
from recovery import database, platforms
from recovery.platforms import Platform

__all__ = [
    "abandon",
    "choose",
    "diagnose",
    "lock",
    "move",
    "open",
    "override",
    "require_no_run",
    "require_state",
    "suspect_exposure",
    "take_part",
]


def open(
    *, by: Account, platform: str, trigger: str, ticket: str, reason: str, follows: Incident | None = None
) -> Incident:
    """Open an incident on a platform. Anybody with a duty may; the platform's owners are told.

    Args:
        platform: the name in the platform file.
        follows: a closed or abandoned incident on the same platform.

    Raises:
        DutyMissing, PracticeMeetsReal, TextMissing, TriggerUnknown, FollowsAnother, and kinds of recovery's refusals:
        UnknownPlatform, TicketRefused, PlatformUnreachable (the incident is bound to the physical database that answers).
    """
    ticket, reason = ticket.strip(), reason.strip()
    with recorded("incidents.open", by=by):
        texts.check(platform=platform, trigger=trigger, ticket=ticket, reason=reason)
        texts.require(ticket=ticket, reason=reason)
        if trigger not in Trigger.values:
            raise TriggerUnknown
        place = platforms.get(platform)
        colleagues.require(by, practice=place.practice)
        place.check_ticket(ticket)
        _check_followed(follows, place)
        with database.reading(place, place.profile) as session:
            identity = database.identity(session)
    said = {"trigger": trigger, "ticket": ticket, "reason": reason, "follows": follows}
    return _open(by=by, place=place, identity=identity, said=said)


@step
def _open(*, by: Account, place: Platform, identity: database.Identity, said: dict[str, object]) -> Incident:
    at = clock.now()  # also puts all who open into a line, so that references have no gap
    incident = Incident.objects.create(
        reference=_next_reference(at),
        platform=place.name,
        practice=place.practice,
        system_identifier=identity.system_identifier,
        database_name=identity.database_name,
        requester_account=by,
        requester_person_id=by.person_id,
        opened_at=at,
        **said,
    )
    colleagues.record_part(incident, by=by, part=Part.REQUESTED, at=at)
    _tell_owners(incident, place)
    log.append(
        events.INCIDENT_OPENED,
        by=by.username,
        incident=incident.reference,
        platform=place.name,
        platforms_file=place.digest,
        system_identifier=identity.system_identifier,
        database_name=identity.database_name,
        trigger=incident.trigger,
        ticket=incident.ticket,
        reason=incident.reason,
        follows=incident.follows.reference if incident.follows else "",
    )
    return incident


def _check_followed(follows: Incident | None, place: Platform) -> None:
    if follows is not None and (follows.state not in FINAL or follows.platform != place.name):
        raise FollowsAnother(reference=follows.reference)


def _next_reference(at: datetime) -> str:
    prefix = f"BG-{at.year}-"
    last = (
        Incident.objects.filter(reference__startswith=prefix)
        .order_by("-id")
        .values_list("reference", flat=True)
        .first()
    )
    number = int(last.removeprefix(prefix)) + 1 if last else 1
    return f"{prefix}{number:04d}"


def _tell_owners(incident: Incident, place: Platform) -> None:
    body = _(
        "{who} opened break-glass incident {reference} for {platform}, ticket {ticket}: {reason}\n"
        "To be told: {owners}. If you can sign in to {platform}, say so now: then this is not needed."
    ).format(
        who=incident.requester_account.username,
        reference=incident.reference,
        platform=place.title,
        ticket=incident.ticket,
        reason=incident.reason,
        owners=", ".join(place.owner_notice) or _("everybody on this channel"),
    )
    subject = _("{reference}: break-glass on {platform}").format(reference=incident.reference, platform=place.title)
    messages.tell(messages.Kind.OWNERS_TOLD, incident=incident, subject=subject, body=body)


@step
def abandon(incident: Incident, *, by: Account, reason: str) -> Incident:
    """End an incident that changed nothing; an open window ends with it. Final.

    Raises:
        RunUnderWay: a run changed the platform, or may have.
        AccessStillOpen: a login that a person opened by hand is not proven closed.
        NotNow, TextMissing, DutyMissing
    """
    incident = lock(incident)
    require_state(incident, *BEFORE_RUN)
    texts.require(reason=reason)
    require_no_run(incident)
    waiting.require_closed(incident)
    take_part(incident, by=by, part=Part.TOOK_OVER)
    at = clock.now()
    window_ends.end_now(incident, by=by, at=at, why="the incident was abandoned")
    move(incident, State.ABANDONED, closed_at=at)
    incident.closed_at = at
    log.append(events.INCIDENT_ABANDONED, by=by.username, incident=incident.reference, reason=reason.strip())
    return incident


@step
def suspect_exposure(incident: Incident, *, by: Account) -> Incident:
    """Somebody suspects that credentials leaked: rotating them becomes mandatory. Never taken back; makes nobody a participant.

    Raises:
        IncidentFinal, DutyMissing
    """
    incident = lock(incident)
    require_state(incident)
    colleagues.require(by, practice=incident.practice)
    clock.now()
    if Incident.objects.filter(pk=incident.pk, exposure_suspected=False).update(exposure_suspected=True):
        log.append(events.EXPOSURE_SUSPECTED, by=by.username, incident=incident.reference)
    incident.exposure_suspected = True
    return incident
