"""Takes away what was opened: temporary logins by the platform's own word, network rules and secrets by their owners."""

from datetime import date, timedelta

from django.db.models import Exists, OuterRef

from audit import clock, events, log
from breakglass.people.models import Account, DutyName
from breakglass.people.step_up import WAIVE, StepUp
from breakglass.procedure import colleagues, standing, texts
from breakglass.procedure.change_refusals import (
    ItemAlreadyFinished,
    LoginIsProvenByMachine,
    RevocationOpen,
    WaiverBySomebodyElse,
    WaiverNeedsAnEnd,
)
from breakglass.procedure.models import Approval, Incident, Participant, Plan, RevocationItem
from breakglass.procedure.states import State
from breakglass.procedure.steps import recorded, step, username
from recovery import platforms
from recovery.doors import openings
from recovery.models import Access

Kind = RevocationItem.Kind
REVOCABLE = (State.EXECUTED, State.PROVEN)
LONGEST_WAIVER = timedelta(days=365)


@step
def prepare(incident: Incident, *, by: Account | str) -> list[RevocationItem]:
    """One item for each temporary login of the incident, and each network rule and secret of the platform's configuration.

    Asking again adds what is new and changes nothing else. Secrets must be rotated when exposure is suspected.
    """
    incident = _locked(incident)
    known = {(item.kind, item.title) for item in incident.revocation_items.all()}
    now = clock.now()
    added = [
        RevocationItem.objects.create(
            incident=incident, kind=kind, title=title, owner=owner, mandatory=kind != Kind.SECRET, at=now
        )
        for kind, title, owner in _wanted(incident)
        if (kind, title) not in known
    ]
    if added:
        named = [{"kind": item.kind, "title": item.title, "owner": item.owner} for item in added]
        name = username(by)
        log.append(events.REVOCATION_ITEM_ADDED, by=name, incident=incident.reference, items=named)
    return items(incident)


def _wanted(incident: Incident) -> list[tuple[str, str, str]]:
    platform = platforms.get(incident.platform)
    return [
        *((Kind.LOGIN, opened.title, _closer(opened)) for opened in logins(incident)),
        *((Kind.NETWORK, rule.title, rule.owner) for rule in platform.network),
        *((Kind.SECRET, secret.title, secret.owner) for secret in platform.secrets),
    ]


def _closer(opened: Access) -> str:
    """Who takes a temporary login away."""
    return "database administrator" if opened.is_premade else "console"


def logins(incident: Incident) -> list[Access]:
    """The temporary logins that runs of the incident asked for, oldest first."""
    opened = Access.objects.select_related("run").filter(run__incident=incident.reference)
    return list(opened.order_by("requested_at"))


def login_of(item: RevocationItem) -> Access:
    """The temporary login that an item is about."""
    return next(opened for opened in logins(item.incident) if opened.title == item.title)


def items(incident: Incident) -> list[RevocationItem]:
    return list(incident.revocation_items.select_related("done_by", "waived_by", "incident"))


def is_finished(item: RevocationItem) -> bool:
    return item.done_at is not None or item.waived_at is not None


def is_mandatory(item: RevocationItem) -> bool:
    """Everything but secrets; secrets too when exposure is suspected, also if the suspicion came later."""
    return item.mandatory or item.incident.exposure_suspected


def check_login(item: RevocationItem, *, by: Account | str) -> RevocationItem:
    """Ask the platform once more whether a temporary login is gone, closing it if need be, and keep its answer.

    Raises:
        AccessNotProven: it is still there. PlatformRefused: the platform does not answer.
    """
    opened = login_of(item)
    if opened.proven_at is None:
        with recorded("revocation.check_login", item, by=by):
            opened = openings.close(opened, by=username(by))
    return item if is_finished(item) else _login_done(item, by=by, output=opened.proof)


@step
def _login_done(item: RevocationItem, *, by: Account | str, output: str) -> RevocationItem:
    incident = _locked(item.incident)
    account = None if isinstance(by, str) else by
    _finish_item(item, done_at=clock.now(), done_by=account, output=output)
    name = username(by)
    log.append(events.REVOCATION_ITEM_DONE, by=name, incident=incident.reference, item=item.title, kind=item.kind)
    return item


