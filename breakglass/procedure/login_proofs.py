"""The console's own sign-in with the password that was just set. It is recorded whatever it says and never costs the run.

The password passes through here once, as an argument; it is never stored, logged or put into a refusal.
"""

import json
from contextlib import suppress

from django.db.models import QuerySet

from audit import clock, events, log
from audit.refusals import Refused
from breakglass.procedure import standing
from breakglass.procedure.models import Choice, Execution, Incident, LoginCheck, SignInProof
from breakglass.procedure.states import State
from breakglass.procedure.steps import recorded, step
from recovery import platforms
from recovery.language.profile import NOTES
from recovery.models import Run, RunState
from recovery.sign_in import login_checks
from recovery.sign_in import proof as platform_proof
from recovery.sign_in.login_checks import Result
from recovery.sign_in.proof import Noted


def play(run: Run, *, password: str, by: str) -> LoginCheck | None:
    """Sign in on the platform as the recovered account and do what only an owner may, if its profile says how.

    Outside of any transaction, after the run is decided. It takes about 15 seconds at most, whatever the platform does.

    Returns:
        What was recorded; None when nothing could be tried: no committed run, no login check declared, or a refusal,
        which is in the log.
    """
    if run.state != RunState.COMMITTED:
        return None
    changed = Execution.objects.select_related("incident", "plan__choice").get(run=run)
    with suppress(Refused), recorded("login_proofs.play", changed.incident, by=by):
        platform = platforms.get(run.platform)
        if login_checks.is_declared(platform):
            result = _result(platform, changed.plan.choice, password=password)
            noted = _noted(platform, run)
            return _record(changed.incident, by=by, execution=changed, result=result, noted=noted)
    return None


def _result(platform: platforms.Platform, choice: Choice, *, password: str) -> Result:
    """Where the forecast says that the platform asks for more than a password, a try would be one more failed sign-in."""
    kinds = {found["kind"] for found in json.loads(choice.forecast or "[]")}
    if kinds & NOTES.keys():
        return login_checks.not_tried(platform)
    return login_checks.play(platform, login=choice.login, password=password)


def _noted(platform: platforms.Platform, run: Run) -> Noted | None:
    """What the platform shows of the console's own sign-in; None if it does not answer, which is no reason to stop here."""
    with suppress(Refused):
        return platform_proof.note(platform, run)
    return None


@step
def _record(incident: Incident, *, by: str, execution: Execution, result: Result, noted: Noted | None) -> LoginCheck:
    incident = standing.lock(incident)
    facts = result.as_facts()
    check = LoginCheck.objects.create(
        incident=incident,
        execution=execution,
        verdict=result.verdict,
        facts=json.dumps(facts, ensure_ascii=False),
        noted_at=noted.at if noted else None,
        noted=noted.seen if noted else "",
        at=clock.now(),
    )
    if result.is_recovered:
        add_proof(incident, execution, how=SignInProof.How.CHECKED, detail=result.sentence, account=None)
    log.append(events.PROOF_CHECKED, by=by, incident=incident.reference, run=str(execution.run_id), **facts)
    return check


def add_proof(incident: Incident, changed: Execution, **facts: object) -> SignInProof:
    """One more proof under a locked incident; the first one moves it on."""
    proof = SignInProof.objects.create(incident=incident, execution=changed, at=clock.now(), **facts)
    if incident.state == State.EXECUTED:
        standing.move(incident, State.PROVEN)
    return proof


def of(incident: Incident) -> QuerySet[LoginCheck]:
    """Every login check of the incident, the oldest first."""
    return LoginCheck.objects.filter(incident=incident)


def result_of(check: LoginCheck | None) -> Result | None:
    return Result.from_facts(json.loads(check.facts)) if check else None


def noted_by(check: LoginCheck | None) -> Noted | None:
    """What tells a later sign-in from the console's own; without the platform's word, the console's clock."""
    if check is None:
        return None
    return Noted(check.noted_at or check.at, check.noted)
