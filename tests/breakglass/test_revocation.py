"""Revocation: logins by the platform's own word, the rest by their owners; waived only by Security without part."""

import json
from datetime import timedelta

import pytest

from audit import clock
from breakglass.procedure import change_refusals, incidents, refusals, revocation
from breakglass.procedure.models import Incident, RevocationItem
from breakglass.procedure.states import State
from tests import builders, cast
from tests.breakglass import story

pytestmark = pytest.mark.django_db
Kind = RevocationItem.Kind


def prepared(platform) -> tuple[Incident, dict[str, list[RevocationItem]]]:
    incident = story.executed(platform)
    items = revocation.prepare(incident, by=builders.people().olivia)
    return incident, {kind: [item for item in items if item.kind == kind] for kind in Kind.values}


def tomorrow():
    return clock.now().date() + timedelta(days=1)


def test_items_are_the_login_and_what_the_platform_file_lists(platform):
    _incident, items = prepared(platform)

    assert [len(items[kind]) > 0 for kind in (Kind.LOGIN, Kind.NETWORK, Kind.SECRET)] == [True, True, True]


def test_asking_again_adds_nothing(platform):
    incident, _items = prepared(platform)
    count = RevocationItem.objects.count()

    revocation.prepare(incident, by=builders.people().omar)

    assert RevocationItem.objects.count() == count


def test_login_is_done_with_the_platforms_own_words(platform):
    _incident, items = prepared(platform)

    item = revocation.check_login(items[Kind.LOGIN][0], by=builders.people().olivia)

    assert json.loads(item.output)["role_exists"] is False
    assert "login_refused" in item.output


def test_login_is_neither_done_by_hand_nor_waived(platform):
    _incident, items = prepared(platform)
    simone = builders.people().simone

    with pytest.raises(change_refusals.LoginIsProvenByMachine):
        revocation.done(items[Kind.LOGIN][0], by=builders.people().olivia, output="gone")
    with pytest.raises(change_refusals.LoginIsProvenByMachine):
        revocation.waive(items[Kind.LOGIN][0], by=simone, code=cast.code_for(simone), reason="Later.", until=tomorrow())


def test_item_is_done_once_with_its_output(platform):
    _incident, items = prepared(platform)
    item, olivia = items[Kind.NETWORK][0], builders.people().olivia

    revocation.done(item, by=olivia, output="rule 17 removed")

    with pytest.raises(change_refusals.ItemAlreadyFinished):
        revocation.done(item, by=olivia, output="again")
    assert item.output == "rule 17 removed"


def test_security_without_part_waives_until_a_day(platform):
    _incident, items = prepared(platform)
    simone = builders.people().simone

    item = revocation.waive(
        items[Kind.NETWORK][0], by=simone, code=cast.code_for(simone), reason="Change freeze.", until=tomorrow()
    )

    assert (item.waived_by, item.waived_reason) == (simone, "Change freeze.")


@pytest.mark.parametrize(
    ("name", "kind"), [("omar", refusals.DutyMissing), ("sam", change_refusals.WaiverBySomebodyElse)]
)
def test_wrong_person_does_not_waive(platform, name, kind):
    _incident, items = prepared(platform)
    account = getattr(builders.people(), name)

    with pytest.raises(kind):
        revocation.waive(
            items[Kind.NETWORK][0], by=account, code=cast.code_for(account), reason="Later.", until=tomorrow()
        )


@pytest.mark.parametrize("days", [0, 366])
def test_waiver_needs_a_near_end(platform, days):
    _incident, items = prepared(platform)
    simone = builders.people().simone

    with pytest.raises(change_refusals.WaiverNeedsAnEnd):
        revocation.waive(
            items[Kind.NETWORK][0],
            by=simone,
            code=cast.code_for(simone),
            reason="Later.",
            until=clock.now().date() + timedelta(days=days),
        )


def test_open_items_stop_the_way_and_are_named(platform):
    incident, items = prepared(platform)

    with pytest.raises(change_refusals.RevocationOpen) as caught:
        revocation.finish(incident, by=builders.people().olivia)

    assert items[Kind.NETWORK][0].title in caught.value.sentence
    assert items[Kind.SECRET][0].title not in caught.value.sentence


def test_suspected_exposure_makes_rotation_mandatory(platform):
    incident, items = prepared(platform)
    incidents.suspect_exposure(incident, by=builders.people().connie)

    with pytest.raises(change_refusals.RevocationOpen) as caught:
        revocation.finish(incident, by=builders.people().olivia)

    assert items[Kind.SECRET][0].title in caught.value.sentence


def test_finished_revocation_moves_the_incident_on(platform):
    incident = story.revoked(platform)

    assert incident.state == State.REVOKED
