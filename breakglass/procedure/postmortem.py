"""The post-mortem: four boxes with content, a review by Security, and the closing. Closed is final."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit import blobs, clock, events, log
from breakglass.people.models import Account, DutyName
from breakglass.procedure import colleagues, execution, policy, revocation, sealing, standing, texts
from breakglass.procedure.change_refusals import BacklogAddressWrong, BoxesMissing, ReviewBySomebodyElse
from breakglass.procedure.models import Bundle, Execution, Incident, Participant, PostMortem, Review
from breakglass.procedure.states import State
from breakglass.procedure.steps import recorded, step
from recovery import diagnosis, platforms
from recovery.models import Access, RunState
from recovery.running import seals

AFTER_CHANGE = (State.EXECUTED, State.PROVEN, State.REVOKED, State.SEALED)
REVIEW_WITHIN = timedelta(hours=24)
BOXES = {
    "root_cause": gettext_lazy("root cause"),
    "permissions_review": gettext_lazy("permission review"),
    "backlog_item": gettext_lazy("preventative backlog item"),
}
CONDITIONS = {
    "is_sealed": gettext_lazy("a sealed bundle"),
    "is_sealed_last": gettext_lazy("a bundle that is newer than the last run"),
    "is_reviewed": gettext_lazy("Security's review"),
    "is_decided": gettext_lazy("a decision on every run"),
    "is_proven_gone": gettext_lazy("the proof that every access is gone"),
}


@step
def write(
    incident: Incident,
    *,
    by: Account,
    root_cause: str = "",
    permissions_review: str = "",
    backlog_item: str = "",
    backlog_url: str = "",
) -> PostMortem:
    """Write the boxes; empty ones may follow later. Every version stays in the history and, as a file, in the log.

    Raises:
        NotNow, BacklogAddressWrong, TextTooLong, DutyMissing
    """
    incident = standing.lock(incident)
    standing.require_state(incident, *AFTER_CHANGE)
    if backlog_url and urlsplit(backlog_url).scheme not in {"http", "https"}:
        raise BacklogAddressWrong
    colleagues.take_part(incident, by=by, part=Participant.Part.TOOK_OVER)
    now = clock.now()
    paper = _paper(incident, now)
    boxes = {
        "root_cause": root_cause.strip(),
        "permissions_review": permissions_review.strip(),
        "backlog_item": backlog_item.strip(),
        "backlog_url": backlog_url.strip(),
    }
    for name, text in boxes.items():
        setattr(paper, name, text)
    paper.written_by, paper.written_at = by, now
    paper.save(update_fields=[*boxes, "written_by", "written_at"])
    log.append(events.POSTMORTEM_WRITTEN, by=by.username, incident=incident.reference, evidence=[_kept(paper, boxes)])
    return paper


def _paper(incident: Incident, now: datetime) -> PostMortem:
    """The incident's paper; a change that is undecided for long may come before the row that its result makes."""
    due_at = policy.working_days_after(now, execution.POST_MORTEM_WORKING_DAYS)
    paper, _made = PostMortem.objects.get_or_create(incident=incident, defaults={"due_at": due_at})
    return paper


def _kept(paper: PostMortem, boxes: dict[str, str]) -> dict[str, object]:
    version = paper.history.count()
    name = f"post_mortem/version-{version}.json"
    data = json.dumps(boxes, ensure_ascii=False, indent=1, sort_keys=True).encode()
    return {**blobs.keep(data, media_type="application/json", name=name).as_evidence(name), "kind": "post_mortem"}


@step
def review(incident: Incident, *, by: Account, findings: str) -> Review:
    """Security's own look at the incident, by somebody who had no part in it. Due 24 hours after the change.

    Raises:
        DutyMissing, ReviewBySomebodyElse, TextMissing, NotNow
    """
    incident = standing.lock(incident)
    standing.require_state(incident, *AFTER_CHANGE)
    colleagues.require(by, DutyName.SECURITY, practice=incident.practice)
    if revocation.had_part(incident, by):
        raise ReviewBySomebodyElse
    texts.require(findings=findings)
    made = Review.objects.create(
        incident=incident, account=by, person_id=by.person_id, at=clock.now(), findings=findings.strip()
    )
    log.append(events.POSTMORTEM_REVIEWED, by=by.username, incident=incident.reference, findings=made.findings)
    return made


