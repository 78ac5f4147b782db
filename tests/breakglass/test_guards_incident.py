"""The database refuses by itself: states move forward only, what was recorded stays, closed is closed (fault list S5)."""

import itertools

import pytest
from django.db import connection, connections

from audit import clock
from breakglass.procedure import incidents
from breakglass.procedure.models import Choice, Incident, Participant
from breakglass.procedure.states import State, may_move
from tests import builders
from tests.breakglass.rules import refused_by, sql

pytestmark = pytest.mark.django_db

TABLES = [
    *(
        "incident",
        "participant",
        "diagnosis",
        "override",
        "choice",
        "plan",
        "approval",
        "planrefusal",
        "window",
        "handover",
    ),
    *(
        "execution",
        "signinproof",
        "revocationitem",
        "evidenceitem",
        "bundle",
        "postmortem",
        "review",
        "message",
        "delivery",
    ),
]
CHANGING = {"incident", "approval", "window", "handover", "revocationitem", "postmortem"}


def test_the_databases_table_of_moves_is_the_codes(console):
    with connection.cursor() as cursor:
        for start, end in itertools.product(State, State):
            cursor.execute("SELECT procedure_may_move(%s, %s)", [start, end])
            assert cursor.fetchone()[0] is may_move(start, end), (start, end)


def test_app_deletes_nothing(console):
    for table in TABLES:
        for command in ("DELETE FROM", "TRUNCATE"):
            with refused_by("42501"):
                sql(f"{command} procedure_{table}")


def test_owner_deletes_nothing_either(console):
    for table in (*(f"procedure_{name}" for name in TABLES), "recovery_run", "recovery_access", "people_duty"):
        for command in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with refused_by("BG004", using="owner"), connections["owner"].cursor() as cursor:
                cursor.execute(command)


def test_owner_edits_no_record(console):
    for table in TABLES:
        if table not in CHANGING:
            with refused_by("BG004", using="owner"), connections["owner"].cursor() as cursor:
                cursor.execute(f"UPDATE procedure_{table} SET id = id")


def test_guards_hold_under_a_replica_role(console):
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass || '.' || tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'A'"
            " AND (tgrelid::regclass::text LIKE 'procedure_%%' OR tgrelid::regclass::text LIKE 'recovery_run%%')"
        )

        assert cursor.fetchall() == []


@pytest.mark.parametrize("state", ["opened", "planned", "executed", "proven", "revoked", "sealed", "closed"])
def test_incident_jumps_nowhere(platform, state):
    incident = builders.diagnosed(platform)

    with refused_by("what_is_recorded_stays", "planned_means_there_is_a_plan"):
        Incident.objects.filter(pk=incident.pk).update(state=state)


def test_executed_means_that_a_run_committed(platform):
    incident = builders.window_open(platform).incident

    with refused_by("executed_means_a_run_committed"):
        Incident.objects.filter(pk=incident.pk).update(state="executed")


def test_suspicion_is_not_taken_back(platform):
    incident = builders.opened(platform)
    incidents.suspect_exposure(incident, by=incident.requester_account)

    with refused_by("what_is_recorded_stays"):
        Incident.objects.filter(pk=incident.pk).update(exposure_suspected=False)


def test_nothing_is_added_to_a_finished_incident(platform):
    incident = builders.opened(platform)
    incidents.abandon(incident, by=incident.requester_account, reason="Mistaken.")
    omar = builders.people().omar

    with refused_by("incident_is_not_final"):
        Participant.objects.create(incident=incident, account=omar, person=omar.person, part="ran", at=clock.now())


def test_incident_of_somebody_without_a_duty(platform):
    mallory = builders.people().mallory
    copied = _copy(builders.opened(platform))

    with refused_by("requester_has_a_duty"):
        Incident.objects.create(**copied, requester_account=mallory, requester_person=mallory.person)


def test_incident_in_the_name_of_somebody_else(platform):
    people = builders.people()
    copied = _copy(builders.opened(platform))

    with refused_by("incident_account_person"):
        Incident.objects.create(**copied, requester_account=people.mallory, requester_person=people.olivia.person)


def test_practice_people_open_no_real_incident(platform):
    olivia = builders.people().olivia
    copied = {**_copy(builders.opened(platform)), "practice": False}

    with refused_by("incident_practice_requester"):
        Incident.objects.create(**copied, requester_account=olivia, requester_person=olivia.person)


def test_requester_becomes_no_beneficiary(platform):
    incident = builders.chosen(platform)
    olivia = incident.requester_account

    with refused_by("beneficiary_takes_no_part"):
        Choice.objects.create(
            incident=incident,
            account=olivia,
            person=olivia.person,
            at=clock.now(),
            outcome="reset",
            login="x",
            beneficiary=olivia.person,
            why="Mine.",
            reachable=True,
        )


def _copy(incident: Incident) -> dict[str, object]:
    names = ("platform", "system_identifier", "database_name", "practice", "trigger", "ticket", "reason", "opened_at")
    return {**{name: getattr(incident, name) for name in names}, "reference": "BG-2026-0777"}
