"""What the worker does by itself. Nothing here decides whether something has expired: the database does, at use."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _
from procrastinate import JobContext
from procrastinate.contrib.django import app

from audit import clock, events, log
from audit.refusals import Refused
from breakglass.procedure import execution, messages, papers, postmortem, waiting, window_ends, worker
from breakglass.procedure.models import Execution, Incident, PostMortem, Review
from breakglass.procedure.states import FINAL, State
from breakglass.procedure.steps import step
from recovery.bastion import paper, reconcile
from recovery.doors import openings
from recovery.models import Access, AccessMode, Run, RunState
from recovery.running import settle

EVERY_5_SECONDS = "*/5 * * * * *"
EVERY_MINUTE = "0 * * * * *"
UNFINISHED_AFTER = timedelta(minutes=1)
EXECUTOR_CLOSES_WITHIN = timedelta(seconds=3)
OWNERS_AGAIN = timedelta(hours=24)
Kind = messages.Kind

logger = logging.getLogger(__name__)


@app.periodic(cron=EVERY_5_SECONDS)
@app.task(name="tick", queueing_lock="tick", lock="tick")
def tick(timestamp: int) -> None:
    """Tick the guarded clock, record windows that are over, and draw the consequence of runs that were decided meanwhile."""
    clock.now()
    window_ends.record_ended()
    conclude_decided()
    paper.wipe_decided()


@app.periodic(cron=EVERY_5_SECONDS)
@app.task(name="close_left_over", queueing_lock="close_left_over", lock="close_left_over")
def close_left_over(timestamp: int) -> None:
    """Close every access that its run has left open and prove it gone, again and again until the platform confirms it."""
    for access in left_over(clock.now()):
        try:
            openings.close(access)
        except Refused as refused:
            logger.warning("%s is not proven gone: %s", access.role_name, refused)
            incident = Incident.objects.get(reference=access.run.incident)
            _tell_not_proven(incident, by="worker", role=access.title, why=refused.sentence)


def left_over(now: datetime) -> list[Access]:
    """Accesses not proven gone whose run is decided, or whose own end has passed."""
    ended = Q(run__decided_at__lte=now - EXECUTOR_CLOSES_WITHIN) | Q(until__lte=now)
    return list(Access.objects.select_related("run").filter(ended, proven_at=None).order_by("requested_at"))


@app.periodic(cron=EVERY_5_SECONDS)
@app.task(name="settle_unfinished", queueing_lock="settle_unfinished", lock="settle_unfinished")
def settle_unfinished(timestamp: int) -> None:
    """Find out what became of runs whose executor has been silent for a minute."""
    _settle(unfinished(clock.now()))


@app.periodic(cron=EVERY_MINUTE)
@app.task(name="ask_again", queueing_lock="ask_again", lock="settle_unfinished")
def ask_again(timestamp: int) -> None:
    """Ask the platform again about runs that need a human: a server may be back on its own timeline."""
    unclear = Run.objects.filter(state=RunState.NEEDS_HUMAN).exclude(mode=AccessMode.PAPER)
    _settle(list(unclear.order_by("claimed_at")))
    _settle(papers.waiting(clock.now()), by_asking=reconcile.look)


def _settle(undecided: list[Run], *, by_asking: Callable[[Run], Run] = settle.settle) -> None:
    for run in undecided:
        try:
            by_asking(run)
        except Refused as refused:
            logger.warning("Run %s is not settled: %s", run.pk, refused)
            _tell_unknown(Incident.objects.get(reference=run.incident), by="worker", run=run)
        if run.state == RunState.NEEDS_HUMAN:
            _tell_needs_human(Incident.objects.get(reference=run.incident), by="worker", run=run)
    conclude_decided()


def unfinished(now: datetime) -> list[Run]:
    """Runs without an outcome; a person may still open the access of some, and what became of paper is asked elsewhere."""
    undecided = Run.objects.filter(state__in=[RunState.INTENT, RunState.PREPARED])
    left = undecided.exclude(mode=AccessMode.PAPER, state=RunState.PREPARED)
    left = left.exclude(pk__in=waiting.still_waiting(now).values("pk"))
    return list(left.filter(claimed_at__lte=now - UNFINISHED_AFTER).order_by("claimed_at"))


def conclude_decided() -> None:
    """Move on what an executor decided but did not live to conclude."""
    committed = Execution.objects.select_related("run", "incident").filter(run__state=RunState.COMMITTED)
    waiting = committed.filter(Q(incident__state=State.PLANNED) | Q(kind__in=execution.ROLLBACK_EVENTS))
    for left in waiting.exclude(incident__state__in=FINAL):
        if execution.is_concluded(left.incident, left.run):
            continue
        execution.conclude(left.incident, by="worker", run=left.run)


@app.periodic(cron=EVERY_MINUTE)
@app.task(name="remind", queueing_lock="remind", lock="remind")
def remind(timestamp: int) -> None:
    """Tell the owners again once a day, and whoever must review or write a post-mortem when that is overdue."""
    now = clock.now()
    for incident in Incident.objects.exclude(state__in=FINAL).order_by("id"):
        for kind, subject, body in _reminders(incident, now):
            if messages.is_due_again(kind, incident, every=OWNERS_AGAIN, now=now):
                _remind(incident, by="worker", kind=kind, subject=subject, body=body)


def _reminders(incident: Incident, now: datetime) -> list[tuple[str, str, str]]:
    names = {"reference": incident.reference, "platform": incident.platform, "state": incident.get_state_display()}
    found: list[tuple[str, str, str]] = []
    if incident.opened_at + OWNERS_AGAIN <= now:
        subject = _("{reference}: break-glass on {platform} is still open ({state})").format(**names)
        found.append((Kind.OWNERS_TOLD, subject, _("The platform's owners are told once a day until it is closed.")))
    due_at = postmortem.review_due_at(incident)
    if due_at and due_at <= now and not Review.objects.filter(incident=incident).exists():
        subject = _("{reference}: Security's review is overdue").format(**names)
        found.append((Kind.REVIEW_DUE, subject, _("It is for somebody of Security who had no part in the incident.")))
    if PostMortem.objects.filter(incident=incident, due_at__lte=now).exists():
        subject = _("{reference}: the post-mortem is overdue").format(**names)
        found.append((Kind.POST_MORTEM_DUE, subject, _("The incident stays open until its four boxes have content.")))
    return found


@step
def _remind(incident: Incident, *, by: str, kind: str, subject: str, body: str) -> None:
    messages.tell(kind, incident=incident, subject=subject, body=body)


@step
def _tell_not_proven(incident: Incident, *, by: str, role: str, why: str) -> None:
    subject = _("{reference}: the temporary login {role} is not proven gone")
    if _once(incident, Kind.ACCESS_NOT_PROVEN, subject.format(reference=incident.reference, role=role), why):
        log.append(events.ACCESS_LEFT_OVER, by=by, incident=incident.reference, role=role)


@step
def _tell_unknown(incident: Incident, *, by: str, run: Run) -> None:
    subject = _("{reference}: the result of a run is unknown yet ({run})")
    _once(incident, Kind.RUN_UNKNOWN, subject.format(reference=incident.reference, run=str(run.pk)[:8]))


@step
def _tell_needs_human(incident: Incident, *, by: str, run: Run) -> None:
    subject = _("{reference}: a person must decide what became of a run ({run})")
    body = _("It is for somebody of Security who had no part in the incident: {why}").format(why=run.reason)
    _once(incident, Kind.RUN_UNKNOWN, subject.format(reference=incident.reference, run=str(run.pk)[:8]), body)


def _once(incident: Incident, kind: str, subject: str, body: str = "") -> bool:
    if incident.messages.filter(kind=kind, subject=subject).exists():
        return False
    goes_on = _("The console goes on trying by itself.")
    messages.tell(kind, incident=incident, subject=subject, body=f"{body} {goes_on}".strip())
    return True


@app.periodic(cron=EVERY_5_SECONDS)
@app.task(name="rescue", queueing_lock="rescue", pass_context=True)
async def rescue(context: JobContext, timestamp: int) -> None:
    """Take up the jobs of workers that were killed."""
    await worker.rescue(context.app)
