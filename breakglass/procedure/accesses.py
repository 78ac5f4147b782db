"""An access that a database administrator opens and closes by hand: prepared, seen open, used or given up.

The statements are printed only after the keeper has agreed; the console itself opens nothing here.
"""

from django.utils.translation import gettext as _

from audit import events, log
from audit.refusals import Refused
from breakglass.people.models import Account
from breakglass.people.step_up import DISABLE, RUN, StepUp
from breakglass.procedure import colleagues, execution, handover, standing, waiting, window_ends
from breakglass.procedure.access_refusals import AccessAlreadyPrepared, NoAccessByHand, NothingPrepared
from breakglass.procedure.models import Execution, Incident, Participant
from breakglass.procedure.refusals import WindowClosed
from breakglass.procedure.steps import recorded, step
from recovery import platforms
from recovery.doors import openings, premade
from recovery.models import Access, Run, RunKind, RunState
from recovery.running import records, runs


def prepare(incident: Incident, *, by: Account, code: str) -> Run:
    """Claim the plan's run and have the keeper agree to one opening of the pre-made login. `code` is a fresh one.

    Returns:
        The run: it waits (INTENT) for the login to be opened; ABORTED when the keeper refused or fell silent.

    Raises:
        NoAccessByHand, AccessAlreadyPrepared, WindowClosed, PlanVoid, ChangeAlreadyMade, ChangeUnknownYet
        PremadeNotClosed, AccessNotClosed, PlatformRefused: the login is not closed from before, or nobody can tell.
    """
    require_closed(incident, by=by)
    return ask(_claim(incident, by=by, code=code))


def require_closed(incident: Incident, *, by: Account) -> None:
    """The pre-made login is closed and harmless, and every earlier opening of it is proven over. See `prepare` for what it raises."""
    with recorded("accesses.require_closed", incident, by=by):
        platform = platforms.get(incident.platform)
        for earlier in waiting.unproven(incident):
            openings.close(earlier, by=by.username)
        premade.require_closed(platform, database_name=incident.database_name)


@step(step_up=RUN, digest=handover.digest_of_current)
def _claim(incident: Incident, *, by: Account, step_up: StepUp) -> Run:
    incident = standing.lock(incident)
    plan, window = handover.require_open(incident)
    if not waiting.is_premade(plan):
        raise NoAccessByHand
    if waiting.executions(incident).exists():
        raise AccessAlreadyPrepared
    colleagues.take_part(incident, by=by, part=Participant.Part.RAN)
    return execution.record_claim(incident, plan, window, operator=by, by=by.username)


def ask(run: Run) -> Run:
    """Have the keeper agree to open the login for this claimed run. A no is the end of the run, with its reason."""
    try:
        openings.prepare(run, platforms.get(run.platform))
    except Refused as refused:
        told = {"decided_by": runs.EXECUTOR, "by": run.operator, "refusal": refused.code}
        return records.aborted(run, refused.sentence, of=RunState.INTENT, **told)
    return run


def verify(incident: Incident, *, by: Account) -> Access:
    """Look whether the login is open exactly as it was asked for. It makes nobody a participant: it changes nothing.

    Raises:
        NothingPrepared; AccessNotOpenAsAsked: closed, or open otherwise; PlatformRefused.
    """
    with recorded("accesses.verify", incident, by=by):
        colleagues.require(by, practice=incident.practice)
        return openings.verify(_prepared(incident)[1], by=by.username)


def check_closed(incident: Incident, *, by: Account) -> None:
    """Look whether every login that the incident had opened is closed by now, and record the proof.

    Raises:
        AccessNotClosed: it names what the database administrator has to run; PlatformRefused.
    """
    with recorded("accesses.check_closed", incident, by=by):
        colleagues.require(by, practice=incident.practice)
        for opened in waiting.unproven(incident):
            openings.close(opened, by=by.username)


@step
def give_up(incident: Incident, *, by: Account) -> Run:
    """End the run that waits for its access; the login has to be closed all the same. Raises NothingPrepared."""
    incident = standing.lock(incident)
    found = waiting.executions(incident).last()
    if found is None:
        raise NothingPrepared
    colleagues.take_part(incident, by=by, part=Participant.Part.RAN)
    run = Run.objects.select_for_update().get(pk=found.run_id)  # before the clock, as every move of a run does
    reason = _("{who} gave the prepared access up before it was used.").format(who=by.username)
    run = records.aborted(run, reason, of=RunState.INTENT, decided_by=runs.EXECUTOR, by=by.username)
    log.append(events.ACCESS_GIVEN_UP, by=by.username, incident=incident.reference, run=str(run.pk))
    return run


def disable(incident: Incident, *, by: Account, code: str) -> Run:
    """Make the prepared “disable now” through the login that was seen open. `code` is a fresh one.

    Raises:
        NothingPrepared, AccessNotReady, WindowClosed
    """
    run = _use_for_disable(incident, by=by, code=code)
    return execution.carry_out(run, runs.prepare_values(run.content, password=None), by=by)


def _digest(incident: Incident) -> str:
    found = waiting.executions(incident).last()
    return found.run.plan_digest if found else ""


@step(step_up=DISABLE, digest=_digest)
def _use_for_disable(incident: Incident, *, by: Account, step_up: StepUp) -> Run:
    incident = standing.lock(incident)
    found, access = _prepared(incident)
    if found.kind != RunKind.DISABLE:
        raise NothingPrepared
    waiting.require_seen_open(access)
    window = window_ends.current(incident)
    if window is None or window.pk != found.window_id:
        raise WindowClosed
    colleagues.take_part(incident, by=by, part=Participant.Part.RAN)
    execution.record_claimed(incident, found.run, by=by.username)
    return found.run


def _prepared(incident: Incident) -> tuple[Execution, Access]:
    found = waiting.executions(incident).last()
    access = openings.agreed(found.run) if found else None
    if found is None or access is None:
        raise NothingPrepared
    return found, access
