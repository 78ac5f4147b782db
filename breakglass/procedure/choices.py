"""Whether an outcome, its target and its beneficiary fit the latest diagnosis. It checks and looks up, the step records."""

from dataclasses import dataclass
from datetime import datetime

from breakglass.people.models import Person
from breakglass.procedure import colleagues, texts
from breakglass.procedure.choice_refusals import LoginOfAnOwner
from breakglass.procedure.models import Diagnosis, Incident, Override
from breakglass.procedure.refusals import (
    BeneficiaryMayNotTakePart,
    DiagnosisMissing,
    HealthyOwner,
    NobodySaysWho,
    NothingToOverride,
    PracticeMeetsReal,
    SmallerChangeWouldDo,
    TargetDoesNotNeedIt,
    TargetWrong,
)
from recovery.diagnosis import Report
from recovery.models import RunKind

OUTCOMES = (RunKind.CREATE, RunKind.RESET, RunKind.ENABLE)
Stop = Override.Kind


@dataclass(frozen=True)
class Target:
    """Which account is changed. key: the platform's own id as text, "" for one that is yet to be made."""

    outcome: str
    key: str
    login: str


@dataclass(frozen=True)
class Human:
    """Who will hold the account: a known person, or a name and a contact; and why this login is theirs."""

    known: Person | None
    name: str
    contact: str
    why: str

    def check(self) -> None:
        """Raises NobodySaysWho."""
        if not self.why or not (self.known or (self.name and self.contact)):
            raise NobodySaysWho

    def person(self, incident: Incident, *, at: datetime) -> Person:
        """The person, made if the console does not know them yet. A beneficiary needs no account.

        Raises:
            ContactOfAnother: the contact that was typed is of somebody with another name.
        """
        if self.known:
            return self.known
        known = colleagues.known_person(self.name, self.contact, practice=incident.practice)
        return known or Person.objects.create(
            name=self.name, contact=self.contact, practice=incident.practice, created_at=at
        )


def latest_diagnosis(incident: Incident) -> Diagnosis:
    """The diagnosis that counts. Raises DiagnosisMissing."""
    latest = Diagnosis.objects.filter(incident=incident).order_by("-id").first()
    if latest is None:
        raise DiagnosisMissing
    return latest


def stops(found: Diagnosis) -> frozenset[str]:
    """What the diagnosis alone would stop: going on at all (healthy_owner), or outcome A (create)."""
    kinds = set()
    if found.healthy:
        kinds.add(Stop.HEALTHY_OWNER)
    if Report.from_json(found.owners).would_do:
        kinds.add(Stop.CREATE_THOUGH_OTHERS)
    return frozenset(kinds)


def check_needed(found: Diagnosis, kind: str) -> None:
    """Refuse an override of what does not stop anything. Raises NothingToOverride."""
    if kind not in stops(found):
        raise NothingToOverride


def check_stops(incident: Incident, outcome: str) -> None:
    """Refuse while an owner is healthy, or A while B or C would do, unless Security wrote why.

    Raises:
        DiagnosisMissing, HealthyOwner, SmallerChangeWouldDo
    """
    latest = latest_diagnosis(incident)
    lifted = set(latest.overrides.values_list("kind", flat=True))
    left = stops(latest) - lifted
    report = Report.from_json(latest.owners)
    if Stop.HEALTHY_OWNER in left:
        raise HealthyOwner(owners=", ".join(owner.login for owner in report.healthy))
    if outcome == RunKind.CREATE and Stop.CREATE_THOUGH_OTHERS in left:
        would_do = ", ".join(str(RunKind(kind).label) for kind in sorted(report.would_do))
        raise SmallerChangeWouldDo(recommended=would_do)


def target(incident: Incident, *, outcome: str, target_key: str, login: str) -> Target:
    """The target, if it fits the outcome and the latest diagnosis.

    Raises:
        DiagnosisMissing, TargetWrong, TargetDoesNotNeedIt, LoginOfAnOwner
    """
    report = Report.from_json(latest_diagnosis(incident).owners)
    if outcome not in OUTCOMES:
        raise TargetWrong
    if outcome == RunKind.CREATE:
        return _new_target(report, target_key, login)
    owner = report.owner(target_key) if target_key else None
    if owner is None:
        raise TargetWrong
    if outcome == RunKind.ENABLE and owner.is_enabled:
        raise TargetDoesNotNeedIt(login=owner.login)
    return Target(outcome, owner.key, owner.login)


def _new_target(report: Report, target_key: str, login: str) -> Target:
    if target_key or not login:
        raise TargetWrong
    taken = [owner.login for owner in report.owners if texts.folded(owner.login) == texts.folded(login)]
    if taken:
        raise LoginOfAnOwner(login=login, owner=", ".join(taken))
    return Target(RunKind.CREATE, "", login)


def check_beneficiary(incident: Incident, person: Person) -> None:
    """The beneficiary neither requests nor works on it, and is as real as the platform.

    Raises:
        BeneficiaryMayNotTakePart, PracticeMeetsReal
    """
    if person.practice != incident.practice:
        raise PracticeMeetsReal
    if person.pk in colleagues.participants(incident):
        raise BeneficiaryMayNotTakePart
