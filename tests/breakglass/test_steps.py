"""What every step shares: it does not nest, it undoes itself whole, and a refused attempt is in the log all the same."""

import pytest
from django.db import transaction

from audit import events, log
from audit.models import Entry
from audit.refusals import Refused
from breakglass.procedure import faults
from breakglass.procedure.models import Incident
from breakglass.procedure.refusals import TextTooLong
from breakglass.procedure.steps import step
from tests import builders

pytestmark = pytest.mark.django_db


@step
def half_done(incident: Incident, *, by, reason: str = "") -> None:
    Incident.objects.filter(pk=incident.pk).update(exposure_suspected=True)
    log.append(events.EXPOSURE_SUSPECTED, by=by.username, incident=incident.reference)
    raise Refused


def test_refused_step_leaves_nothing_but_its_refusal(platform):
    incident = builders.opened(platform)

    with pytest.raises(Refused):
        half_done(incident, by=incident.requester_account)

    assert not builders.fresh(incident).exposure_suspected
    latest = Entry.objects.latest("seq")
    assert (latest.event, latest.incident, latest.facts["step"]) == (
        *(events.STEP_REFUSED, incident.reference),
        "test_steps.half_done",
    )


def test_steps_do_not_nest(platform):
    incident = builders.opened(platform)

    with transaction.atomic(), pytest.raises(transaction.TransactionManagementError, match="never nest"):
        half_done(incident, by=incident.requester_account)


def test_huge_text_is_refused_before_the_step_and_is_not_in_the_log(platform):
    incident = builders.opened(platform)

    with pytest.raises(TextTooLong):
        half_done(incident, by=incident.requester_account, reason="x" * 10_000_000)

    assert len(Entry.objects.latest("seq").entry) < 2_000


def test_no_entry_means_no_action(platform):
    incident = builders.opened(platform)
    before = Entry.objects.count()

    @step
    def untold(incident: Incident, *, by) -> None:
        Incident.objects.filter(pk=incident.pk).update(exposure_suspected=True)
        log.append("no.such.event", by=by.username, incident=incident.reference)

    with pytest.raises(ValueError, match="not in audit.events"):
        untold(incident, by=incident.requester_account)

    assert not builders.fresh(incident).exposure_suspected
    assert Entry.objects.count() == before


def test_every_rule_that_is_translated_exists_in_the_database(console):
    with transaction.atomic(), transaction.get_connection().cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint UNION SELECT indexname FROM pg_indexes"
            " UNION SELECT (regexp_matches(prosrc, '''(?:BG00[1-6])'', ''([a-z_]+)''', 'g'))[1] FROM pg_proc"
        )
        known = {name for (name,) in cursor.fetchall()}

    assert set(faults.BY_RULE) - known == set()
