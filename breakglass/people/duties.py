"""Duties: proposed by one person of Security, confirmed by another, ended by one. Nobody gives one to himself."""

from datetime import datetime
from hashlib import sha256

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from audit import clock, events, log
from breakglass.people import news, step_up
from breakglass.people.models import Account, Authenticator, Duty, DutyName, Person
from breakglass.people.refusals import (
    AccountDisabled,
    DutyMissing,
    DutyTaken,
    DutyUnknown,
    PracticeWall,
    SecurityPairNeeded,
    SomebodyWasFaster,
    TwoPeopleNeeded,
)
from breakglass.people.steps import changing, step


@step
def propose(person: Person, name: str, *, by: Account) -> Duty:
    """Propose a duty for somebody else.

    Raises:
        DutyMissing, AccountDisabled, TwoPeopleNeeded, PracticeWall: who proposes may not.
        DutyUnknown, DutyTaken: what is proposed cannot be.
    """
    if name not in DutyName.values:
        raise DutyUnknown
    with changing():
        require_security(by)
        require_other(person, by)
        if person.duties.filter(name=name, ended_at=None).exists():
            raise DutyTaken(person=person.name)
        duty = Duty.objects.create(person=person, name=name, proposed_by=by.person, proposed_at=clock.now())
        log.append(events.DUTY_PROPOSED, by=by.username, person=person.pk, name=person.name, duty=name)
    return duty


@step
def confirm(duty: Duty, *, by: Account, code: str) -> Duty:
    """Confirm a proposed duty with a fresh code.

    Raises:
        DutyMissing, AccountDisabled, TwoPeopleNeeded, PracticeWall: who confirms may not.
        CodeRefused, CodeAlreadyUsed, SignInSlow: see step_up.take.
        SomebodyWasFaster: it is confirmed or ended already.
    """
    check_confirming(duty.person, duty.proposed_by_id, by)
    step_up.take(by, code=code, purpose=step_up.CONFIRM_DUTY, digest=digest(duty))
    with changing():
        check_confirming(duty.person, duty.proposed_by_id, by)
        settle(Duty.objects.select_for_update().get(pk=duty.pk), by=by, at=clock.now())
        said = _("Duty confirmed: {duty}.").format(duty=duty.get_name_display())
        news.tell(person=duty.person, by=by.username, said=said)
        log.append(events.DUTY_CONFIRMED, by=by.username, person=duty.person_id, name=duty.person.name, duty=duty.name)
    duty.refresh_from_db()
    return duty


@step
def end(duty: Duty, *, by: Account) -> Duty:
    """End a duty, or withdraw one that is only proposed. Takes one person, at once; never the last two of Security.

    Raises:
        DutyMissing, AccountDisabled, PracticeWall: who ends it may not.
        SomebodyWasFaster: it is ended already.
        SecurityPairNeeded: nobody could confirm anything afterwards.
    """
    with changing():
        require_security(by)
        require_same_world(duty.person, by)
        duty = Duty.objects.select_for_update().get(pk=duty.pk)
        if duty.ended_at:
            raise SomebodyWasFaster
        if duty.name == DutyName.SECURITY and duty.is_live:
            require_pair_without(duty.person)
        duty.ended_at = clock.now()
        duty.save(update_fields=["ended_at"])
        said = _("Duty ended: {duty}.").format(duty=duty.get_name_display())
        news.tell(person=duty.person, by=by.username, said=said)
        log.append(events.DUTY_ENDED, by=by.username, person=duty.person_id, name=duty.person.name, duty=duty.name)
    return duty


def settle(duty: Duty, *, by: Account, at: datetime) -> None:
    """Mark a proposed duty as confirmed, within the caller's transaction."""
    if duty.confirmed_at or duty.ended_at:
        raise SomebodyWasFaster
    duty.confirmed_by, duty.confirmed_at = by.person, at
    duty.save(update_fields=["confirmed_by", "confirmed_at"])


def digest(duty: Duty) -> str:
    """What a confirmation is bound to: this duty of this person, as it was proposed."""
    return sha256(f"duty {duty.pk}: {duty.name} for person {duty.person_id}".encode()).hexdigest()


def require_security(account: Account) -> None:
    """Read anew whether the account is enabled and its person has the Security duty now."""
    if not Account.objects.filter(pk=account.pk, is_active=True).exists():
        raise AccountDisabled
    if not live(DutyName.SECURITY).filter(person=account.person_id).exists():
        raise DutyMissing(duties=DutyName.SECURITY.label)


def require_other(person: Person, by: Account) -> None:
    """Nobody acts on himself, and nobody across the wall between practice and real people."""
    if person.pk == by.person_id:
        raise TwoPeopleNeeded
    require_same_world(person, by)


def require_same_world(person: Person, by: Account) -> None:
    """Practice people act among practice people only."""
    if person.practice != by.person.practice:
        raise PracticeWall


def check_confirming(person: Person, proposer: int | None, by: Account) -> None:
    """Whether `by` may confirm what `proposer` (a person's key) proposed about `person`."""
    require_security(by)
    require_other(person, by)
    if proposer == by.person_id:
        raise TwoPeopleNeeded


def require_pair_without(person: Person) -> None:
    """Whether two others of Security who can sign in remain. Locks their duties, so that two endings cannot pass each other."""
    usable = Authenticator.objects.filter(
        user__person=OuterRef("person"), user__is_active=True, confirmed=True, retired_at=None
    )
    pairs = (
        live(DutyName.SECURITY).filter(person__practice=person.practice).order_by("pk").select_for_update(of=["self"])
    )
    others = {duty.person_id for duty in pairs.annotate(can_sign_in=Exists(usable)) if duty.can_sign_in} - {person.pk}
    if len(others) < 2:
        raise SecurityPairNeeded


def live(name: str) -> QuerySet[Duty]:
    """The duties of that name that count now."""
    return Duty.objects.filter(name=name, confirmed_at__isnull=False, ended_at=None)
