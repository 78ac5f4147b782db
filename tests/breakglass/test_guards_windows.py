"""The database refuses by itself, as the app role and past every step: windows, claims and runs (fault list S1, S5, T6)."""

from datetime import timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from audit import clock
from breakglass.procedure import approvals, windows
from breakglass.procedure.models import Approval, Plan, Window
from recovery.models import Run
from tests import builders, cast
from tests.breakglass.rules import raw_approval, raw_claim, raw_run, raw_window, refused_by

pytestmark = pytest.mark.django_db


@pytest.fixture
def window(platform) -> Window:
    return builders.window_open(platform)


def pair(plan: Plan) -> tuple[Approval, Approval]:
    live = approvals.live(plan)
    return live["ops"], live["second"]


def test_window_without_approvals(platform):
    plan = builders.planned(platform)

    with refused_by("planned_window_names_two_approvals", "approvals_are_live"):
        raw_window(plan, plan.account)


def test_window_with_one_approval_twice(platform):
    plan = builders.approved(platform)
    ops, _second = pair(plan)

    with refused_by("window_second_approval", "approvals_are_live"):
        raw_window(plan, plan.account, ops, ops)


def test_window_with_approvals_of_another_plan(platform):
    plan, other = builders.approved(platform), builders.approved(platform)

    with refused_by("window_ops_approval", "approvals_are_live"):
        raw_window(plan, plan.account, *pair(other))


def test_window_with_old_approvals(platform, pass_time):
    plan = builders.approved(platform)
    both = pair(plan)
    pass_time(minutes=31)

    with refused_by("approvals_are_live"):
        raw_window(plan, plan.account, *both)


def test_window_by_an_approver(platform):
    plan = builders.approved(platform)

    with refused_by("approver_takes_no_part"):
        raw_window(plan, builders.people().omar, *pair(plan))


def test_window_for_another_database(platform):
    plan = builders.approved(platform)

    with refused_by("window_is_for_the_incidents_database"):
        raw_window(plan, plan.account, *pair(plan), database_key="1/other")


def test_second_window_on_the_database(window, platform):
    other = builders.approved(platform)

    with refused_by("one_open_window_per_database"):
        raw_window(other, other.account, *pair(other))


def test_same_approvals_open_no_second_window(window):
    windows.shorten(window, by=window.account)

    with refused_by("one_window_per_ops_approval"):
        raw_window(window.plan, window.account, window.ops_approval, window.second_approval)


def test_ends_are_set_by_the_database_whatever_is_written(platform):
    plan = builders.approved(platform, window_minutes=10)
    wanted = DateTimeTZRange(clock.now() - timedelta(days=1), clock.now() + timedelta(days=1), "[)")

    made = raw_window(plan, plan.account, *pair(plan), during=wanted)

    made.refresh_from_db()
    assert made.during.upper - made.during.lower == timedelta(minutes=10)


def test_disable_window_without_a_committed_run(platform):
    incident = builders.diagnosed(platform)

    with refused_by("only_a_committed_run_is_disabled"):
        raw_window(None, incident.requester_account, incident=incident)


@pytest.mark.parametrize(
    ("lower", "upper", "bounds"),
    [(0, 60, "[)"), (-60, -1, "[)"), (1, -1, "[)"), (0, 0, "[]"), (None, -1, "[)"), (0, None, "[)")],
)
def test_window_is_only_shortened(window, lower, upper, bounds):
    def moved(end, seconds):
        return None if seconds is None else end + timedelta(seconds=seconds)

    during = DateTimeTZRange(moved(window.during.lower, lower), moved(window.during.upper, upper), bounds)

    with refused_by("window_is_only_shortened"):
        Window.objects.filter(pk=window.pk).update(during=during)


def test_claim_in_the_open_window_passes(window):
    assert raw_claim(window, window.account).pk


def test_claim_after_the_end(window, pass_time):
    run = raw_run(window, window.plan)
    pass_time(minutes=31)

    with refused_by("window_is_open"):
        raw_claim(window, window.account, run=run)


def test_claim_under_a_clock_that_went_back(window, pass_time):
    run = raw_run(window, window.plan)
    at = clock.now()
    pass_time(minutes=-19)

    with refused_by("BG001"):
        raw_claim(window, window.account, run=run, at=at)


@pytest.mark.parametrize("side", ["ops", "second"])
def test_claim_after_a_withdrawal(window, side):
    Approval.objects.filter(plan=window.plan, side=side).update(withdrawn_at=clock.now())

    with refused_by("approvals_are_live"):
        raw_claim(window, window.account)


