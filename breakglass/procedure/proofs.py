"""Proof of recovery: the recovered person signed in. The console sees it on the platform, or somebody says who confirmed it."""

from audit import clock, events, log
from breakglass.people.models import Account
from breakglass.procedure import colleagues, execution, standing, texts
from breakglass.procedure.change_refusals import ChangeNotMade
from breakglass.procedure.models import Execution, Incident, Participant, SignInProof
from breakglass.procedure.states import State
from breakglass.procedure.steps import recorded, step, username
from recovery import platforms
from recovery import proof as platform_proof

BEFORE_SEALING = (State.EXECUTED, State.PROVEN, State.REVOKED)


def look(incident: Incident, *, by: Account | str = "worker") -> SignInProof | None:
    """Ask the platform whether the recovered account has signed in since the change; record it once.

    Returns:
        The proof, or None while nobody has signed in.

    Raises:
        ChangeNotMade; PlatformRefused: the platform does not answer.
    """
    known = latest(incident)
    if known is not None:
        return known
    changed = _changed(incident)
    with recorded("proofs.look", incident, by=by):
        detail = platform_proof.seen(platforms.get(incident.platform), changed.run)
    return _record_seen(incident, by=by, execution=changed, detail=detail) if detail else None


def latest(incident: Incident) -> SignInProof | None:
    return SignInProof.objects.filter(incident=incident).last()


@step
def confirm(incident: Incident, *, by: Account, detail: str) -> SignInProof:
    """Record that somebody confirmed the sign-in, and how; for platforms that do not show it.

    Raises:
        ChangeNotMade, TextMissing, NotNow
    """
    incident = _locked(incident)
    texts.require(detail=detail)
    changed = _changed(incident)
    colleagues.take_part(incident, by=by, part=Participant.Part.TOOK_OVER)
    proof = _add(incident, changed, how=SignInProof.How.CONFIRMED, detail=detail, account=by)
    log.append(events.PROOF_CONFIRMED, by=by.username, incident=incident.reference, detail=detail)
    return proof


@step
def _record_seen(incident: Incident, *, by: Account | str, execution: Execution, detail: str) -> SignInProof:
    incident = _locked(incident)
    if known := latest(incident):
        return known
    proof = _add(incident, execution, how=SignInProof.How.SEEN, detail=detail, account=None)
    name = username(by)
    log.append(events.PROOF_SEEN, by=name, incident=incident.reference, run=str(execution.run_id), detail=detail)
    return proof


def _locked(incident: Incident) -> Incident:
    incident = standing.lock(incident)
    standing.require_state(incident, *BEFORE_SEALING)
    return incident


def _changed(incident: Incident) -> Execution:
    changed = execution.last_committed(incident)
    if changed is None:
        raise ChangeNotMade
    return changed


def _add(incident: Incident, changed: Execution, **facts: object) -> SignInProof:
    proof = SignInProof.objects.create(incident=incident, execution=changed, at=clock.now(), **facts)
    if incident.state == State.EXECUTED:
        standing.move(incident, State.PROVEN)
    return proof
