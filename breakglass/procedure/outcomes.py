"""What stops the owners, why Security lets it go on all the same, and which one outcome is wanted for whom."""

import json
from dataclasses import asdict

from audit import clock, events, log
from breakglass.people.models import Account, DutyName, Person
from breakglass.procedure import choices, colleagues, texts, window_ends
from breakglass.procedure.colleagues import Part, take_part
from breakglass.procedure.models import Choice, Diagnosis, Incident, Override
from breakglass.procedure.refusals import OtherDatabase, OverrideByRequester
from breakglass.procedure.standing import lock, move, require_no_run, require_state
from breakglass.procedure.states import BEFORE_RUN, State
from breakglass.procedure.steps import recorded, step
from recovery import diagnosis, platforms
from recovery.diagnosis import Report
from recovery.language.profile import Blocker


def diagnose(incident: Incident, *, by: Account) -> Diagnosis:
    """Read every owner on the live platform, outside any transaction, then record it. The latest diagnosis counts.

    Raises:
        NotNow, OtherDatabase, DutyMissing, and recovery's refusals when the platform does not answer.
    """
    with recorded("incidents.diagnose", incident, by=by):
        colleagues.require(by, practice=incident.practice)
        report = diagnosis.read(platforms.get(incident.platform))
        _require_same_database(incident, report)
    return _diagnose(incident, by=by, report=report)


@step
def _diagnose(incident: Incident, *, by: Account, report: Report) -> Diagnosis:
    incident = lock(incident)
    require_state(incident, *BEFORE_RUN)
    take_part(incident, by=by, part=Part.TOOK_OVER)
    found = Diagnosis.objects.create(
        incident=incident,
        account=by,
        person_id=by.person_id,
        at=clock.now(),
        owners=report.to_json(),
        healthy=len(report.healthy),
        recommended=report.recommended,
    )
    if incident.state == State.OPENED:
        move(incident, State.DIAGNOSED)
    log.append(
        events.DIAGNOSIS_MADE,
        by=by.username,
        incident=incident.reference,
        diagnosis=found.pk,
        owners=len(report.owners),
        healthy=[owner.login for owner in report.healthy],
        recommended=report.recommended,
    )
    return found


def _require_same_database(incident: Incident, report: Report) -> None:
    found = (report.system_identifier, report.database_name)
    if found != (incident.system_identifier, incident.database_name):
        raise OtherDatabase


@step
def override(incident: Incident, *, by: Account, kind: str, reason: str) -> Override:
    """Security, but not the requester, writes why the latest diagnosis does not stop the way. Both approvers see it.

    Raises:
        DutyMissing, OverrideByRequester, NothingToOverride, DiagnosisMissing, TextMissing, NotNow
    """
    incident = lock(incident)
    require_state(incident, State.DIAGNOSED, State.PLANNED)
    texts.require(reason=reason)
    colleagues.require(by, DutyName.SECURITY, practice=incident.practice)
    if by.person_id == incident.requester_person_id:
        raise OverrideByRequester
    latest = choices.latest_diagnosis(incident)
    choices.check_needed(latest, kind)
    take_part(incident, by=by, part=Part.TOOK_OVER)
    written = Override.objects.create(
        incident=incident,
        account=by,
        person_id=by.person_id,
        at=clock.now(),
        diagnosis=latest,
        kind=kind,
        reason=reason.strip(),
    )
    log.append(
        events.OVERRIDE_WRITTEN,
        by=by.username,
        incident=incident.reference,
        kind=kind,
        reason=written.reason,
        diagnosis=latest.pk,
    )
    return written


def choose(
    incident: Incident,
    *,
    by: Account,
    outcome: str,
    target_key: str = "",
    login: str = "",
    display_name: str = "",
    beneficiary: Person | None = None,
    beneficiary_name: str = "",
    beneficiary_contact: str = "",
    why: str = "",
    reachable: bool = False,
) -> Choice:
    """Exactly one outcome, its target, and the human who will hold the account. What would still block is read first.

    Raises:
        DiagnosisMissing, HealthyOwner, SmallerChangeWouldDo, TargetWrong, TargetDoesNotNeedIt, LoginOfAnOwner,
        NobodySaysWho, ContactOfAnother, BeneficiaryMayNotTakePart, PracticeMeetsReal, NotNow, RunUnderWay, and recovery's refusals.
    """
    with recorded("incidents.choose", incident, by=by):
        texts.check(outcome=outcome, target_key=target_key, login=login, display_name=display_name, why=why)
        texts.check(beneficiary_name=beneficiary_name, beneficiary_contact=beneficiary_contact)
        colleagues.require(by, practice=incident.practice)
        target = choices.target(incident, outcome=outcome, target_key=target_key, login=login.strip())
        who = choices.Human(beneficiary, beneficiary_name.strip(), beneficiary_contact.strip(), why.strip())
        who.check()
        place = platforms.get(incident.platform)
        blockers = diagnosis.forecast(place, outcome=outcome, target_key=target.key)
    return _choose(
        incident,
        by=by,
        target=target,
        who=who,
        display_name=display_name.strip(),
        reachable=reachable,
        blockers=blockers,
    )


@step
def _choose(
    incident: Incident,
    *,
    by: Account,
    target: choices.Target,
    who: choices.Human,
    display_name: str,
    reachable: bool,
    blockers: tuple[Blocker, ...],
) -> Choice:
    incident = lock(incident)
    require_state(incident, State.DIAGNOSED, State.PLANNED)
    require_no_run(incident)
    choices.check_stops(incident, target.outcome)
    at = clock.now()
    person = who.person(incident, at=at)
    take_part(incident, by=by, part=Part.EDITED)
    choices.check_beneficiary(incident, person)
    window_ends.end_now(incident, by=by, at=at, why="another outcome was chosen")
    chosen = Choice.objects.create(
        incident=incident,
        account=by,
        person_id=by.person_id,
        at=at,
        outcome=target.outcome,
        target_key=target.key,
        login=target.login,
        display_name=display_name,
        beneficiary=person,
        why=who.why,
        reachable=reachable,
        forecast=json.dumps([asdict(found) for found in blockers], ensure_ascii=False),
    )
    log.append(
        events.OUTCOME_CHOSEN,
        by=by.username,
        incident=incident.reference,
        choice=chosen.pk,
        outcome=target.outcome,
        target=target.key,
        login=target.login,
        beneficiary=person.name,
        contact=person.contact,
        why=who.why,
        reachable=reachable,
    )
    return chosen
