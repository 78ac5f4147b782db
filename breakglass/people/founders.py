"""The very first people, whom nobody could confirm: made on the host, all in one transaction, never a second time."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password

from audit import clock, events, log
from breakglass.people import factors
from breakglass.people.models import Account, Authenticator, Duty, DutyName, Person, SpentStep
from breakglass.people.refusals import PersonsExist, SecurityPairNeeded
from breakglass.people.steps import changing


@dataclass(frozen=True)
class Founder:
    """One of the first people. `spent_step`: the time step of the code that proved the seed, if one did."""

    username: str
    name: str
    contact: str
    duties: tuple[str, ...]
    password: str
    seed: bytes
    spent_step: int | None = None


def found(founders: Sequence[Founder], *, practice: bool = False) -> list[Account]:
    """Make the first people. At least two have the Security duty, so that they can confirm everybody else.

    Raises:
        PersonsExist: a person is there already, practice or real.
        SecurityPairNeeded: fewer than two would have the Security duty.
    """
    if sum(DutyName.SECURITY in founder.duties for founder in founders) < 2:
        raise SecurityPairNeeded
    hashed = [make_password(founder.password) for founder in founders]
    with changing():
        clock.now()  # locks: of two at once the second sees what the first one made
        if Person.objects.exists():
            raise PersonsExist
        accounts = [_make(*pair, practice) for pair in zip(founders, hashed, strict=True)]
        for founder, account in zip(founders, accounts, strict=True):
            log.append(
                events.ACCOUNT_ADDED,
                by="bootstrap",
                account=founder.username,
                practice=practice,
                person=account.person_id,
                name=founder.name,
                duties=sorted(founder.duties),
            )
    return accounts


def _make(founder: Founder, hashed: str, practice: bool) -> Account:
    moment = clock.now()
    person = Person.objects.create(name=founder.name, contact=founder.contact, practice=practice, created_at=moment)
    account = Account.objects.create(username=founder.username, person=person, password=hashed, created_at=moment)
    for name in founder.duties:
        Duty.objects.create(person=person, name=name, proposed_at=moment, confirmed_at=moment)
    sealed = factors.seal(account, founder.seed)
    authenticator = Authenticator.objects.create(
        user=account, name=f"{factors.ISSUER} 1", confirmed=True, sealed_key=sealed, created_at=moment
    )
    if founder.spent_step is not None:
        SpentStep.objects.create(authenticator=authenticator, step=founder.spent_step, at=moment)
    return account
