"""Puts the practice people into the console's database, walled off from real ones. Never on a console that has people."""

from django.db import transaction

from audit import clock, events, log
from breakglass.people import founders
from breakglass.people.models import Person
from breakglass.practice.cast import Member

DANA, DANA_LOGIN, DANA_CONTACT = "Dana Diaz", "dana@acme.example", "+1 555 0142"


def ensure(members: list[Member]) -> None:
    """Make the cast and the beneficiary, unless practice people are there already.

    Raises:
        PersonsExist: real people use this console.
    """
    if Person.objects.filter(practice=True).exists():
        return
    cast = [
        founders.Founder(
            username=member.username,
            name=member.name,
            contact=f"{member.username}@practice.example",
            duties=(member.duty,),
            password=member.password,
            seed=member.seed_bytes,
        )
        for member in members
    ]
    with transaction.atomic():
        founders.found(cast, practice=True)
        _add_dana()


def _add_dana() -> None:
    """The human behind dana@acme.example: a person without an account here, who will be the beneficiary."""
    dana = Person.objects.create(name=DANA, contact=DANA_CONTACT, practice=True, created_at=clock.now())
    log.append(events.PERSON_ADDED, by="bootstrap", person=dana.pk, name=dana.name, practice=True)
