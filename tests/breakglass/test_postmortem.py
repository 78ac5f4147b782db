"""The post-mortem: four boxes with content, a review by somebody without part, and the closing that is final."""

from datetime import UTC, datetime

import pytest

from breakglass.procedure import change_refusals, evidence, policy, postmortem, refusals, rollback, sealing
from breakglass.procedure.models import PostMortem
from breakglass.procedure.states import State
from recovery.models import SealKey
from tests import builders, cast
from tests.breakglass import story

pytestmark = pytest.mark.django_db
BOXES = {
    "root_cause": "The directory was switched off.",
    "permissions_review": "One owner is enough for now.",
    "backlog_item": "A second owner with a key in the safe",
    "backlog_url": "https://tickets.example/OPS-5000",
}


def ready(platform):
    """Sealed, written, reviewed: it may be closed."""
    incident = story.sealed(platform)
    postmortem.write(incident, by=builders.people().olivia, **BOXES)
    postmortem.review(incident, by=builders.people().simone, findings="By the book.")
    return incident


def closed(platform):
    incident = ready(platform)
    postmortem.close(incident, by=builders.people().olivia)
    return builders.fresh(incident)


def test_what_is_missing_is_named(platform):
    incident = story.executed(platform)

    missing = postmortem.missing(incident)

    assert {"root cause", "permission review", "preventative backlog item", "Security's review"} <= set(missing)


@pytest.mark.parametrize("box", ["root_cause", "permissions_review", "backlog_item"])
def test_box_of_spaces_counts_as_empty(platform, box):
    incident = story.sealed(platform)
    olivia = builders.people().olivia
    postmortem.write(incident, by=olivia, **{**BOXES, box: "   "})
    postmortem.review(incident, by=builders.people().simone, findings="By the book.")

    with pytest.raises(change_refusals.BoxesMissing):
        postmortem.close(incident, by=olivia)


def test_every_version_stays(platform):
    incident = story.executed(platform)
    olivia = builders.people().olivia
    for cause in ("First thought.", "Second thought."):
        postmortem.write(incident, by=olivia, root_cause=cause)

    causes = [version.root_cause for version in PostMortem.objects.get().history.order_by("history_id")]
    assert causes[-2:] == ["First thought.", "Second thought."]


def test_address_that_is_no_web_address_is_refused(platform):
    incident = story.executed(platform)

    with pytest.raises(change_refusals.BacklogAddressWrong):
        postmortem.write(incident, by=builders.people().olivia, backlog_url="javascript:alert(1)")


def test_draft_of_the_review_lists_all_owners(platform):
    incident = story.executed(platform)

    draft = postmortem.permissions_draft(incident, by=builders.people().olivia)

    assert incident.plans.get().choice.login in draft


@pytest.mark.parametrize(
    ("name", "kind"), [("olivia", refusals.DutyMissing), ("sam", change_refusals.ReviewBySomebodyElse)]
)
def test_who_had_a_part_or_no_duty_does_not_review(platform, name, kind):
    incident = story.executed(platform)

    with pytest.raises(kind):
        postmortem.review(incident, by=getattr(builders.people(), name), findings="Fine.")


def test_incident_without_a_bundle_is_not_closed(platform):
    incident = story.revoked(platform)
    postmortem.write(incident, by=builders.people().olivia, **BOXES)

    with pytest.raises(refusals.NotNow):
        postmortem.close(incident, by=builders.people().olivia)


def test_closed_incident_is_final(platform):
    incident = closed(platform)
    olivia = builders.people().olivia

    assert (incident.state, incident.closed_at is not None) == (State.CLOSED, True)
    with pytest.raises(refusals.IncidentFinal):
        postmortem.write(incident, by=olivia, **BOXES)
    with pytest.raises(refusals.IncidentFinal):
        evidence.upload(incident, by=olivia, kind="other", name="late.txt", data=b"late")


def test_closing_destroys_the_key_of_the_sealed_rows(platform):
    incident = closed(platform)

    key = SealKey.objects.get(incident=incident.reference)

    assert bytes(key.key) == b""
    assert key.wiped_at == incident.closed_at


def test_post_mortem_names_the_bundle_that_was_closed_on(platform):
    incident = closed(platform)

    assert incident.post_mortem.bundle == sealing.latest(incident)


def test_after_closing_a_new_incident_follows(platform):
    incident = closed(platform)
    erin = builders.people().erin

    with pytest.raises(refusals.IncidentFinal):
        rollback.disable_now(incident, by=erin, code=cast.code_for(erin), reason="Wrong account.")
    following = builders.opened(platform, follows=incident)

    assert following.follows == incident


def test_story_leaves_no_secret_in_any_table(platform, console):
    closed(platform)

    assert story.tables_with(story.PASSWORD) == []
    assert story.tables_with(platform.owner()["password_hash"]) == []


@pytest.mark.parametrize(
    ("start", "due"),
    [
        (datetime(2026, 1, 5, 9, tzinfo=UTC), datetime(2026, 1, 12, 9, tzinfo=UTC)),
        (datetime(2026, 1, 9, 23, tzinfo=UTC), datetime(2026, 1, 16, 23, tzinfo=UTC)),
        (datetime(2026, 1, 10, 12, tzinfo=UTC), datetime(2026, 1, 16, 12, tzinfo=UTC)),
    ],
)
def test_five_working_days_skip_the_weekend(start, due):
    assert policy.working_days_after(start, 5) == due
