"""What the console itself testifies of an incident, read from its records: one piece per fact. It writes nothing."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext_lazy as _

from breakglass.procedure.models import Approval, EvidenceItem, Execution, Incident, Judgement
from breakglass.procedure.revocation import logins
from recovery.models import Access, DecidedBy, PaperScript, Run

Kind = EvidenceItem.Kind
RECORDS = _("the console's own records")
MEDIA_TYPES = {"json": "application/json", "md": "text/markdown; charset=utf-8"}


@dataclass(frozen=True)
class Piece:
    """A file to keep: kind of evidence, path in the bundle, content, where it comes from."""

    kind: str
    name: str
    data: bytes
    source: Any = RECORDS

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES.get(self.name.rpartition(".")[2], "application/octet-stream")


def of(incident: Incident) -> list[Piece]:
    """Diagnoses, plans, approvals, of each run its statements, rows and the proof that its login is gone, and who signed in."""
    before = (*_diagnoses(incident), *_plans(incident), *_approvals(incident))
    return [*before, *_runs(incident), *_accesses(incident), *_proofs(incident)]


def _diagnoses(incident: Incident) -> list[Piece]:
    found = incident.diagnoses.order_by("id")
    return [_piece(Kind.DIAGNOSIS, f"diagnosis/{n}.json", json.loads(made.owners)) for n, made in enumerate(found, 1)]


def _plans(incident: Incident) -> list[Piece]:
    plans = incident.plans.order_by("number")
    return [Piece(Kind.PLAN, f"plan/{plan.number}.json", plan.content.encode()) for plan in plans]


def _approvals(incident: Incident) -> list[Piece]:
    """One file per state of the approvals: its name carries the digest, since an approval may still be withdrawn."""
    given = Approval.objects.filter(incident=incident).select_related("plan", "account", "person", "withdrawn_by")
    refused = [
        {
            "plan": no.plan.number,
            "by": no.account.username,
            "person": no.person.name,
            "at": _at(no.at),
            "why": no.reason,
        }
        for no in incident.planrefusals.select_related("plan", "account", "person").order_by("id")
    ]
    content = {"approvals": [_approval(one) for one in given.order_by("id")], "refusals": refused}
    return [_named_by_content(Kind.APPROVALS, "approvals/approvals", content)]


def _approval(one: Approval) -> dict[str, Any]:
    return {
        "plan": one.plan.number,
        "digest": one.digest,
        "by": one.account.username,
        "person": one.person.name,
        "duty": one.duty,
        "side": one.side,
        "at": _at(one.at),
        "withdrawn_at": _at(one.withdrawn_at),
        "withdrawn_by": one.withdrawn_by.name if one.withdrawn_by else "",
        "withdrawn_reason": one.withdrawn_reason,
    }


def _runs(incident: Incident) -> list[Piece]:
    pieces = []
    executions = Execution.objects.filter(incident=incident).select_related("run", "account").order_by("id")
    for n, execution in enumerate(executions, 1):
        run = execution.run
        if run.is_decided:
            pieces.append(_named_by_content(Kind.STATEMENTS, f"statements/run-{n}-{run.kind}", _statements(execution)))
            pieces.append(_named_by_content(Kind.ROWS, f"rows/run-{n}-{run.kind}", _rows(run)))
    return pieces


def _statements(execution: Execution) -> dict[str, Any]:
    run = execution.run
    return {
        "run": str(run.pk),
        "kind": run.kind,
        "state": run.state,
        "operator": execution.account.username,
        "what_was_wrong": execution.reason,
        "plan_digest": run.plan_digest,
        "claimed_at": _at(run.claimed_at),
        "rehearsed_at": _at(run.rehearsed_at),
        "prepared_at": _at(run.prepared_at),
        "decided_at": _at(run.decided_at),
        "decided_by": run.decided_by,
        "reason": run.reason,
        "xid": run.xid,
        "mode": run.mode,
        "judgement": _judgement(execution),
        "statements": _parsed(run.statements),
    }


def _judgement(execution: Execution) -> dict[str, Any] | None:
    """For a run that a person decided, not the machine: who, why, and why the machine could not."""
    made = Judgement.objects.select_related("account", "person").filter(execution=execution).first()
    if made is None:
        return None
    said = {"changed": made.changed, "reason": made.reason, "machine_said": made.machine_said, "at": _at(made.at)}
    return {"decided_by": str(DecidedBy.PERSON.label), "by": made.account.username, "person": made.person.name, **said}


def _rows(run: Run) -> dict[str, Any]:
    named = ("before", "planned_after", "after")
    return {"run": str(run.pk), "state": run.state, **{name: _parsed(getattr(run, name)) for name in named}}


def _accesses(incident: Incident) -> list[Piece]:
    proven = [opened for opened in logins(incident) if opened.proven_at is not None]
    return [*(_piece(Kind.ACCESS, _file_of(opened), _access(opened)) for opened in proven), *_papers(incident)]


def _file_of(opened: Access) -> str:
    """A pre-made role has one proof for each of its openings."""
    return f"access/{opened.role_name}{f'-{opened.pk}' if opened.is_premade else ''}.json"


def _papers(incident: Incident) -> list[Piece]:
    """For a run on paper: that the console opened no login, and which script it gave out instead."""
    papers = PaperScript.objects.select_related("run").filter(run__incident=incident.reference).order_by("pk")
    decided = [paper for paper in papers if paper.run.is_decided]
    return [_piece(Kind.ACCESS, f"access/paper-{paper.run_id}.json", _paper(paper)) for paper in decided]


def _paper(paper: PaperScript) -> dict[str, Any]:
    moments = {name: _at(getattr(paper, name)) for name in ("made_at", "until", "wiped_at")}
    return {"mode": paper.run.mode, "login": None, "run": str(paper.run_id), "script_sha256": paper.sha256, **moments}


def _access(opened: Access) -> dict[str, Any]:
    moments = {name: _at(getattr(opened, name)) for name in ("requested_at", "opened_at", "closed_at", "proven_at")}
    return {"role": opened.role_name, "run": str(opened.run_id), **moments, "proof": _parsed(opened.proof)}


def _proofs(incident: Incident) -> list[Piece]:
    """The console's own sign-ins, whatever they said, and what was seen or confirmed of the person's; both may be empty."""
    checks = [
        {"run": str(check.execution.run_id), "at": _at(check.at), **_parsed(check.facts)}
        for check in incident.login_checks.select_related("execution")
    ]
    proofs = [
        {
            "how": proof.how,
            "detail": proof.detail,
            "by": proof.account.username if proof.account else "",
            "at": _at(proof.at),
        }
        for proof in incident.sign_in_proofs.select_related("account").order_by("id")
    ]
    return [_named_by_content(Kind.PROOF, "proof/sign-in", {"login_checks": checks, "proofs": proofs})]


def _at(moment: Any) -> str:
    return moment.isoformat() if moment else ""


def _parsed(text: str) -> Any:
    return json.loads(text) if text else None


def _named_by_content(kind: str, stem: str, content: dict[str, Any]) -> Piece:
    data = _data(content)
    return Piece(kind, f"{stem}-{sha256(data).hexdigest()[:8]}.json", data)


def _piece(kind: str, name: str, content: Any) -> Piece:
    return Piece(kind, name, _data(content))


def _data(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True).encode()