@step
def done(item: RevocationItem, *, by: Account, output: str) -> RevocationItem:
    """Record that a network rule is gone or a secret rotated, with the machine's own output or the owner's words.

    Raises:
        LoginIsProvenByMachine, ItemAlreadyFinished, TextMissing, NotNow
    """
    incident = _locked(item.incident)
    if item.kind == Kind.LOGIN:
        raise LoginIsProvenByMachine
    texts.require(output=output)
    colleagues.take_part(incident, by=by, part=Participant.Part.TOOK_OVER)
    _finish_item(item, done_at=clock.now(), done_by=by, output=output)
    log.append(
        events.REVOCATION_ITEM_DONE,
        by=by.username,
        incident=incident.reference,
        item=item.title,
        kind=item.kind,
        output=output,
    )
    return item


@step(step_up=WAIVE)
def waive(item: RevocationItem, *, by: Account, step_up: StepUp, reason: str, until: date) -> RevocationItem:
    """Put an item off until a day. Only Security, only somebody without part in the incident; called with `code=`.

    Raises:
        DutyMissing, WaiverBySomebodyElse, WaiverNeedsAnEnd, LoginIsProvenByMachine, ItemAlreadyFinished, TextMissing
    """
    incident = _locked(item.incident)
    if item.kind == Kind.LOGIN:
        raise LoginIsProvenByMachine
    colleagues.require(by, DutyName.SECURITY, practice=incident.practice)
    if had_part(incident, by):
        raise WaiverBySomebodyElse
    texts.require(reason=reason)
    now = clock.now()
    if not now.date() < until <= now.date() + LONGEST_WAIVER:
        raise WaiverNeedsAnEnd
    _finish_item(item, waived_at=now, waived_by=by, waived_reason=reason, waived_until=until)
    log.append(
        events.REVOCATION_ITEM_WAIVED,
        by=by.username,
        incident=incident.reference,
        item=item.title,
        kind=item.kind,
        reason=reason,
        until=until.isoformat(),
    )
    return item


def had_part(incident: Incident, account: Account) -> bool:
    """Whether the account's person worked on the incident, approved a plan of it or would hold the account."""
    own = {"incident": OuterRef("pk"), "person": account.person_id}
    worked, approved = Participant.objects.filter(**own), Approval.objects.filter(**own)
    would_hold = Plan.objects.filter(incident=OuterRef("pk"), beneficiary=account.person_id)
    return Incident.objects.filter(Exists(worked) | Exists(approved) | Exists(would_hold), pk=incident.pk).exists()


@step
def finish(incident: Incident, *, by: Account) -> Incident:
    """Everything is taken away or waived: the incident is revoked.

    Raises:
        RevocationOpen: it names what is left. NotNow: nothing was changed yet, or it is done already.
    """
    incident = _locked(incident)
    left = open_titles(incident)
    if left:
        raise RevocationOpen(count=len(left), titles=", ".join(left))
    colleagues.take_part(incident, by=by, part=Participant.Part.TOOK_OVER)
    standing.move(incident, State.REVOKED)
    log.append(events.REVOCATION_FINISHED, by=by.username, incident=incident.reference)
    return incident


def open_titles(incident: Incident) -> list[str]:
    """What still has to be taken away, items that nobody has prepared yet among it."""
    known = items(incident)
    unprepared = [
        wanted for wanted in _wanted(incident) if wanted[:2] not in {(item.kind, item.title) for item in known}
    ]
    return [item.title for item in known if is_mandatory(item) and not is_finished(item)] + [
        title for _kind, title, _owner in unprepared
    ]


def _locked(incident: Incident) -> Incident:
    incident = standing.lock(incident)
    standing.require_state(incident, *REVOCABLE)
    return incident


def _finish_item(item: RevocationItem, **facts: object) -> None:
    changed = RevocationItem.objects.filter(pk=item.pk, done_at=None, waived_at=None).update(**facts)
    if changed != 1:
        raise ItemAlreadyFinished(title=item.title)
    item.refresh_from_db()
