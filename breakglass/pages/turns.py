"""Whose turn it is on a plan: who could give the approvals that are missing. It asks policy and decides nothing."""

from dataclasses import dataclass

from breakglass.pages import wizard
from breakglass.people.models import Account
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


def facts_of(plan: Plan, live: dict[str, Approval], *, is_void: bool) -> policy.PlanFacts:
    """What the rules ask about the plan, from what the page has read already."""
    participants = plan.incident.participants.values_list("person", flat=True)
    return policy.PlanFacts(
        beneficiary=plan.beneficiary_id,
        participants=frozenset(participants),
        is_void=is_void,
        practice=plan.incident.practice,
        live={side: approval.person_id for side, approval in live.items()},
    )


def waiting(incident: Incident, facts: policy.PlanFacts) -> list[Waiting]:
    """The sides that are missing, and who could approve for each."""
    accounts = _accounts(incident)
    return [_waiting(side, accounts, facts) for side in Approval.Side if side not in facts.live]


def _accounts(incident: Incident) -> list[Account]:
    known = Account.objects.filter(is_active=True, person__practice=incident.practice, person__duties__ended_at=None)
    return list(known.select_related("person").prefetch_related("person__duties").distinct().order_by("username"))


def _waiting(side: Approval.Side, accounts: list[Account], facts: policy.PlanFacts) -> Waiting:
    names = tuple(account.username for account in accounts if duties_for(account, facts, side))
    return Waiting(side.value, str(side.label), names[:MOST_NAMED], max(0, len(names) - MOST_NAMED))


def duties_for(account: Account, facts: policy.PlanFacts, side: str = "") -> tuple[str, ...]:
    """The duties under which the account could approve now, for one side or for any."""
    who = wizard.somebody(account)
    return tuple(
        name
        for name, its_side in policy.SIDE_OF_DUTY.items()
        if name in who.duties and side in ("", its_side) and policy.refusal_to_approve(who, facts, name) is None
    )
