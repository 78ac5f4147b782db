"""Who is meant by the name and the contact that were typed, and which login is new."""

import pytest

from breakglass.people.models import Person
from breakglass.procedure import incidents
from breakglass.procedure.choice_refusals import ContactOfAnother, LoginOfAnOwner
from breakglass.procedure.models import Choice, Incident
from breakglass.procedure.refusals import BeneficiaryMayNotTakePart
from tests import builders
from tests.acme import Acme

pytestmark = pytest.mark.django_db

SWITCHBOARD = "Switchboard, +1 555 0199"


def chosen_for(platform: Acme, name: str, contact: str, **given: object) -> Person:
    """The human behind the latest choice, when that was typed."""
    incident = builders.chosen(platform, beneficiary_name=name, beneficiary_contact=contact, **given)
    return Choice.objects.filter(incident=incident).latest("id").beneficiary


@pytest.fixture
def incident(platform: Acme) -> Incident:
    """An incident whose latest choice is for Zoë Żak, who is reached by a switchboard."""
    return builders.chosen(platform, beneficiary_name="Zoë Żak", beneficiary_contact=SWITCHBOARD)


def test_another_name_by_a_known_contact_is_refused_with_the_known_one(platform: Acme, incident: Incident) -> None:
    with pytest.raises(ContactOfAnother, match="Zoë Żak"):
        chosen_for(platform, "Yves Young", SWITCHBOARD, incident=incident)

    assert Choice.objects.get().beneficiary.name == "Zoë Żak"
    assert not Person.objects.filter(name="Yves Young").exists()


def test_participant_is_no_beneficiary_under_another_name(platform: Acme) -> None:
    with pytest.raises(ContactOfAnother, match="Olivia"):
        chosen_for(platform, "O. Ortiz", "olivia@example.org")


def test_participant_is_no_beneficiary_under_another_spelling(platform: Acme) -> None:
    with pytest.raises(BeneficiaryMayNotTakePart):
        chosen_for(platform, " oLIVIA ", "OLIVIA@example.org")


@pytest.mark.parametrize("name", ["ZOË ŻAK", "Zoe\u0308 Z\u0307ak", "  Zoë \u00a0 Żak"])
@pytest.mark.parametrize("contact", [SWITCHBOARD, "switchboard,  +1 555 0199", "elsewhere"])
def test_known_person_is_recognised_in_any_spelling(
    platform: Acme, incident: Incident, name: str, contact: str
) -> None:
    assert chosen_for(platform, name, contact, incident=incident) == Choice.objects.earliest("id").beneficiary


def test_of_two_who_share_a_contact_the_named_one_is_meant(platform: Acme, incident: Incident) -> None:
    first = Choice.objects.get().beneficiary
    second = Person.objects.create(
        name="Yves Young", contact=SWITCHBOARD, practice=first.practice, created_at=first.created_at
    )

    assert chosen_for(platform, "Yves Young", SWITCHBOARD, incident=incident) == second


def test_name_of_one_with_the_contact_of_another_is_refused(platform: Acme, incident: Incident) -> None:
    with pytest.raises(ContactOfAnother, match="Zoë Żak"):
        chosen_for(platform, "Omar", SWITCHBOARD, incident=incident)


def test_practice_person_is_not_taken_for_a_real_one_with_the_same_contact(platform: Acme) -> None:
    when = builders.people().olivia.person.created_at
    Person.objects.create(name="Ruth Real", contact=SWITCHBOARD, practice=False, created_at=when)

    assert chosen_for(platform, "Yves Young", SWITCHBOARD).name == "Yves Young"


@pytest.mark.parametrize("login", ["dana@acme.example", "Dana@Acme.Example", " DANA@acme.example "])
def test_login_of_an_owner_is_not_created_anew(platform: Acme, login: str) -> None:
    incident = builders.diagnosed(platform)
    builders.lift_stop(incident)
    given = {"outcome": "create", "login": login, "why": "New.", **builders.BENEFICIARY}

    with pytest.raises(LoginOfAnOwner, match="the owner dana@acme.example"):
        incidents.choose(incident, by=incident.requester_account, **given)
