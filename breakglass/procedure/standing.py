"""Where an incident stands: found and locked first, checked, and moved forward only. Every step begins here."""

from breakglass.procedure.models import Execution, Incident
from breakglass.procedure.refusals import IncidentFinal, IncidentUnknown, NotNow, RunUnderWay, SomebodyWasFaster
from breakglass.procedure.states import FINAL, State, may_move
from recovery.models import RunState


def lock(reference: str | Incident) -> Incident:
    """The incident as it is now, locked until the transaction ends: the first thing that every step does.

    Raises:
        IncidentUnknown
    """
    name = reference.reference if isinstance(reference, Incident) else reference
    incident = Incident.objects.select_for_update().filter(reference=name).first()
    if incident is None:
        raise IncidentUnknown(reference=name)
    return incident


def require_state(incident: Incident, *states: State) -> None:
    """Refuse a step that belongs to another moment; without states: refuse what is final. Raises IncidentFinal, NotNow."""
    if incident.state in FINAL:
        raise IncidentFinal
    if states and incident.state not in states:
        raise NotNow(state=incident.get_state_display())


def move(incident: Incident, end: State, **columns: object) -> None:
    """Move a locked incident forward.

    Raises:
        NotNow: no way leads there.
        SomebodyWasFaster: the row no longer has the state that was read.
    """
    if not may_move(State(incident.state), end):
        raise NotNow(state=incident.get_state_display())
    moved = Incident.objects.filter(pk=incident.pk, state=incident.state).update(state=end, **columns)
    if moved != 1:
        raise SomebodyWasFaster
    incident.state = end


def require_no_run(incident: Incident) -> None:
    """Refuse when a run changed the platform, or may have. Raises RunUnderWay."""
    if Execution.objects.filter(incident=incident).exclude(run__state=RunState.ABORTED).exists():
        raise RunUnderWay
