"""Opening, diagnosing, overriding, choosing and abandoning: each rule where it refuses."""

from collections.abc import Iterator

import pytest
from django.db import transaction

from audit import events
from audit.models import Entry
from breakglass.people.models import Person
from breakglass.practice import databases
from breakglass.practice import platform as platform_database
from breakglass.procedure import incidents
from breakglass.procedure.models import Incident, Message, Participant
from breakglass.procedure.refusals import (
    AccountDisabled,
    BeneficiaryMayNotTakePart,
    DutyMissing,
    FollowsAnother,
    HealthyOwner,
    IncidentFinal,
    IncidentUnknown,
    NobodySaysWho,
    NothingToOverride,
    NotNow,
    OtherDatabase,
    OverrideByRequester,
    PracticeMeetsReal,
    SmallerChangeWouldDo,
    TargetDoesNotNeedIt,
    TargetWrong,
    TextMissing,
    TextTooLong,
    TextUnreadable,
    TriggerUnknown,
)
from breakglass.procedure.states import State
from recovery.platform_refusals import PlatformRefused
from recovery.refusals import TicketRefused, UnknownPlatform
from tests import builders, cast

pytestmark = pytest.mark.django_db


def events_of(incident: Incident) -> list[str]:
    return [entry.event for entry in Entry.objects.filter(incident=incident.reference).order_by("seq")]


def heal(platform) -> None:
    """Dana, an owner, can sign in."""
    platform.rows("UPDATE adminuser SET is_active = true, failed_logins = 0, totp_secret = NULL RETURNING id")
    platform.rows("UPDATE tenant SET suspended_at = NULL RETURNING id")


@pytest.mark.parametrize("name", ["olivia", "sam", "erin", "connie"])
def test_anybody_with_a_duty_may_open(platform, name):
    by = getattr(builders.people(), name)

    incident = builders.opened(platform, by=by)

    assert (incident.state, incident.requester_person_id) == (State.OPENED, by.person_id)


def test_nobody_without_a_duty_may_open(platform):
    with pytest.raises(DutyMissing):
        builders.opened(platform, by=builders.people().mallory)


def test_real_people_may_not_open_on_a_practice_platform(platform):
    builders.people()

    with pytest.raises(PracticeMeetsReal):
        builders.opened(platform, by=cast.person("olga", ["ops"], practice=False))


def test_disabled_account_may_not_open(platform):
    olivia = builders.people().olivia
    type(olivia).objects.filter(pk=olivia.pk).update(is_active=False)

    with pytest.raises(AccountDisabled):
        builders.opened(platform, by=olivia)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"ticket": "because I say so"}, TicketRefused),
        ({"ticket": "  "}, TextMissing),
        ({"reason": " \n"}, TextMissing),
        ({"trigger": "convenience"}, TriggerUnknown),
        ({"platform": "elsewhere"}, UnknownPlatform),
        ({"reason": "a\0b"}, TextUnreadable),
        ({"reason": "half \ud83d of a smile"}, TextUnreadable),
        ({"reason": "x" * 10_000_000}, TextTooLong),
    ],
)
def test_what_is_typed_is_checked(platform, given, kind):
    said = {"platform": platform.name, "trigger": "no_owner", "ticket": builders.TICKET, "reason": "Locked out."}

    with pytest.raises(kind):
        incidents.open(by=builders.people().olivia, **{**said, **given})

    assert not Incident.objects.exists()
    assert Entry.objects.get(event=events.STEP_REFUSED).facts["refusal"] == kind.code


def test_platform_that_does_not_answer_opens_nothing(platform):
    with platform.cluster.connect() as server:
        server.execute(f"ALTER DATABASE {platform.dbname} CONNECTION LIMIT 0")

    with pytest.raises(PlatformRefused):
        builders.opened(platform)

    assert not Incident.objects.exists()


def test_owners_are_told_of_the_opening(platform):
    incident = builders.opened(platform)

    told = Message.objects.get(incident=incident)

    assert told.kind == "owners_told"
    assert builders.TICKET in told.body


def test_references_have_no_gap(platform):
    references = [builders.opened(platform).reference for _number in range(3)]

    assert [reference[-4:] for reference in references] == ["0001", "0002", "0003"]


def test_finished_incident_is_followed_by_a_new_one(platform):
    first = builders.opened(platform)
    incidents.abandon(first, by=first.requester_account, reason="Mistaken.")

    second = builders.opened(platform, follows=builders.fresh(first))

    assert second.follows == first


def test_incident_under_way_is_not_followed(platform):
    with pytest.raises(FollowsAnother):
        builders.opened(platform, follows=builders.opened(platform))


def test_unknown_incident_is_refused_with_its_reference(console):
    with transaction.atomic(), pytest.raises(IncidentUnknown, match="BG-2026-9999"):
        incidents.lock("BG-2026-9999")


def test_diagnosis_reads_the_owners_and_moves_on(platform):
    incident = builders.diagnosed(platform)

    diagnosis = incident.diagnoses.get()

    assert incident.state == State.DIAGNOSED
    assert (diagnosis.healthy, diagnosis.recommended) == (0, "enable")


def test_colleague_who_diagnoses_becomes_a_participant(platform):
    incident, omar = builders.opened(platform), builders.people().omar

    incidents.diagnose(incident, by=omar)

    assert incident.participants.get(person=omar.person).part == Participant.Part.TOOK_OVER
    assert events.INCIDENT_HANDED_OVER in events_of(incident)


