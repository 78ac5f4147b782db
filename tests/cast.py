"""The people of all tests, one line each, and how they sign in and get codes without waiting for the next 30 seconds.

olivia and omar are Ops, sam and simone Security, erin Engineering, connie Compliance; mallory has no duty.
"""

from collections.abc import Iterable
from types import SimpleNamespace

from django.db import transaction
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY

from audit import clock
from breakglass.people import factors
from breakglass.people.models import Account, Authenticator, Duty, DutyName, Person

DUTIES = {
    "sam": ["security"],
    "simone": ["security"],
    "olivia": ["ops"],
    "omar": ["ops"],
    "erin": ["engineering"],
    "connie": ["compliance"],
    "mallory": [],
}


def everybody(practice: bool = False) -> SimpleNamespace:
    """The whole cast as accounts: `people.olivia`, `people.sam`, ..."""
    return SimpleNamespace(**{name: person(name, duties, practice) for name, duties in DUTIES.items()})


@transaction.atomic
def person(name: str, duties: Iterable[str] = (), practice: bool = False) -> Account:
    """The account of that name; made with these duties if there is none. It has no password: see `signed_in`."""
    found = Account.objects.select_related("person").filter(username=name).first()
    if found:
        assert found.person.practice == practice, (
            f"{name} is of the other world already: make that one under another name"
        )
        return found
    founders = _two_of_security(practice)
    if name in [founder.username for founder in founders]:
        return Account.objects.get(username=name)
    account = _account(name, practice)
    for duty in duties:
        _duty(account, duty, *(founder.person for founder in founders))
    return account


def authenticator_of(account: Account) -> Authenticator:
    """A fresh authenticator whose codes nobody has used yet."""
    sealed = factors.seal(account, factors.new_seed())
    return Authenticator.objects.create(
        user=account, name="test", confirmed=True, sealed_key=sealed, created_at=clock.now()
    )


def code_for(account: Account) -> str:
    """A code that will be taken once; each call gives one of a fresh authenticator."""
    return factors.code_at(authenticator_of(account), clock.now())


def signed_in(client: Client, account: Account) -> Client:
    """The client with a session of both factors."""
    client.force_login(account)
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = authenticator_of(account).persistent_id
    session.save()
    return client


def _two_of_security(practice: bool) -> list[Account]:
    """Two who may propose and confirm in that world; the first ones are its founders."""
    living = {"person__practice": practice, "person__duties__name": DutyName.SECURITY, "person__duties__ended_at": None}
    found = Account.objects.filter(**living, person__duties__confirmed_at__isnull=False).order_by("id")[:2]
    if len(found) == 2:
        return list(found)
    names = ("fay", "finn") if Account.objects.filter(username="sam").exists() else ("sam", "simone")
    founders = [_account(name, practice) for name in names]
    for founder in founders:
        _duty(founder, DutyName.SECURITY)
    return founders


def _account(name: str, practice: bool) -> Account:
    moment = clock.now()
    human = Person.objects.create(
        name=name.capitalize(), contact=f"{name}@example.org", practice=practice, created_at=moment
    )
    account = Account(username=name, person=human, created_at=moment)
    account.set_unusable_password()
    account.save()
    return account


def _duty(account: Account, name: str, proposer: Person | None = None, confirmer: Person | None = None) -> None:
    moment = clock.now()
    Duty.objects.create(
        person=account.person,
        name=name,
        proposed_by=proposer,
        proposed_at=moment,
        confirmed_by=confirmer,
        confirmed_at=moment,
    )
