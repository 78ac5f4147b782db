"""Makes the approved change: claims the run in one transaction, carries it out outside of any, then moves the incident on.

A password passes through here once, as an argument; it is never stored, logged or put into a refusal.
"""

import unicodedata
from typing import Any

from django.utils.translation import gettext as _

from audit import clock, events, log
from audit.models import Entry
from breakglass.people.models import Account
from breakglass.people.step_up import RUN, StepUp
from breakglass.procedure import (
    colleagues,
    handover,
    incident_reports,
    judging,
    login_proofs,
    messages,
    policy,
    standing,
    waiting,
    window_ends,
)
from breakglass.procedure.change_refusals import (
    HandoverVoided,
    PasswordIsTheLogin,
    PasswordNeeded,
    PasswordsDiffer,
    PasswordTooLong,
    PasswordTooShort,
    PasswordUnreadable,
)
from breakglass.procedure.models import Execution, Handover, Incident, Participant, Plan, PostMortem, Window
from breakglass.procedure.refusals import SomebodyWasFaster
from breakglass.procedure.states import State
from breakglass.procedure.steps import recorded, step, username
from recovery import platforms
from recovery.bastion import paper, reconcile
from recovery.models import AccessMode, Run, RunKind, RunState
from recovery.running import runs, settle

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024  # bytes; the platform's scheme may allow less
POST_MORTEM_WORKING_DAYS = 5
TO_NEXT_STATE = frozenset({RunKind.CREATE, RunKind.RESET, RunKind.ENABLE})
ROLLBACK_EVENTS = {RunKind.DISABLE: events.ROLLBACK_DISABLED, RunKind.RESTORE: events.ROLLBACK_RESTORED}


def hand_over(token: str, *, code: str, password: str, repeated: str, session_account: Account | None) -> Run:
    """The beneficiary's own step: the link, the approver's code and the new password, then the change and the login check.

    Args:
        session_account: who is signed in to the console in this browser, if anybody is.

    Returns:
        The run. Only COMMITTED means changed; ABORTED means that a new link is needed, everything else is unknown yet.

    Raises:
        Refused: of the link, the code, the password or the claim; recorded in the log. Nothing was sent to the platform.
    """
    link = handover.look(token, session_account=session_account)
    handover.check_code(link, code)
    with recorded("execution.hand_over", link, by="handover"):
        check_password(password, repeated, login=link.plan.choice.login)
        values = runs.prepare_values(link.plan.content, password=password)
    run = carry_out(claim(link), values, by="handover")
    login_proofs.play(run, password=password, by="handover")
    return run


def execute(incident: Incident, *, by: Account, code: str) -> Run:
    """The operator's own step, where no password is set: outcome C and a restore. `code` is a fresh one.

    Returns and raises as `hand_over` does.
    """
    run = _claim_for_operator(incident, by=by, code=code)
    return carry_out(run, runs.prepare_values(run.content, password=None), by=by)


def check_password(password: str, repeated: str, *, login: str) -> None:
    """What the console itself asks of a password; the platform's scheme sets its own limits when it is hashed.

    Raises:
        PasswordsDiffer, PasswordTooShort, PasswordTooLong, PasswordUnreadable, PasswordIsTheLogin
    """
    if password != repeated:
        raise PasswordsDiffer
    if len(password) < SHORTEST_PASSWORD:
        raise PasswordTooShort(least=SHORTEST_PASSWORD)
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in password):
        raise PasswordUnreadable
    if len(password.encode()) > LONGEST_PASSWORD:
        raise PasswordTooLong(most=LONGEST_PASSWORD)
    names = {login.casefold(), login.casefold().partition("@")[0]}
    if any(len(name) > 2 and name in password.casefold() for name in names):
        raise PasswordIsTheLogin


def claim(link: Handover) -> Run:
    """Use up the link and put the run's intent on record; nothing is sent yet."""
    return _claim_for_beneficiary(link, by="handover")


@step
def _claim_for_beneficiary(link: Handover, *, by: str) -> Run:
    incident = standing.lock(link.incident)
    plan, window = handover.require_open(incident)
    prepared = waiting.require_ready(plan)
    link.refresh_from_db()
    now = clock.now()
    handover.check_usable(link, now=now)
    if link.plan_id != plan.pk:
        raise HandoverVoided
    if Handover.objects.filter(pk=link.pk, used_at=None, voided_at=None).update(used_at=now) != 1:
        raise SomebodyWasFaster
    if prepared is not None:
        record_claimed(incident, prepared, by=by, plan=plan.number, handover=link.pk)
        return prepared
    return record_claim(incident, plan, window, operator=link.account, by=by, handover=link.pk)


@step(step_up=RUN, digest=handover.digest_of_current)
def _claim_for_operator(incident: Incident, *, by: Account, step_up: StepUp) -> Run:
    incident = standing.lock(incident)
    plan, window = handover.require_open(incident)
    if plan.outcome in handover.WITH_PASSWORD:
        raise PasswordNeeded
    prepared = waiting.require_ready(plan)
    colleagues.take_part(incident, by=by, part=Participant.Part.RAN)
    if prepared is not None:
        record_claimed(incident, prepared, by=by.username, plan=plan.number)
        return prepared
    return record_claim(incident, plan, window, operator=by, by=by.username)


def record_claim(
    incident: Incident, plan: Plan, window: Window, *, operator: Account, by: str, handover: int | None = None
) -> Run:
    """The intent, durable before anything is sent; the database checks it once more (trigger execution_is_allowed)."""
    run = new_run(incident, plan.content, plan.digest, kind=plan.outcome, window=window, operator=operator)
    undone = _undone_by(plan)
    Execution.objects.create(
        incident=incident,
        account=operator,
        person=operator.person,
        at=run.claimed_at,
        kind=plan.outcome,
        run=run,
        window=window,
        plan=plan,
        ops_approval=window.ops_approval,
        second_approval=window.second_approval,
        undoes=undone,
    )
    record_claimed(incident, run, by=by, plan=plan.number, **({"handover": handover} if handover else {}))
    return run


