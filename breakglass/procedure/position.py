"""Where an incident stands on the wizard's rail. Read from records only, never from a browser session."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

from django.utils.translation import gettext_lazy as _

from audit import clock
from breakglass.people.models import Person
from breakglass.procedure import approvals, planning, window_ends
from breakglass.procedure.models import Approval, Choice, Incident, Plan, Window
from breakglass.procedure.states import FINAL, State

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


class Standing:
    """What the records say about an incident, each read when it is first asked for and then kept: for one page, never longer.

    For reading only. A step locks the incident and asks again.
    """

    def __init__(self, incident: Incident) -> None:
        self.incident = incident

    @cached_property
    def moment(self) -> datetime:
        """The guarded clock. Raises ClockMovedBack: every window counts as closed."""
        return clock.now()

    @property
    def has_moment(self) -> bool:
        """Whether anything has asked for the guarded clock yet; what does not, can be read when the clock moved back."""
        return "moment" in self.__dict__

    @cached_property
    def plan(self) -> Plan | None:
        """The latest plan, with what planning.with_standing adds."""
        return planning.with_standing(self.incident)

    @cached_property
    def choice(self) -> Choice | None:
        """The choice that counts."""
        if self.plan is not None and not self.plan.chosen_anew:
            return self.plan.choice
        return self.incident.choices.select_related("beneficiary", "account").order_by("-id").first()

    @cached_property
    def open_windows(self) -> list[Window]:
        """Every window that is open now, of all incidents."""
        return list(window_ends.open_at(self.moment).select_related("incident").order_by("id"))

    @property
    def window(self) -> Window | None:
        """The incident's own open window."""
        own = [window for window in self.open_windows if window.incident_id == self.incident.pk]
        return own[-1] if own else None

    @cached_property
    def live(self) -> dict[str, Approval]:
        """The approvals of the plan that count now: side -> approval."""
        return approvals.live(self.plan, at=self.moment) if self.plan is not None and not self.plan.void else {}


def steps(incident: Incident, *, person: Person | None = None, standing: Standing | None = None) -> list[RailStep]:
    """The whole rail of an incident. The same for everybody: what a person may do there is asked by the step."""
    standing = standing or Standing(incident)
    open_keys = open_steps(standing)
    reached = KEYS.index(open_keys[0]) if open_keys else len(KEYS)
    done = _done_when_abandoned(standing) if incident.state == State.ABANDONED else KEYS[:reached]
    return [RailStep(key, str(TITLES[key]), _mark(key, open_keys, done), f"incident-{key}") for key in KEYS]


def first_open(incident: Incident, *, standing: Standing | None = None) -> str:
    """The key of the step to go on with; of a closed incident the last one, of an abandoned one the first."""
    if incident.state == State.ABANDONED:
        return KEYS[0]
    open_keys = open_steps(standing or Standing(incident))
    return open_keys[0] if open_keys else KEYS[-1]


def open_steps(standing: Standing) -> tuple[str, ...]:
    """The keys of the steps that are open now; none once the incident is final."""
    state = State(standing.incident.state)
    if state in FINAL:
        return ()
    if state == State.OPENED:
        return ("diagnosis",)
    if state in AFTER_RUN:
        return AFTER_RUN[state]
    return (_before_run(standing),)


def _before_run(standing: Standing) -> str:
    if standing.choice is None:
        return "outcome"
    if standing.plan is None or standing.plan.chosen_anew:
        return "plan"
    return _of_plan(standing, standing.plan)


def _of_plan(standing: Standing, plan: Plan) -> str:
    if plan.has_run:
        return "execute"  # also after the window's end, as long as it is unknown what the run did
    if plan.void:
        return "plan"
    if standing.window is not None and standing.window.plan_id == plan.pk:
        return "execute"
    return "window" if len(standing.live) == len(approvals.Side) else "approval"


def _mark(key: str, open_keys: tuple[str, ...], done: tuple[str, ...]) -> Mark:
    if key in open_keys:
        return "open"
    return "done" if key in done else "later"


def _done_when_abandoned(standing: Standing) -> tuple[str, ...]:
    if standing.plan:
        return KEYS[: KEYS.index("approval")]
    return KEYS[: KEYS.index("outcome")] if standing.incident.diagnoses.exists() else KEYS[:1]
