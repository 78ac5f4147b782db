"""Invitations: how somebody gets a first or a new password and authenticator. Two people of Security, one single-use link."""

import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext as _

from audit import clock, events, log
from breakglass.people import duties, factors, news, step_up
from breakglass.people.models import Account, Duty, DutyName, Invitation, Person
from breakglass.people.refusals import (
    AccountDisabled,
    ApprovalsWait,
    DutyUnknown,
    InvitationDead,
    SomebodyWasFaster,
    UsernameTaken,
)
from breakglass.people.steps import changing, step

LIFE = timedelta(hours=24)
APPROVALS_WAIT = timedelta(hours=1)
Kind = Invitation.Kind


@step
def propose_person(*, name: str, contact: str, username: str, duty_names: Iterable[str], by: Account) -> Invitation:
    """Propose a new person with an account and duties, in the world (practice or real) of who proposes.

    Raises:
        DutyMissing, AccountDisabled: who proposes may not.
        UsernameTaken, DutyUnknown: what is proposed cannot be.
    """
    duty_names = sorted(set(duty_names))
    if not set(duty_names) <= set(DutyName.values):
        raise DutyUnknown
    with changing():
        duties.require_security(by)
        if Account.objects.filter(username__iexact=username).exists():
            raise UsernameTaken(username=username)
        moment = clock.now()
        person = Person.objects.create(name=name, contact=contact, practice=by.person.practice, created_at=moment)
        account = Account(username=username, person=person, created_at=moment)
        account.set_unusable_password()
        account.save()
        for duty in duty_names:
            Duty.objects.create(person=person, name=duty, proposed_by=by.person, proposed_at=moment)
        invitation = _propose(account, Kind.FIRST, by, moment)
        log.append(
            events.ACCOUNT_ADDED, by=by.username, person=person.pk, name=name, account=username, duties=duty_names
        )
    return invitation


@step
def propose_reset(account: Account, *, kind: str, by: Account) -> Invitation:
    """Propose a new password, a new authenticator, or both, for somebody else.

    Raises:
        DutyMissing, AccountDisabled, TwoPeopleNeeded, PracticeWall: who proposes may not.
        AccountDisabled: a disabled account comes back with both new only.
    """
    kind = Kind(kind)
    with changing():
        duties.require_security(by)
        duties.require_other(account.person, by)
        account = Account.objects.select_related("person").get(pk=account.pk)
        if not account.is_active and kind != Kind.BOTH:
            raise AccountDisabled
        invitation = _propose(account, kind, by, clock.now())
        log.append(events.FACTOR_RESET_PROPOSED, by=by.username, account=account.username, kind=kind)
    return invitation


@step
def confirm(invitation: Invitation, *, by: Account, code: str) -> str:
    """Confirm with a fresh code, together with the duties that the same person proposed for a new account.

    Returns: the token of the link. It exists here only; the database keeps its SHA-256.

    Raises:
        DutyMissing, AccountDisabled, TwoPeopleNeeded, PracticeWall: who confirms may not.
        CodeRefused, CodeAlreadyUsed, SignInSlow: see step_up.take.
        SomebodyWasFaster, InvitationDead: it is confirmed already, or was proposed too long ago.
    """
    person = invitation.account.person
    duties.check_confirming(person, invitation.proposed_by_id, by)
    step_up.take(by, code=code, purpose=step_up.CONFIRM_INVITATION, digest=digest(invitation))
    token = secrets.token_urlsafe(32)
    with changing():
        duties.check_confirming(person, invitation.proposed_by_id, by)
        invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
        confirmed = _settle(invitation, token, by)
        username, kind = invitation.account.username, invitation.kind
        said = _("A link was confirmed: {what}.").format(what=invitation.get_kind_display())
        news.tell(person=person, by=by.username, said=said)
        log.append(events.INVITATION_CONFIRMED, by=by.username, account=username, kind=kind, duties=confirmed)
    return token


def find(token: str) -> Invitation:
    """The invitation of a link that still lives.

    Raises:
        InvitationDead: unknown, used, too old, or another one was confirmed since.
    """
    hashed = _sha256(token)
    found = Invitation.objects.select_related("account__person").filter(token_sha256=hashed).first()
    if found is None or not is_alive(found, clock.now()):
        raise InvitationDead
    return found


def is_alive(invitation: Invitation, moment: datetime) -> bool:
    """Whether a confirmed invitation may still be used."""
    if invitation.used_at or moment >= invitation.expires_at:
        return False
    if not invitation.account.is_active and invitation.kind != Kind.BOTH:
        return False
    return not invitation.account.invitations.filter(confirmed_at__gt=invitation.confirmed_at).exists()


def seed_of(token: str) -> bytes:
    """The seed that the link's page shows: derived, so that looking at the page writes nothing and shows the same each time."""
    key = HKDF(SHA256(), 32, salt=None, info=b"breakglass enrolment").derive(settings.SECRET_KEY.encode())
    return hmac.digest(key, token.encode(errors="backslashreplace"), "sha256")[: factors.SEED_BYTES]


def waits_until(person: Person, *, at: datetime) -> datetime | None:
    """Until when a person's approvals waited at that moment because a password or factor was reset; None if they did not."""
    recent = {"used_at__gt": at - APPROVALS_WAIT, "used_at__lte": at}
    resets = Invitation.objects.filter(account__person=person, **recent).exclude(kind=Kind.FIRST)
    latest = resets.order_by("-used_at").values_list("used_at", flat=True).first()
    return latest + APPROVALS_WAIT if latest else None


def check_settled(person: Person, *, at: datetime) -> None:
    """Refuse an approval of somebody whose password or factor was reset a moment ago.

    Raises:
        ApprovalsWait.
    """
    if until := waits_until(person, at=at):
        raise ApprovalsWait(until=f"{until:%H:%M} UTC")


def void_all(account: Account, *, at: datetime) -> None:
    """End every link and proposal of the account, within the caller's transaction."""
    Invitation.objects.filter(account=account, used_at=None, expires_at__gt=at).update(expires_at=at)


def digest(invitation: Invitation) -> str:
    """What a confirmation is bound to: this invitation for this account, and what it renews."""
    said = f"invitation {invitation.pk}: {invitation.kind} for account {invitation.account_id}"
    return sha256(said.encode()).hexdigest()


def _propose(account: Account, kind: str, by: Account, at: datetime) -> Invitation:
    return Invitation.objects.create(account=account, kind=kind, proposed_by=by.person, at=at, expires_at=at + LIFE)


def _settle(invitation: Invitation, token: str, by: Account) -> list[str]:
    moment = clock.now()
    if invitation.confirmed_at:
        raise SomebodyWasFaster
    if moment >= invitation.expires_at:
        raise InvitationDead
    invitation.confirmed_by, invitation.confirmed_at = by.person, moment
    invitation.token_sha256, invitation.expires_at = _sha256(token), moment + LIFE
    invitation.save(update_fields=["confirmed_by", "confirmed_at", "token_sha256", "expires_at"])
    if invitation.kind != Kind.FIRST:
        return []
    proposed = {"proposed_by": invitation.proposed_by_id, "proposed_at": invitation.at}
    waiting = invitation.account.person.duties.filter(**proposed, confirmed_at=None, ended_at=None)
    for duty in waiting:
        duties.settle(duty, by=by, at=moment)
    return sorted(duty.name for duty in waiting)


def _sha256(token: str) -> str:
    return sha256(token.encode(errors="backslashreplace")).hexdigest()