def review_due_at(incident: Incident) -> datetime | None:
    """When Security's review is due: 24 hours after the change. None while nothing was changed."""
    changed = execution.last_committed(incident)
    return changed.run.decided_at + REVIEW_WITHIN if changed and changed.run.decided_at else None


def permissions_draft(incident: Incident, *, by: Account) -> str:
    """All owners of the platform as they are now, one line each, for somebody to judge: who should still be one?

    Raises kinds of PlatformRefused.
    """
    with recorded("postmortem.permissions_draft", incident, by=by):
        report = diagnosis.read(platforms.get(incident.platform))
    lines = [_owner_line(owner) for owner in report.owners]
    title = _("{count} platform owners, read {at} (UTC):").format(count=len(lines), at=f"{clock.now():%Y-%m-%d %H:%M}")
    return "\n".join([title, *lines])


def _owner_line(owner: diagnosis.Owner) -> str:
    what = ", ".join(blocker.sentence for blocker in owner.blockers) or _("can sign in")
    last = owner.last_sign_in or _("never")
    return _("- {login} ({tenant}): {what}; last sign-in {last}").format(
        login=owner.login, tenant=owner.tenant, what=what, last=last
    )


@dataclass(frozen=True)
class Progress:
    """How far the incident is from its closing: its paper, and what is missing, for people to read."""

    paper: PostMortem | None
    missing: list[str]


def missing(incident: Incident) -> list[str]:
    """What still stands between the incident and its closing, for people to read; empty means that it may be closed."""
    return progress(incident).missing


def progress(incident: Incident) -> Progress:
    """The paper and what is missing, as of one moment."""
    asked = Incident.objects.select_related("post_mortem__written_by").annotate(**_conditions())
    found = asked.get(pk=incident.pk)
    paper = getattr(found, "post_mortem", None)
    boxes = [str(title) for name, title in BOXES.items() if not (paper and getattr(paper, name).strip())]
    return Progress(paper, boxes + [str(title) for name, title in CONDITIONS.items() if not getattr(found, name)])


def _conditions() -> dict[str, Any]:
    """Each of CONDITIONS as the database is asked, of an incident."""
    runs = Execution.objects.filter(incident=OuterRef("pk"))
    bundles = Bundle.objects.filter(incident=OuterRef("pk")).order_by("-id")
    opened = Access.objects.filter(run__incident=OuterRef("reference"))
    return {
        "last_bundle_at": Subquery(bundles.values("at")[:1]),
        "is_sealed": Coalesce(Subquery(bundles.values("integrity")[:1]), False),
        "is_sealed_last": ~Exists(runs.filter(run__decided_at__gt=OuterRef("last_bundle_at"))),
        "is_reviewed": Exists(Review.objects.filter(incident=OuterRef("pk"))),
        "is_decided": ~Exists(runs.exclude(run__state__in=[RunState.COMMITTED, RunState.ABORTED])),
        "is_proven_gone": ~Exists(opened.filter(proven_at=None)),
    }


@step
def close(incident: Incident, *, by: Account) -> Incident:
    """Close the incident for ever, and destroy the key of the sealed rows.

    Raises:
        BoxesMissing: it names what is missing. NotNow: the evidence is not sealed.
    """
    incident = standing.lock(incident)
    standing.require_state(incident, State.SEALED)
    left, bundle = missing(incident), sealing.latest(incident)
    if left or bundle is None:
        raise BoxesMissing(boxes=", ".join(left))
    colleagues.take_part(incident, by=by, part=Participant.Part.TOOK_OVER)
    now = clock.now()
    paper = _paper(incident, now)
    paper.bundle = bundle
    paper.save(update_fields=["bundle"])
    seals.wipe(incident.reference, at=now)
    standing.move(incident, State.CLOSED, closed_at=now)
    incident.closed_at = now
    log.append(events.INCIDENT_CLOSED, by=by.username, incident=incident.reference, bundle=bundle.sha256)
    return incident
