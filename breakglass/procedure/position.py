"""Where an incident stands on the wizard's rail. Read from records only, never from a browser session."""

from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext_lazy as _

from breakglass.people.models import Person
from breakglass.procedure import approvals, planning, window_ends
from breakglass.procedure.models import Choice, Incident, Plan
from breakglass.procedure.states import FINAL, State
from recovery.models import RunState

Mark = Literal["done", "open", "later"]
TITLES = {
    "when": _("When to use"),
    "diagnosis": _("Diagnosis"),
    "outcome": _("Outcome"),
    "plan": _("Plan"),
    "approval": _("Approval"),
    "window": _("Window"),
    "execute": _("Execute"),
    "proof": _("Proof of recovery"),
    "revoke": _("Revoke"),
    "evidence": _("Evidence"),
    "post-mortem": _("Post-mortem"),
}
KEYS = tuple(TITLES)
# After the run, the state alone says which steps are open; proof may be given late, so revoking is open beside it.
AFTER_RUN = {
    State.EXECUTED: ("proof", "revoke"),
    State.PROVEN: ("revoke",),
    State.REVOKED: ("evidence",),
    State.SEALED: ("post-mortem",),
}


@dataclass(frozen=True)
class RailStep:
    """One step of the rail: its page's name in the urls, and whether it is done, open now, or later."""

    key: str
    title: str
    state: Mark
    url_name: str


def steps(incident: Incident, *, person: Person | None = None) -> list[RailStep]:
    """The whole rail of an incident. The same for everybody: what a person may do there is asked by the step."""
    open_keys = open_steps(incident)
    reached = KEYS.index(open_keys[0]) if open_keys else len(KEYS)
    done = _done_when_abandoned(incident) if incident.state == State.ABANDONED else KEYS[:reached]
    return [RailStep(key, str(TITLES[key]), _mark(key, open_keys, done), f"incident-{key}") for key in KEYS]


def first_open(incident: Incident) -> str:
    """The key of the step to go on with; of a closed incident the last one, of an abandoned one the first."""
    if incident.state == State.ABANDONED:
        return KEYS[0]
    open_keys = open_steps(incident)
    return open_keys[0] if open_keys else KEYS[-1]


def open_steps(incident: Incident) -> tuple[str, ...]:
    """The keys of the steps that are open now; none once the incident is final."""
    state = State(incident.state)
    if state in FINAL:
        return ()
    if state == State.OPENED:
        return ("diagnosis",)
    if state in AFTER_RUN:
        return AFTER_RUN[state]
    return (_before_run(incident),)


def _before_run(incident: Incident) -> str:
    plan = planning.current(incident)
    choice = Choice.objects.filter(incident=incident).order_by("-id").first()
    if choice is None:
        return "outcome"
    if plan is None or plan.choice_id != choice.pk:
        return "plan"
    return _of_plan(incident, plan)


def _of_plan(incident: Incident, plan: Plan) -> str:
    if plan.executions.exclude(run__state=RunState.ABORTED).exists():
        return "execute"  # also after the window's end, as long as it is unknown what the run did
    if planning.is_void(plan):
        return "plan"
    window = window_ends.current(incident)
    if window is not None and window.plan_id == plan.pk:
        return "execute"
    return "window" if len(approvals.live(plan)) == len(approvals.Side) else "approval"


def _mark(key: str, open_keys: tuple[str, ...], done: tuple[str, ...]) -> Mark:
    if key in open_keys:
        return "open"
    return "done" if key in done else "later"


def _done_when_abandoned(incident: Incident) -> tuple[str, ...]:
    if planning.current(incident):
        return KEYS[: KEYS.index("approval")]
    return KEYS[: KEYS.index("outcome")] if incident.diagnoses.exists() else KEYS[:1]