def _undone_by(plan: Plan) -> Execution | None:
    """For a restore, the committed run of the same incident whose rows it puts back."""
    if plan.outcome != RunKind.RESTORE:
        return None
    return last_committed(plan.incident)


def last_committed(incident: Incident) -> Execution | None:
    """The run of A, B or C that changed the platform, if there is one."""
    changed = Execution.objects.select_related("run", "plan__choice", "plan__beneficiary")
    return changed.filter(incident=incident, kind__in=TO_NEXT_STATE, run__state=RunState.COMMITTED).last()


def new_run(
    incident: Incident,
    content: str,
    digest: str,
    *,
    kind: str,
    window: Window,
    operator: Account,
    beneficiary: str = "",
) -> Run:
    """The run's row in its first state, not yet claimed by an execution."""
    return Run.objects.create(
        incident=incident.reference,
        kind=kind,
        plan_digest=digest,
        platform=incident.platform,
        system_identifier=incident.system_identifier,
        database_name=incident.database_name,
        **runs.facts_of(content),
        window_end=window.during.upper,
        operator=operator.username,
        beneficiary=beneficiary,
        content=content,
        claimed_at=clock.now(),
    )


def record_claimed(incident: Incident, run: Run, *, by: str, **facts: Any) -> None:
    log.append(
        events.RUN_CLAIMED,
        by=by,
        incident=incident.reference,
        run=str(run.pk),
        kind=run.kind,
        digest=run.plan_digest,
        operator=run.operator,
        **facts,
    )


def carry_out(run: Run, values: Any, *, by: Account | str) -> Run:
    """Run what was claimed, outside of any transaction, and draw its consequence. Returns the run as it then is.

    On paper nothing is run here: the script is made, and the run waits for what somebody did with it.
    """
    run = paper.make(run, values=values) if run.mode == AccessMode.PAPER else runs.carry_out(run, values=values)
    return conclude(Incident.objects.get(reference=run.incident), by=by, run=run)


def ask_again(incident: Incident, *, by: Account) -> Run:
    """Ask the platform once more about a run that needs a human. It makes nobody a participant: it changes nothing.

    Raises:
        NothingToJudge, DutyMissing; PlatformRefused: the platform does not answer, the run stays as it is.
    """
    with recorded("execution.ask_again", incident, by=by):
        colleagues.require(by, practice=incident.practice)
        run = judging.require_unclear(incident).run
        decide = reconcile.look if run.mode == AccessMode.PAPER else settle.settle
        run = decide(run, by=by.username)
    judging.record_asked(incident, by=by, run=run)
    return conclude(incident, by=by, run=run)


def judge(incident: Incident, *, by: Account, code: str, changed: bool, reason: str) -> Run:
    """Decide a run that needs a human: `changed` says whether the platform keeps it. `code` is a fresh one.

    Only Security, only somebody without part in the incident. The run is known as decided by a person for ever.

    Raises:
        NothingToJudge, DutyMissing, JudgementBySomebodyElse, TextMissing, CodeRefused, CodeAlreadyUsed, Overtaken
    """
    with recorded("execution.judge", incident, by=by):
        tenant_table = platforms.get(incident.platform).profile.tenant_table
        unclear = judging.require_unclear(incident).run
    if changed and unclear.mode == AccessMode.PAPER:
        reconcile.tell_rows(unclear)
    run = judging.decide(incident, by=by, code=code, changed=changed, reason=reason, tenant_table=tenant_table)
    return conclude(incident, by=by, run=run)


@step
def conclude(incident: Incident, *, by: Account | str, run: Run) -> Run:
    """Draw the consequence of a decided run, once: the incident moves on, people are told. An undecided one changes nothing."""
    incident = standing.lock(incident)
    run.refresh_from_db()
    if run.state != RunState.COMMITTED or is_concluded(incident, run):
        return run
    if run.kind in TO_NEXT_STATE:
        _move_on(incident, run)
    window_ends.end_now(incident, by=by, at=clock.now(), why="the change is made")
    if run.kind == RunKind.DISABLE:
        incident_reports.keep(incident, run, by=by)
    _tell(incident, run)
    event = ROLLBACK_EVENTS.get(RunKind(run.kind), events.INCIDENT_EXECUTED)
    log.append(event, by=username(by), incident=incident.reference, run=str(run.pk), kind=run.kind)
    return run


def is_concluded(incident: Incident, run: Run) -> bool:
    """Whether the log says that the consequence of this run was drawn."""
    event = ROLLBACK_EVENTS.get(RunKind(run.kind), events.INCIDENT_EXECUTED)
    return Entry.objects.filter(incident=incident.reference, event=event, entry__contains=f'"{run.pk}"').exists()


def _move_on(incident: Incident, run: Run) -> None:
    standing.move(incident, State.EXECUTED)
    decided_at = run.decided_at or clock.now()
    due_at = policy.working_days_after(decided_at, POST_MORTEM_WORKING_DAYS)
    PostMortem.objects.get_or_create(incident=incident, defaults={"due_at": due_at})


def _tell(incident: Incident, run: Run) -> None:
    messages.tell(
        messages.Kind.RUN_DECIDED,
        incident=incident,
        subject=_("{reference}: {what}").format(reference=incident.reference, what=run.get_kind_display()),
        body=_("The platform {platform} was changed once. The proof of recovery is next.").format(
            platform=incident.platform
        ),
    )
