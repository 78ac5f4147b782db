"""Who may approve, as pure rules: no database, no clock but the given moment."""

from datetime import UTC, datetime, timedelta

import pytest

from breakglass.procedure import policy
from breakglass.procedure.policy import PlanFacts, Somebody
from breakglass.procedure.refusals import (
    ApprovedBySamePerson,
    BeneficiaryMayNotApprove,
    DutyMissing,
    ParticipantMayNotApprove,
    PlanVoid,
    PracticeMeetsReal,
    SideTaken,
)

REQUESTER, BENEFICIARY, OMAR, SAM = 1, 2, 3, 4
FACTS = PlanFacts(beneficiary=BENEFICIARY, participants=frozenset({REQUESTER}))
NOON = datetime(2026, 1, 4, 12, tzinfo=UTC)


def somebody(key: int = OMAR, *duties: str, practice: bool = False) -> Somebody:
    return Somebody(key, frozenset(duties or ("ops",)), practice)


def test_ops_may_approve():
    assert policy.refusal_to_approve(somebody(OMAR, "ops"), FACTS) is None


@pytest.mark.parametrize(
    ("duties", "expected"),
    [
        (("ops",), {"ops"}),
        (("security",), {"second"}),
        (("engineering",), {"second"}),
        (("compliance",), set()),
        (("ops", "security"), {"ops", "second"}),
        ((), set()),
    ],
)
def test_duties_open_sides(duties, expected):
    assert policy.sides(duties) == expected


@pytest.mark.parametrize("duties", [("compliance",), ()])
def test_compliance_and_nobody_have_no_side(duties):
    refusal = policy.refusal_to_approve(Somebody(OMAR, frozenset(duties)), FACTS)

    assert isinstance(refusal, DutyMissing)


@pytest.mark.parametrize(
    ("who", "facts", "kind"),
    [
        (somebody(REQUESTER), FACTS, ParticipantMayNotApprove),
        (somebody(BENEFICIARY), FACTS, BeneficiaryMayNotApprove),
        (somebody(OMAR, practice=True), FACTS, PracticeMeetsReal),
        (somebody(OMAR), PlanFacts(BENEFICIARY, frozenset(), is_void=True), PlanVoid),
        (
            somebody(OMAR, "ops", "security"),
            PlanFacts(BENEFICIARY, frozenset(), live={"ops": OMAR}),
            ApprovedBySamePerson,
        ),
        (somebody(SAM, "ops"), PlanFacts(BENEFICIARY, frozenset(), live={"ops": OMAR}), SideTaken),
    ],
)
def test_each_rule_refuses(who, facts, kind):
    assert isinstance(policy.refusal_to_approve(who, facts), kind)


def test_somebody_with_two_duties_takes_the_free_side():
    facts = PlanFacts(BENEFICIARY, frozenset(), live={"ops": OMAR})

    assert policy.duty_for(somebody(SAM, "ops", "security"), facts) == "security"


def test_a_wanted_duty_must_be_held():
    with pytest.raises(DutyMissing):
        policy.duty_for(somebody(OMAR, "ops"), FACTS, "security")


@pytest.mark.parametrize(("age", "young"), [(timedelta(minutes=29, seconds=59), True), (timedelta(minutes=30), False)])
def test_approval_is_young_for_less_than_thirty_minutes(age, young):
    assert policy.is_young(NOON - age, NOON) is young


@pytest.mark.parametrize(("duties", "may"), [(("compliance",), True), ((), False)])
def test_anybody_with_a_duty_may_open(duties, may):
    assert policy.may_open(Somebody(OMAR, frozenset(duties))) is may
