"""The incident report of an account that was disabled again: what was changed, by whom, what was wrong. It is kept as evidence.

Made from the console's records in the step that concludes the disabling, so that neither is there without the other.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from audit import clock
from breakglass.people.models import Account
from breakglass.procedure import evidence
from breakglass.procedure.machine_evidence import RECORDS, Piece
from breakglass.procedure.models import Approval, EvidenceItem, Execution, Incident
from recovery import images
from recovery.images import Image
from recovery.models import Run


def keep(incident: Incident, run: Run, *, by: Account | str) -> EvidenceItem:
    """Inside a step, on a locked incident: write the report of a committed run that disables, and keep it as evidence."""
    known = Execution.objects.select_related("run", "account", "person", "incident__requester_account")
    claim = known.select_related("undoes__run", "undoes__plan__choice", "undoes__plan__beneficiary").get(run=run)
    piece = Piece(EvidenceItem.Kind.INCIDENT_REPORT, name_of(run), text(claim).encode(), RECORDS)
    return evidence.keep(incident, [piece], by=by, at=clock.now())[0]


def latest(incident: Incident) -> EvidenceItem | None:
    """The incident report among the evidence, if something was disabled."""
    return incident.evidence_items.filter(kind=EvidenceItem.Kind.INCIDENT_REPORT).order_by("id").last()


def name_of(run: Run) -> str:
    """The report's path in the bundle."""
    return f"incident_report/run-{str(run.pk)[:8]}.md"


def text(claim: Execution) -> str:
    """The report as Markdown. What people typed is quoted, line by line. `claim` disables; its run is committed."""
    title = _("# {reference}: incident report").format(reference=claim.incident.reference)
    parts = [
        (_("What was wrong"), _quoted(claim.reason)),
        (_("What had been changed"), _changed(claim.undoes)),
        (_("Who had approved it"), _approvals(claim.undoes)),
        (_("When it was disabled"), _disabled(claim)),
        (_("The incident"), _incident(claim.incident)),
    ]
    return "\n\n".join([title, *(f"## {heading}\n\n" + "\n".join(lines) for heading, lines in parts)]) + "\n"


def _changed(done: Any) -> Iterator[str]:
    plan, run = done.plan, done.run
    yield _("- change: {what}, account {login}, for {person}").format(
        what=run.get_kind_display(), login=plan.choice.login, person=plan.beneficiary.name
    )
    yield _("- plan {number}, “{words}”, SHA-256 {digest}").format(
        number=plan.number, words=plan.words, digest=plan.digest
    )
    yield from _made_by(run)
    yield from _rows(run)


def _approvals(done: Any) -> Iterator[str]:
    given = Approval.objects.filter(pk__in=[done.ops_approval_id, done.second_approval_id])
    for one in given.select_related("person", "account").order_by("id"):
        yield _("- {person} ({account}) for {side}, at {at}").format(
            person=one.person.name, account=one.account.username, side=one.get_side_display(), at=_at(one.at)
        )


def _disabled(claim: Execution) -> Iterator[str]:
    yield _("- asked for by {person} ({account}) at {at}; it needs no approval").format(
        person=claim.person.name, account=claim.account.username, at=_at(claim.at)
    )
    yield from _made_by(claim.run)
    yield from _rows(claim.run)


def _made_by(run: Run) -> Iterator[str]:
    yield _("- run {run}, operator {operator}, committed at {at}").format(
        run=run.pk, operator=run.operator, at=_at(run.decided_at)
    )


def _rows(run: Run) -> Iterator[str]:
    """Each column that differs; secrets stand there as fingerprints."""
    before = {image.place: image for image in images.from_json(run.before)}
    for after in images.from_json(run.after):
        for column, was, now in _differences(before.get(after.place), after):
            yield f"- {after.table} {after.row_key} ({after.label}): {column}: {images.told(was)} → {images.told(now)}"


def _differences(before: Image | None, after: Image) -> Iterator[tuple[str, Any, Any]]:
    was, now = (before and before.columns) or {}, after.columns or {}
    for column in dict.fromkeys([*was, *now]):
        if was.get(column) != now.get(column):
            yield column, was.get(column), now.get(column)


def _incident(incident: Incident) -> Iterator[str]:
    yield _("- platform {platform}, database {database}, ticket {ticket}").format(
        platform=incident.platform, database=incident.database_name, ticket=incident.ticket
    )
    yield _("- opened by {who} at {at}: {trigger}").format(
        who=incident.requester_account.username, at=_at(incident.opened_at), trigger=incident.get_trigger_display()
    )
    if incident.exposure_suspected:
        yield _("- exposure is suspected: every secret of the platform must be rotated")
    yield from _quoted(incident.reason)


def _quoted(typed: str) -> Iterator[str]:
    return (f"> {line}" for line in typed.splitlines())


def _at(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else ""