@pytest.fixture
def twin(platform, platform_server) -> Iterator[str]:
    """A copy of Acme on the same server: looks the same, is another database."""
    name = f"{platform.dbname}_twin"
    with platform_server.connect() as server:
        platform_database.clone(server, platform.dbname, name)
        yield name
        databases.drop(server, name)


def test_diagnosis_is_of_the_database_that_the_incident_was_opened_for(platform, twin):
    incident = builders.opened(platform)
    for file in platform.file.parent.iterdir():
        if file.is_file() and f"/{platform.dbname}" in file.read_text():
            file.write_text(file.read_text().replace(f"/{platform.dbname}", f"/{twin}"))

    with pytest.raises(OtherDatabase):
        incidents.diagnose(incident, by=incident.requester_account)


def test_healthy_owner_stops_the_way(platform):
    heal(platform)

    with pytest.raises(HealthyOwner, match="dana"):
        builders.chosen(platform)


def test_healthy_owner_is_overridden_by_security_with_a_reason(platform):
    heal(platform)
    incident = builders.diagnosed(platform)
    builders.lift_stop(incident, kind="healthy_owner")

    assert builders.chosen(platform, incident=incident).choices.count() == 1


def test_a_is_refused_while_a_smaller_change_would_do(platform):
    incident = builders.diagnosed(platform)

    with pytest.raises(SmallerChangeWouldDo):
        incidents.choose(
            incident,
            by=incident.requester_account,
            outcome="create",
            login="x@acme.example",
            why="New.",
            **builders.BENEFICIARY,
        )


def test_override_is_written_by_security_only(platform):
    incident = builders.diagnosed(platform)

    with pytest.raises(DutyMissing):
        incidents.override(incident, by=builders.people().omar, kind="create", reason="Because.")


def test_override_is_never_written_by_the_requester(platform):
    incident = builders.diagnosed(platform, by=builders.people().sam)

    with pytest.raises(OverrideByRequester):
        incidents.override(incident, by=builders.people().sam, kind="create", reason="Because.")


def test_override_of_nothing_is_refused(platform):
    incident = builders.diagnosed(platform)

    with pytest.raises(NothingToOverride):
        builders.lift_stop(incident, kind="healthy_owner")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"target_key": "4711-unknown"}, TargetWrong),
        ({"target_key": ""}, TargetWrong),
        ({"outcome": "disable"}, TargetWrong),
        ({"outcome": "create", "target_key": "", "login": ""}, TargetWrong),
        ({"why": " "}, NobodySaysWho),
        ({"beneficiary_name": ""}, NobodySaysWho),
        ({"beneficiary_contact": ""}, NobodySaysWho),
    ],
)
def test_choice_must_be_whole(platform, given, kind):
    with pytest.raises(kind):
        builders.chosen(platform, **given)


def test_enabled_account_is_not_enabled_again(platform):
    incident = builders.diagnosed(platform)
    platform.rows("UPDATE adminuser SET is_active = true, failed_logins = 99 RETURNING id")
    incidents.diagnose(incident, by=incident.requester_account)

    with pytest.raises(TargetDoesNotNeedIt):
        builders.chosen(platform, "enable", incident=incident, target_key=str(platform.owner()["id"]))


def test_requester_is_never_the_beneficiary(platform):
    with pytest.raises(BeneficiaryMayNotTakePart):
        builders.chosen(platform, beneficiary=builders.people().olivia.person)


def test_typing_a_known_name_makes_no_second_human(platform):
    with pytest.raises(BeneficiaryMayNotTakePart):
        builders.chosen(platform, beneficiary_name="OLIVIA", beneficiary_contact="another address")


def test_real_person_receives_no_practice_account(platform):
    builders.people()
    stranger = cast.person("ruth", ["ops"], practice=False).person

    with pytest.raises(PracticeMeetsReal):
        builders.chosen(platform, beneficiary=stranger)


def test_beneficiary_works_on_nothing_before_the_run(platform):
    incident = builders.chosen(platform, beneficiary=builders.people().omar.person)

    with pytest.raises(BeneficiaryMayNotTakePart):
        incidents.diagnose(incident, by=builders.people().omar)


def test_beneficiary_needs_no_account(platform):
    builders.chosen(platform)

    assert not Person.objects.get(name="Dana Reyes").accounts.exists()


def test_abandoned_is_final(platform):
    incident = builders.diagnosed(platform)
    incidents.abandon(incident, by=incident.requester_account, reason="Somebody could sign in after all.")

    with pytest.raises(IncidentFinal):
        incidents.diagnose(incident, by=incident.requester_account)


def test_outcome_before_diagnosis_is_refused(platform):
    incident = builders.opened(platform)

    with pytest.raises(NotNow):
        incidents.override(incident, by=builders.people().sam, kind="create", reason="Early.")


def test_suspected_exposure_is_recorded_once_and_stays(platform):
    incident = builders.opened(platform)

    incidents.suspect_exposure(incident, by=builders.people().erin)
    incidents.suspect_exposure(incident, by=builders.people().sam)

    assert builders.fresh(incident).exposure_suspected
    assert events_of(incident).count(events.EXPOSURE_SUSPECTED) == 1
