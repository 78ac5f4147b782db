"""Runs that wait for a person on the platform's side: claimed, their pre-made login prepared, nothing sent yet."""

from datetime import datetime

from django.db.models import QuerySet

from audit import clock
from breakglass.procedure.access_refusals import AccessNotReady, AccessStillOpen
from breakglass.procedure.models import Execution, Incident, Plan
from recovery.doors import openings, premade
from recovery.models import Access, AccessMode, Run, RunState
from recovery.planning.documents import PlanDocument


def is_premade(plan: Plan) -> bool:
    """Whether the plan's change is made through a login that a DBA opens and closes by hand."""
    return PlanDocument(plan.content).mode == AccessMode.PREMADE


def executions(incident: Incident) -> QuerySet[Execution]:
    """Claims of the incident whose run waits for its access. There is one at most: no run begins beside another."""
    waiting = Execution.objects.select_related("run", "window", "plan", "account")
    return waiting.filter(incident=incident, run__mode=AccessMode.PREMADE, run__state=RunState.INTENT)


def of_plan(plan: Plan) -> Execution | None:
    return executions(plan.incident).filter(plan=plan).last()


def require_ready(plan: Plan) -> Run | None:
    """The waiting run of a plan whose pre-made login was seen open; None for a plan that needs none. Raises AccessNotReady."""
    if not is_premade(plan):
        return None
    found = of_plan(plan)
    if found is None:
        raise AccessNotReady
    require_seen_open(openings.agreed(found.run))
    return found.run


def require_seen_open(access: Access | None) -> None:
    """Raises AccessNotReady."""
    if access is None or access.opened_at is None or access.proven_at is not None:
        raise AccessNotReady


def unproven(incident: Incident) -> QuerySet[Access]:
    """Openings of a pre-made login by this incident that are not proven closed, oldest first; not the one of a waiting run."""
    opened = Access.objects.select_related("run").filter(run__incident=incident.reference, proven_at=None)
    decided = opened.filter(run__mode=AccessMode.PREMADE).exclude(run__state=RunState.INTENT)
    return decided.order_by("requested_at")


def require_closed(incident: Incident) -> None:
    """Raises AccessStillOpen with what the DBA has to run."""
    left = unproven(incident).last()
    if left is not None:
        raise AccessStillOpen(role=left.role_name, statement=premade.statements(left).close)


def still_waiting(moment: datetime | None = None) -> QuerySet[Run]:
    """Runs that wait while their window is open: nobody settles them, a person may still open their access."""
    open_now = Execution.objects.filter(window__during__contains=moment or clock.now())
    return Run.objects.filter(mode=AccessMode.PREMADE, state=RunState.INTENT, pk__in=open_now.values("run"))
