"""Everybody at the same moment: exactly one of many wins, and a withdrawal and a claim take their turns (fault list S1, S3)."""

from functools import partial

import pytest

from audit.refusals import Refused
from breakglass.people.refusals import CodeAlreadyUsed
from breakglass.procedure import approvals, windows
from breakglass.procedure.models import Approval, Execution, Window
from breakglass.procedure.refusals import (
    ApprovedBySamePerson,
    SideTaken,
    SomebodyWasFaster,
    WindowAlreadyOpen,
    WindowTaken,
)
from tests import builders, cast
from tests.breakglass.rules import raw_claim, raw_run, together

pytestmark = pytest.mark.django_db


def refused(results: list[object]) -> list[type]:
    return [type(result) for result in results if isinstance(result, Exception)]


def test_six_people_approve_one_side(platform):
    plan = builders.planned(platform)
    crowd = [cast.person(f"ops{number}", ["ops"], practice=True) for number in range(6)]
    calls = [partial(approvals.give, plan, by=one, code=cast.code_for(one)) for one in crowd]

    results = together(*calls)

    assert Approval.objects.filter(plan=plan, withdrawn_at=None).count() == 1
    assert set(refused(results)) <= {SideTaken, SomebodyWasFaster}
    assert len(refused(results)) == 5


def test_one_person_approves_both_sides_at_once(platform):
    plan, both = builders.planned(platform), cast.person("bo", ["ops", "security"], practice=True)
    calls = [
        partial(approvals.give, plan, by=both, code=cast.code_for(both), duty=duty) for duty in ("ops", "security") * 2
    ]

    results = together(*calls)

    assert Approval.objects.filter(plan=plan).count() == 1
    assert set(refused(results)) <= {ApprovedBySamePerson, SideTaken}


def test_one_code_is_used_by_six_tabs(platform):
    plan, omar = builders.planned(platform), builders.people().omar
    code = cast.code_for(omar)

    results = together(*[partial(approvals.give, plan, by=omar, code=code)] * 6)

    assert Approval.objects.filter(plan=plan).count() == 1
    assert refused(results) == [CodeAlreadyUsed] * 5


def test_four_incidents_open_a_window_on_one_database(platform):
    plans = [builders.approved(platform) for _number in range(4)]
    calls = [partial(windows.open, plan, by=plan.account, code=cast.code_for(plan.account)) for plan in plans]

    results = together(*calls)

    winner = next(result for result in results if isinstance(result, Window))
    assert refused(results) == [WindowTaken] * 3
    assert all(winner.incident.reference in str(no) for no in results if isinstance(no, Refused))


def test_window_is_opened_by_four_tabs(platform):
    plan = builders.approved(platform)
    calls = [partial(windows.open, plan, by=plan.account, code=cast.code_for(plan.account)) for _number in range(4)]

    results = together(*calls)

    assert refused(results) == [WindowAlreadyOpen] * 3


def test_six_claims_of_one_window(platform):
    window = builders.window_open(platform)
    runs = [raw_run(window, window.plan) for _number in range(6)]

    results = together(*[partial(raw_claim, window, window.account, run=run) for run in runs])

    assert len(refused(results)) == 5
    assert Execution.objects.count() == 1


def test_withdrawal_and_claim_take_their_turns(platform):
    window = builders.window_open(platform)
    omar, run = builders.people().omar, raw_run(window, window.plan)

    _withdrawn, claimed = together(
        partial(approvals.withdraw, window.ops_approval, by=omar, reason="Stop."),
        partial(raw_claim, window, window.account, run=run),
    )

    withdrawn_at = Approval.objects.get(pk=window.ops_approval_id).withdrawn_at
    assert withdrawn_at is not None
    assert Execution.objects.exists() is isinstance(claimed, Execution)