def test_claim_after_an_approver_lost_the_duty(window):
    duty = builders.people().omar.person.duties.get(name="ops")
    duty.ended_at = clock.now()
    duty.save(update_fields=["ended_at"])

    with refused_by("approvals_are_live"):
        raw_claim(window, window.account)


def test_claim_after_an_approver_was_disabled(window):
    sam = builders.people().sam
    type(sam).objects.filter(pk=sam.pk).update(is_active=False)

    with refused_by("approvals_are_live"):
        raw_claim(window, window.account)


def test_claim_by_an_approver(window):
    with refused_by("approver_takes_no_part"):
        raw_claim(window, builders.people().omar)


def test_claim_by_the_beneficiary(platform):
    erin = builders.people().erin
    window = builders.window_open(platform, beneficiary=erin.person)

    with refused_by("beneficiary_takes_no_part"):
        raw_claim(window, erin)


@pytest.mark.parametrize(
    "lie",
    [
        {"content": "{}"},
        {"plan_digest": "0" * 64},
        {"kind": "create"},
        {"database_name": "other"},
        {"incident": "BG-1"},
    ],
)
def test_claim_of_a_run_that_is_not_the_plan(window, lie):
    with refused_by("what_was_approved_is_what_runs", "run_is_of_this_incident"):
        raw_claim(window, window.account, run=raw_run(window, window.plan, **lie))


def test_claim_of_a_run_that_outlives_the_window(window):
    late = window.during.upper + timedelta(seconds=1)

    with refused_by("run_is_of_this_incident"):
        raw_claim(window, window.account, run=raw_run(window, window.plan, window_end=late))


def test_second_claim_while_the_first_is_not_decided(window):
    raw_claim(window, window.account)

    with refused_by("no_run_is_under_way"):
        raw_claim(window, window.account)


def test_next_claim_after_an_aborted_run_passes(window):
    first = raw_claim(window, window.account)
    Run.objects.filter(pk=first.run_id).update(state="aborted", decided_at=clock.now())

    assert raw_claim(window, window.account).pk


def test_disable_is_no_way_around_the_approvals(window):
    earlier = raw_claim(window, window.account)
    Run.objects.filter(pk=earlier.run_id).update(state="aborted", decided_at=clock.now())
    run = raw_run(window, window.plan, kind="disable")

    with refused_by("window_is_open"):
        raw_claim(window, window.account, run=run, kind="disable", undoes=earlier)


def _prepared() -> dict[str, object]:
    return {"state": "prepared", "xid": "1", "timeline": "1", "planned_after": "[]", "prepared_at": clock.now()}


def test_window_that_ended_since_the_claim_stops_the_run(window, pass_time):
    run = raw_claim(window, window.account).run
    pass_time(minutes=31)

    with refused_by("window_is_open"):
        Run.objects.filter(pk=run.pk).update(**_prepared())


def test_withdrawal_since_the_claim_stops_the_run(window):
    run = raw_claim(window, window.account).run
    Approval.objects.filter(pk=window.ops_approval_id).update(withdrawn_at=clock.now())

    with refused_by("approvals_are_live"):
        Run.objects.filter(pk=run.pk).update(**_prepared())


def test_run_that_no_execution_claims_is_never_prepared(window):
    run = raw_run(window, window.plan)

    with refused_by("run_is_of_this_incident"):
        Run.objects.filter(pk=run.pk).update(**_prepared())


def test_run_moves_forward_only(window):
    run = raw_claim(window, window.account).run
    moved = Run.objects.filter(pk=run.pk)
    with refused_by("what_is_recorded_stays"):
        moved.update(state="committed")
    moved.update(**_prepared())
    with refused_by("what_is_recorded_stays"):
        moved.update(state="intent")

    moved.update(state="committed", decided_at=clock.now())

    for change in ({"state": "aborted"}, {"reason": "rewritten"}, {"xid": "2"}):
        with refused_by("what_is_recorded_stays"):
            moved.update(**change)


def test_run_does_not_begin_as_committed(window):
    with refused_by("a_run_begins_as_intent"):
        raw_run(window, window.plan, state="committed")


def test_real_and_practice_do_not_meet_at_the_claim(window):
    with refused_by("practice_never_meets_real"):
        raw_claim(window, cast.person("ruth", ["ops"], practice=False))


def test_approval_after_the_window_opened_cannot_replace_one(window):
    with refused_by("one_live_approval_per_side"):
        raw_approval(window.plan, cast.person("oscar", ["ops"], practice=True))
