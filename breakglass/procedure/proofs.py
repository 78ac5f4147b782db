"""Proof of recovery: the recovered person signed in. The console sees it on the platform, or somebody says who confirmed it."""

from audit import events, log
from breakglass.people.models import Account
from breakglass.procedure import colleagues, execution, login_proofs, standing, texts
from breakglass.procedure.change_refusals import ChangeNotMade
from breakglass.procedure.models import Execution, Incident, Participant, SignInProof
from breakglass.procedure.states import State
from breakglass.procedure.steps import recorded, step, username
from recovery import platforms
from recovery.sign_in import proof as platform_proof

BEFORE_SEALING = (State.EXECUTED, State.PROVEN, State.REVOKED)


def look(incident: Incident, *, by: Account | str = "worker") -> SignInProof | None:
    """Ask the platform whether the recovered account has signed in since the change; record it once.

    The console's own login check is no sign-in of the person: after it, only a later one counts.

    Returns:
        The proof, or None while nobody has signed in.

    Raises:
        ChangeNotMade; PlatformRefused: the platform does not answer.
    """
    known = by_person(incident)
    if known is not None:
        return known
    changed = _changed(incident)
    with recorded("proofs.look", incident, by=by):
        noted = login_proofs.noted_by(login_proofs.of(incident).filter(execution=changed).last())
        detail = platform_proof.seen(platforms.get(incident.platform), changed.run, after=noted)
    return _record_seen(incident, by=by, execution=changed, detail=detail) if detail else None


def latest(incident: Incident) -> SignInProof | None:
    """The proof that counts most: of the person, else the console's own login check."""
    return by_person(incident) or SignInProof.objects.filter(incident=incident).last()


def by_person(incident: Incident) -> SignInProof | None:
    """The proof that the person signed in, which the console's own login check is not."""
    return SignInProof.objects.filter(incident=incident).exclude(how=SignInProof.How.CHECKED).last()


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
    proof = login_proofs.add_proof(incident, changed, how=SignInProof.How.CONFIRMED, detail=detail, account=by)
    log.append(events.PROOF_CONFIRMED, by=by.username, incident=incident.reference, detail=detail)
    return proof


@step
def _record_seen(incident: Incident, *, by: Account | str, execution: Execution, detail: str) -> SignInProof:
    incident = _locked(incident)
    if known := by_person(incident):
        return known
    proof = login_proofs.add_proof(incident, execution, how=SignInProof.How.SEEN, detail=detail, account=None)
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
