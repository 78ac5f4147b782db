"""Duties, accounts and links: it takes two people of Security, and the database holds to that by itself."""

from datetime import timedelta

import pytest
from django.db import connections

from audit import clock, events
from audit.models import Entry
from breakglass.people import accounts, duties, enrolment, factors, invitations, totp
from breakglass.people.invitations import Kind
from breakglass.people.models import Account, Invitation
from breakglass.people.refusals import (
    AccountDisabled,
    ApprovalsWait,
    CodeAlreadyUsed,
    CodeRefused,
    DutyMissing,
    DutyTaken,
    DutyUnknown,
    InvitationDead,
    PasswordsDiffer,
    PasswordUnfit,
    PracticeWall,
    SecurityPairNeeded,
    SignInRefused,
    SomebodyWasFaster,
    TwoPeopleNeeded,
    UsernameTaken,
)
from breakglass.procedure.models import Message
from tests import builders, cast

pytestmark = pytest.mark.django_db

PASSWORD = "a quiet harbour at dawn"


@pytest.fixture
def people():
    return cast.everybody()


def proposed(people, name="ops"):
    return duties.propose(people.mallory.person, name, by=people.sam)


def live_duties(account: Account) -> set[str]:
    return {duty.name for duty in account.person.duties.all() if duty.is_live}


def new_link(people) -> str:
    invitation = invitations.propose_person(
        name="Nora New", contact="nora@example.org", username="nora", duty_names=["ops"], by=people.sam
    )
    return invitations.confirm(invitation, by=people.simone, code=cast.code_for(people.simone))


def reset_link(people, kind: Kind) -> str:
    invitation = invitations.propose_reset(people.erin, kind=kind, by=people.sam)
    return invitations.confirm(invitation, by=people.simone, code=cast.code_for(people.simone))


def code_of(token: str) -> str:
    return totp.code(invitations.seed_of(token), totp.step_at(clock.now()))


def test_proposed_duty_does_not_count(people):
    proposed(people)

    assert live_duties(people.mallory) == set()


def test_duty_counts_when_another_confirms(people):
    duties.confirm(proposed(people), by=people.simone, code=cast.code_for(people.simone))

    assert live_duties(people.mallory) == {"ops"}
    assert Entry.objects.filter(event=events.DUTY_CONFIRMED, by="simone").count() == 1


def test_proposer_cannot_confirm(people):
    with pytest.raises(TwoPeopleNeeded):
        duties.confirm(proposed(people), by=people.sam, code=cast.code_for(people.sam))

    assert live_duties(people.mallory) == set()


def test_nobody_proposes_or_confirms_for_himself(people):
    with pytest.raises(TwoPeopleNeeded):
        duties.propose(people.sam.person, "ops", by=people.sam)
    duty = duties.propose(people.simone.person, "ops", by=people.sam)
    with pytest.raises(TwoPeopleNeeded):
        duties.confirm(duty, by=people.simone, code=cast.code_for(people.simone))


@pytest.mark.parametrize("who", ["olivia", "erin", "connie", "mallory"])
def test_only_security_proposes_confirms_and_ends(people, who):
    account, duty = getattr(people, who), proposed(people)

    with pytest.raises(DutyMissing):
        duties.propose(people.omar.person, "security", by=account)
    with pytest.raises(DutyMissing):
        duties.confirm(duty, by=account, code=cast.code_for(account))
    with pytest.raises(DutyMissing):
        duties.end(duty, by=account)


def test_refusal_is_recorded(people):
    with pytest.raises(DutyMissing):
        duties.propose(people.omar.person, "security", by=people.mallory)

    entry = Entry.objects.get(event=events.STEP_REFUSED).fields
    assert (entry["by"], entry["step"], entry["refusal"]) == ("mallory", "duties.propose", "duty_missing")


def test_disabled_security_confirms_nothing(people):
    duty, code = proposed(people), cast.code_for(people.simone)
    Account.objects.filter(pk=people.simone.pk).update(is_active=False)

    with pytest.raises(AccountDisabled):
        duties.confirm(duty, by=people.simone, code=code)


def test_wrong_code_confirms_nothing(people):
    with pytest.raises(CodeRefused):
        duties.confirm(proposed(people), by=people.simone, code="000000")

    assert live_duties(people.mallory) == set()


