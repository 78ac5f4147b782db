"""A change on paper: the script is shown to who passes it on, and what became of it is found out from the platform itself."""

from datetime import datetime

from audit import clock, events, log
from breakglass.people.models import Account
from breakglass.people.step_up import RUN, StepUp
from breakglass.procedure import colleagues, execution, standing, texts
from breakglass.procedure.access_refusals import NoPaper, PlatformAnswers
from breakglass.procedure.models import Execution, Incident, Participant
from breakglass.procedure.steps import recorded, step
from recovery import platforms
from recovery.bastion import paper, receipts, reconcile
from recovery.bastion.receipts import Receipt
from recovery.models import AccessMode, Run


def current(incident: Incident) -> Execution | None:
    """The execution whose script is out and undecided. There is one at most: no run begins while another is undecided."""
    out = Execution.objects.select_related("run__paper", "plan", "account").filter(incident=incident)
    return out.filter(run__mode=AccessMode.PAPER, run__state__in=reconcile.WAITING).last()


def waiting(now: datetime) -> list[Run]:
    """Runs on paper about which the worker asks the platform."""
    out = Run.objects.select_related("paper").filter(mode=AccessMode.PAPER, state__in=reconcile.WAITING)
    return list(out.filter(paper__made_at__lte=now).order_by("claimed_at"))


def _digest(incident: Incident) -> str:
    found = current(incident)
    return found.run.plan_digest if found else ""


@step(step_up=RUN, digest=_digest)
def show(incident: Incident, *, by: Account, step_up: StepUp) -> str:
    """The script in clear, for the operator who passes it on to the bastion; each showing is in the log. Called with `code=`.

    Raises:
        NoPaper, ScriptOver, ScriptGone; ApproverMayNotTakePart, BeneficiaryMayNotTakePart: it is not the person.
    """
    incident = standing.lock(incident)
    run = _require(incident).run
    colleagues.take_part(incident, by=by, part=Participant.Part.RAN)
    text = paper.text_of(run.paper, at=clock.now())
    log.append(
        events.PAPER_SHOWN,
        by=by.username,
        incident=incident.reference,
        run=str(run.pk),
        script_sha256=run.paper.sha256,
        until=run.paper.until.isoformat(),
    )
    return text


def bring(incident: Incident, *, by: Account, text: str) -> Run:
    """Take the receipt that psql printed, compare it with the platform, and draw the consequence.

    Raises:
        NoPaper, ReceiptUnreadable, ReceiptOfAnother, ReceiptAltered
        PlatformRefused, ConnectionMissing: the platform cannot be asked; the run stays as it is.
    """
    with recorded("papers.bring", incident, by=by):
        colleagues.require(by, practice=incident.practice)
        run = _require(incident).run
        receipt = _read(run, text)
    _record_receipt(incident, by=by, run=run, receipt=receipt)
    return _look(incident, run, by=by, receipt=receipt)


def look(incident: Incident, *, by: Account) -> Run:
    """Look at the platform without a receipt. It makes nobody a participant: it changes nothing.

    Raises:
        NoPaper; PlatformRefused, ConnectionMissing
    """
    with recorded("papers.look", incident, by=by):
        colleagues.require(by, practice=incident.practice)
        run = _require(incident).run
    return _look(incident, run, by=by, receipt=None)


def _look(incident: Incident, run: Run, *, by: Account, receipt: Receipt | None) -> Run:
    with recorded("papers.look", incident, by=by):
        run = reconcile.look(run, by=by.username, receipt=receipt)
    return execution.conclude(incident, by=by, run=run)


def put_to_a_person(incident: Incident, *, by: Account, text: str) -> Run:
    """The console cannot reach the platform: Security decides by what people tell. text: the receipt, if there is one.

    Raises:
        NoPaper; PlatformAnswers: the console can find out by itself; ReceiptUnreadable, ReceiptOfAnother, ReceiptAltered
    """
    with recorded("papers.put_to_a_person", incident, by=by):
        colleagues.require(by, practice=incident.practice)
        texts.check(text=text)
        run = _require(incident).run
        receipt = _read(run, text) if text.strip() else None
        if reconcile.is_reachable(run):
            raise PlatformAnswers
    if receipt is not None:
        _record_receipt(incident, by=by, run=run, receipt=receipt)
    with recorded("papers.put_to_a_person", incident, by=by):
        return reconcile.give_up(run, by=by.username, receipt=receipt)


def _read(run: Run, text: str) -> Receipt:
    return receipts.read(text, run, platforms.get(run.platform).profile)


def _require(incident: Incident) -> Execution:
    found = current(incident)
    if found is None:
        raise NoPaper
    return found


@step
def _record_receipt(incident: Incident, *, by: Account, run: Run, receipt: Receipt) -> None:
    """Put on record what somebody brought, before anything is believed."""
    standing.lock(incident)
    log.append(
        events.PAPER_RECEIPT_GIVEN,
        by=by.username,
        incident=incident.reference,
        run=str(run.pk),
        receipt_sha256=receipt.sha256,
        transaction=receipt.xid,
        platform_clock=receipt.clock,
        rows=list(receipt.counts),
    )
