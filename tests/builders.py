"""Builders that reach a state through the real steps only. Each takes the platform fixture's Acme and uses the practice cast.

olivia (Ops) requests, plans and opens the window; omar (Ops) and sam (Security) approve; dana gets the account.
"""

from types import SimpleNamespace

from breakglass.people.models import Account
from breakglass.procedure import approvals, incidents, planning, windows
from breakglass.procedure.models import Approval, Incident, Plan, Window
from recovery.diagnosis import Report
from recovery.models import Run, RunKind
from tests import cast
from tests.acme import Acme

TICKET = "OPS-4711"
BENEFICIARY = {"beneficiary_name": "Dana Reyes", "beneficiary_contact": "+1 555 0100"}


def people() -> SimpleNamespace:
    """The practice cast; the same accounts however often it is asked for."""
    return cast.everybody(practice=True)


def opened(platform: Acme, *, by: Account | None = None, **given: object) -> Incident:
    """An open incident on Acme, requested by olivia."""
    said = {"trigger": "no_owner", "ticket": TICKET, "reason": "Nobody can sign in as an owner."}
    return incidents.open(by=by or people().olivia, platform=platform.name, **{**said, **given})


def diagnosed(platform: Acme, *, by: Account | None = None) -> Incident:
    """An incident with its diagnosis."""
    incident = opened(platform, by=by)
    incidents.diagnose(incident, by=by or incident.requester_account)
    return fresh(incident)


def chosen(platform: Acme, outcome: str = RunKind.RESET, **given: object) -> Incident:
    """An incident with its outcome: B for the first owner that may have it, C, or A with Security's reason."""
    incident = given.pop("incident", None) or diagnosed(platform)
    by = given.pop("by", incident.requester_account)
    wanted = {"outcome": outcome, "why": "Head of platform, as the directory says.", "reachable": True}
    incidents.choose(incident, by=by, **{**wanted, **BENEFICIARY, **_target(incident, outcome), **given})
    return fresh(incident)


def _target(incident: Incident, outcome: str) -> dict[str, str]:
    if outcome == RunKind.CREATE:
        lift_stop(incident)
        return {"login": "new-owner@acme.example", "display_name": "New Owner"}
    report = Report.from_json(incident.diagnoses.latest("id").owners)
    fitting = [one for one in report.owners if one.is_owner and (outcome == RunKind.RESET or not one.is_enabled)]
    return {"target_key": fitting[0].key}


def lift_stop(incident: Incident, kind: str = "create") -> None:
    """Simone of Security writes why A although B or C would do (or why a healthy owner does not stop the way)."""
    incidents.override(incident, by=people().simone, kind=kind, reason="The owners have left the company.")


def planned(platform: Acme, outcome: str = RunKind.RESET, *, window_minutes: int = 30, **given: object) -> Plan:
    """A plan that waits for its approvals."""
    incident = chosen(platform, outcome, **given)
    return planning.make(incident, by=incident.requester_account, window_minutes=window_minutes)


def approve(plan: Plan, by: Account, duty: str | None = None) -> Approval:
    """One approval with a fresh code."""
    return approvals.give(plan, by=by, code=cast.code_for(by), duty=duty)


def approved(platform: Acme, outcome: str = RunKind.RESET, **given: object) -> Plan:
    """A plan that omar and sam have approved."""
    plan = planned(platform, outcome, **given)
    cast_ = people()
    approve(plan, cast_.omar)
    approve(plan, cast_.sam)
    return plan


def open_window(plan: Plan, by: Account | None = None) -> Window:
    """The window of an approved plan, opened by the requester with a fresh code."""
    opener = by or plan.incident.requester_account
    return windows.open(plan, by=opener, code=cast.code_for(opener))


def window_open(platform: Acme, outcome: str = RunKind.RESET, **given: object) -> Window:
    """An open window: the state in which a change may be made."""
    return open_window(approved(platform, outcome, **given))


def fresh(incident: Incident) -> Incident:
    """The incident as it is in the database now."""
    return Incident.objects.get(pk=incident.pk)


def fresh_of(run: Run) -> Incident:
    """The incident of a run as it is in the database now."""
    return Incident.objects.get(reference=run.incident)