def test_second_press_on_confirm_is_refused_and_its_code_stays_spent(people):
    duty, second = proposed(people), cast.code_for(people.simone)
    duties.confirm(duty, by=people.simone, code=cast.code_for(people.simone))

    with pytest.raises(SomebodyWasFaster):
        duties.confirm(duty, by=people.simone, code=second)
    with pytest.raises(CodeAlreadyUsed):
        factors.verify(people.simone, second)


def test_duty_is_given_once_and_again_after_its_end(people):
    duty = proposed(people)
    with pytest.raises(DutyTaken):
        proposed(people)
    duties.end(duty, by=people.sam)

    assert proposed(people).pk != duty.pk


def test_unknown_duty_is_refused(people):
    with pytest.raises(DutyUnknown):
        proposed(people, "king")


def test_ended_duty_counts_no_more_and_its_history_stays(people):
    duty = people.erin.person.duties.get()

    duties.end(duty, by=people.sam)

    assert live_duties(people.erin) == set()
    assert duty.history.count() == 2


def test_last_two_of_security_stay(people):
    for account in (people.sam, people.simone):
        cast.authenticator_of(account)

    with pytest.raises(SecurityPairNeeded):
        duties.end(people.simone.person.duties.get(), by=people.sam)
    with pytest.raises(SecurityPairNeeded):
        accounts.disable(people.simone, by=people.sam)


def test_third_of_security_can_go(people):
    third = cast.person("tess", ["security"])
    for account in (people.sam, people.simone):
        cast.authenticator_of(account)

    duties.end(third.person.duties.get(), by=people.sam)

    assert live_duties(third) == set()


def test_practice_people_give_nothing_to_real_ones(people):
    pete = cast.person("pete", ["security"], practice=True)

    with pytest.raises(PracticeWall):
        duties.propose(people.mallory.person, "ops", by=pete)
    with pytest.raises(PracticeWall):
        duties.confirm(proposed(people), by=pete, code=cast.code_for(pete))


def test_new_person_sets_password_and_authenticator_by_link(people):
    token = new_link(people)

    account = enrolment.accept(token, password=PASSWORD, repeated=PASSWORD, code=code_of(token))

    assert account.check_password(PASSWORD)
    assert len(factors.live(account)) == 1
    assert live_duties(account) == {"ops"}


def test_link_works_once(people):
    token = new_link(people)
    enrolment.accept(token, password=PASSWORD, repeated=PASSWORD, code=code_of(token))

    with pytest.raises(InvitationDead):
        enrolment.accept(token, password=PASSWORD, repeated=PASSWORD, code=code_of(token))


def test_wrong_code_leaves_the_link_alive_and_nothing_set(people):
    token = new_link(people)

    with pytest.raises(CodeRefused):
        enrolment.accept(token, password=PASSWORD, repeated=PASSWORD, code="000000")

    account = Account.objects.get(username="nora")
    assert not account.has_usable_password()
    assert invitations.find(token).account == account


@pytest.mark.parametrize(
    ("password", "repeated", "refusal"),
    [
        ("short", "short", PasswordUnfit),
        ("password1234", "password1234", PasswordUnfit),
        (PASSWORD, "", PasswordsDiffer),
    ],
)
def test_unfit_password_is_refused(people, password, repeated, refusal):
    token = new_link(people)

    with pytest.raises(refusal):
        enrolment.accept(token, password=password, repeated=repeated, code=code_of(token))


def test_database_keeps_no_token(people):
    token = new_link(people)

    assert token not in str(Invitation.objects.values())
    assert token not in "".join(Entry.objects.values_list("entry", flat=True))


def test_unconfirmed_invitation_has_no_link(people):
    invitation = invitations.propose_person(name="N", contact="n", username="nora", duty_names=[], by=people.sam)

    assert invitation.token_sha256 is None
    with pytest.raises(InvitationDead):
        invitations.find("")


def test_proposer_cannot_confirm_the_invitation(people):
    invitation = invitations.propose_reset(people.erin, kind=Kind.BOTH, by=people.sam)

    with pytest.raises(TwoPeopleNeeded):
        invitations.confirm(invitation, by=people.sam, code=cast.code_for(people.sam))


