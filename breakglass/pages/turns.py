"""Whose turn it is on a plan: who could give the approvals that are missing. It asks policy and decides nothing."""

from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef

from breakglass.people.models import LIVE, Account, Duty
from breakglass.procedure import policy
from breakglass.procedure.models import Approval, Incident, Plan

MOST_NAMED = 6


@dataclass(frozen=True)
class Waiting:
    """One side whose approval is missing, with the usernames of those who could give it."""

    side: str
    label: str
    names: tuple[str, ...]
    more: int


def facts_of(plan: Plan, live: dict[str, Approval]) -> policy.PlanFacts:
    """What the rules ask about the plan of a standing, from what the page has read already."""
    return policy.PlanFacts(
        beneficiary=plan.beneficiary_id,
        participants=frozenset(plan.participants),
        is_void=plan.void,
        practice=plan.incident.practice,
        live={side: approval.person_id for side, approval in live.items()},
    )


def waiting(incident: Incident, facts: policy.PlanFacts) -> list[Waiting]:
    """The sides that are missing, and who could approve for each."""
    known = _known(incident)
    return [_waiting(side, known, facts) for side in Approval.Side if side not in facts.live]


def _known(incident: Incident) -> list[tuple[str, policy.Somebody]]:
    """Everybody with a live duty on that side of practice, by username."""
    duties = Duty.objects.filter(LIVE, person=OuterRef("person")).values("name")
    accounts = Account.objects.filter(is_active=True, person__practice=incident.practice)
    rows = accounts.annotate(duties=ArraySubquery(duties)).order_by("username").values("username", "person", "duties")
    return [
        (row["username"], policy.Somebody(row["person"], frozenset(row["duties"]), incident.practice)) for row in rows
    ]


def _waiting(side: Approval.Side, known: list[tuple[str, policy.Somebody]], facts: policy.PlanFacts) -> Waiting:
    names = tuple(username for username, who in known if duties_for(who, facts, side))
    return Waiting(side.value, str(side.label), names[:MOST_NAMED], max(0, len(names) - MOST_NAMED))


def duties_for(who: policy.Somebody, facts: policy.PlanFacts, side: str = "") -> tuple[str, ...]:
    """The duties under which somebody could approve now, for one side or for any."""
    return tuple(
        name
        for name, its_side in policy.SIDE_OF_DUTY.items()
        if name in who.duties and side in ("", its_side) and policy.refusal_to_approve(who, facts, name) is None
    )
