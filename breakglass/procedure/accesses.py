"""Takes a temporary login away once more, proves it, and records the platform's own words. Repeated until it is proven."""

import json

from audit import clock, events, log
from breakglass.people.models import Account
from breakglass.procedure.models import Incident
from breakglass.procedure.standing import lock
from breakglass.procedure.steps import step, username
from recovery import access as doors
from recovery import platforms
from recovery.models import Access


def close(access: Access, *, by: Account | str) -> Access:
    """Close the login on the platform if it is still there, prove it gone, and record both. Nothing happens twice.

    Raises:
        AccessNotProven, PlatformRefused: it is not recorded as proven; ask again.
    """
    platform = platforms.get(access.platform)
    ended = doors.close(platform, access.pk)
    proof = doors.prove(platform, access.pk)
    incident = Incident.objects.get(reference=access.run.incident)
    return _record(incident, by=by, access=access, ended=ended, proof=proof)


@step
def _record(incident: Incident, *, by: Account | str, access: Access, ended: int, proof: dict[str, object]) -> Access:
    incident = lock(incident)
    now = clock.now()
    closed = Access.objects.filter(pk=access.pk, closed_at=None).update(closed_at=now)
    proven = Access.objects.filter(pk=access.pk, proven_at=None).update(
        proven_at=now, proof=json.dumps(proof, ensure_ascii=False, sort_keys=True)
    )
    facts = {"access": str(access.pk), "role": access.role_name, "run": str(access.run_id)}
    if closed:
        log.append(events.ACCESS_CLOSED, by=username(by), incident=incident.reference, sessions_ended=ended, **facts)
    if proven:
        log.append(events.ACCESS_PROVEN, by=username(by), incident=incident.reference, proof=proof, **facts)
    access.refresh_from_db()
    return access
