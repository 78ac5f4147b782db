"""What the database itself refuses about people, to its owner too."""

import pytest
from django.db import DatabaseError, connection, connections, transaction

from audit import clock
from breakglass.people import duties, enrolment, factors, invitations, totp
from breakglass.people.models import Person
from tests import cast

pytestmark = pytest.mark.django_db

PASSWORD = "a quiet harbour at dawn"


@pytest.fixture
def people():
    return cast.everybody()


ATTACKS = {
    "a person changes worlds": "UPDATE people_person SET practice = NOT practice",
    "a name changes without history": "UPDATE people_person SET name = 'x'",
    "an account changes hands": "UPDATE people_account SET person_id = person_id + 1",
    "a duty is given alone": "UPDATE people_duty SET confirmed_by_id = proposed_by_id, confirmed_at = now()"
    " WHERE confirmed_at IS NULL",
    "a duty is given by people without duty": "UPDATE people_duty SET confirmed_at = now(), confirmed_by_id ="
    " (SELECT id FROM people_person WHERE name = 'Omar') WHERE confirmed_at IS NULL",
    "a duty is given by nobody": "INSERT INTO people_duty (person_id, name, proposed_at, confirmed_at)"
    " SELECT id, 'security', now(), now() FROM people_person WHERE name = 'Mallory'",
    "an ended duty returns": "UPDATE people_duty SET ended_at = NULL WHERE ended_at IS NOT NULL",
    "an authenticator is rewritten": "UPDATE people_authenticator SET sealed_key = 'x'",
    "a retired authenticator returns": "UPDATE people_authenticator SET confirmed = true WHERE retired_at IS NOT NULL",
    "an authenticator vanishes": "DELETE FROM people_authenticator",
    "a spent code is forgotten": "DELETE FROM people_spentstep",
    "a spent code is moved": "UPDATE people_spentstep SET step = step - 10",
    "a step-up is forgotten": "TRUNCATE people_stepup CASCADE",
    "a step-up gets another digest": "UPDATE people_stepup SET digest = 'x'",
    "a used link returns": "UPDATE people_invitation SET used_at = NULL WHERE used_at IS NOT NULL",
    "a person vanishes": "DELETE FROM people_person",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_database_refuses_even_its_owner(people, attack):
    _some_of_everything(people)

    with pytest.raises(DatabaseError) as refused:
        _as_owner(ATTACKS[attack])

    assert refused.value.__cause__.sqlstate in ("BG004", "23514", "23503")


def test_name_changes_with_its_history(people):
    person = Person.objects.get(name="Erin")
    person.name = "Erin Ever"

    with transaction.atomic():
        person.save(update_fields=["name"])

    assert [version.name for version in person.history.order_by("history_id")] == ["Erin", "Erin Ever"]


def test_app_role_cannot_delete_people():
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute("DELETE FROM people_duty")


def _some_of_everything(people) -> None:
    duties.end(people.erin.person.duties.get(), by=people.sam)
    duties.propose(people.mallory.person, "ops", by=people.sam)
    _enrol_nora(people)
    with transaction.atomic():
        cast.authenticator_of(people.erin)
        factors.retire_all(people.erin, at=clock.now())


def _enrol_nora(people) -> None:
    invitation = invitations.propose_person(name="Nora", contact="n", username="nora", duty_names=[], by=people.sam)
    token = invitations.confirm(invitation, by=people.simone, code=cast.code_for(people.simone))
    code = totp.code(invitations.seed_of(token), totp.step_at(clock.now()))
    enrolment.accept(token, password=PASSWORD, repeated=PASSWORD, code=code)


def _as_owner(statement: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement)