def test_nobody_resets_himself_alone_or_with_help(people):
    with pytest.raises(TwoPeopleNeeded):
        invitations.propose_reset(people.sam, kind=Kind.FACTOR, by=people.sam)
    invitation = invitations.propose_reset(people.sam, kind=Kind.FACTOR, by=people.simone)
    with pytest.raises(TwoPeopleNeeded):
        invitations.confirm(invitation, by=people.sam, code=cast.code_for(people.sam))


def test_new_authenticator_needs_the_present_password_and_retires_the_old_one(people):
    people.erin.set_password(PASSWORD)
    people.erin.save(update_fields=["password"])
    old, token = cast.authenticator_of(people.erin), reset_link(people, Kind.FACTOR)

    with pytest.raises(SignInRefused):
        enrolment.accept(token, password="wrong", code=code_of(token))
    enrolment.accept(token, password=PASSWORD, code=code_of(token))

    old.refresh_from_db()
    assert not old.confirmed
    assert old.retired_at
    assert len(factors.live(people.erin)) == 1


def test_new_password_needs_the_present_authenticator(people):
    token = reset_link(people, Kind.PASSWORD)

    with pytest.raises(CodeRefused):
        enrolment.accept(token, password=PASSWORD, repeated=PASSWORD, code=code_of(token))
    account = enrolment.accept(token, password=PASSWORD, repeated=PASSWORD, code=cast.code_for(people.erin))

    assert account.check_password(PASSWORD)


def test_later_link_takes_the_place_of_the_earlier(people):
    first, _second = reset_link(people, Kind.BOTH), reset_link(people, Kind.BOTH)

    with pytest.raises(InvitationDead):
        invitations.find(first)


def test_old_link_is_dead(people):
    token = new_link(people)
    _as_owner("UPDATE people_invitation SET expires_at = clock_timestamp() - interval '1 second'")

    with pytest.raises(InvitationDead):
        invitations.find(token)


def test_reset_makes_approvals_wait_and_the_first_enrolment_does_not(people):
    first = new_link(people)
    nora = enrolment.accept(first, password=PASSWORD, repeated=PASSWORD, code=code_of(first))
    token = reset_link(people, Kind.BOTH)
    erin = enrolment.accept(token, password=PASSWORD, repeated=PASSWORD, code=code_of(token))
    moment = clock.now()

    assert invitations.waits_until(nora.person, at=moment) is None
    assert moment < invitations.waits_until(erin.person, at=moment) <= moment + invitations.APPROVALS_WAIT
    assert invitations.waits_until(erin.person, at=moment + timedelta(hours=2)) is None


def test_approvals_of_somebody_who_was_just_reset_wait(platform):
    people, plan = builders.people(), builders.planned(platform)
    token = reset_link(people, Kind.BOTH)
    erin = enrolment.accept(token, password=PASSWORD, repeated=PASSWORD, code=code_of(token))

    with pytest.raises(ApprovalsWait):
        builders.approve(plan, erin)


def test_disabling_ends_authenticators_and_links_and_two_people_bring_it_back(people):
    dead = reset_link(people, Kind.BOTH)

    accounts.disable(people.erin, by=people.sam)
    with pytest.raises(InvitationDead):
        invitations.find(dead)
    with pytest.raises(AccountDisabled):
        invitations.propose_reset(people.erin, kind=Kind.PASSWORD, by=people.sam)
    token = reset_link(people, Kind.BOTH)
    account = enrolment.accept(token, password=PASSWORD, repeated=PASSWORD, code=code_of(token))

    account.refresh_from_db()
    assert account.is_active


def test_changes_are_told_on_the_channels_and_carry_no_link(people):
    token = reset_link(people, Kind.BOTH)
    enrolment.accept(token, password=PASSWORD, repeated=PASSWORD, code=code_of(token))
    duties.end(people.erin.person.duties.get(), by=people.sam)

    told = [message.body for message in Message.objects.filter(kind="account_changed").order_by("pk")]

    assert [body.partition(":")[0] for body in told] == ["A link was confirmed", "A link was used", "Duty ended"]
    assert token not in "".join(told)


def test_username_is_taken_in_any_case(people):
    with pytest.raises(UsernameTaken):
        invitations.propose_person(name="O", contact="o", username="OLIVIA", duty_names=[], by=people.sam)


def _as_owner(statement: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement)
