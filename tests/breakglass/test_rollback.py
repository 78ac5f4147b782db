"""Rollback: disable now without approvals, and only what this incident changed; a restore with a plan of its own."""

import pytest

from audit import log
from breakglass.procedure import approvals, change_refusals, execution, refusals, rollback, windows
from breakglass.procedure.models import Window
from recovery import run_refusals
from recovery.models import RunState
from tests import builders, cast, keepers
from tests.breakglass import story

pytestmark = pytest.mark.django_db


WRONG = "The login belongs to somebody else.\nThe owner called."


def disabled(incident, by=None):
    by = by or builders.people().erin
    with keepers.running():
        return rollback.disable_now(incident, by=by, code=cast.code_for(by), reason=WRONG)


def test_account_is_disabled_without_approvals(platform):
    incident = story.executed(platform)
    login = incident.plans.get().choice.login

    run = disabled(incident)

    assert run.state == RunState.COMMITTED, run.reason
    assert platform.owner(login)["is_active"] is False


def test_disabling_has_a_window_of_five_minutes_of_its_own(platform):
    incident = story.executed(platform)

    run = disabled(incident)

    planned, for_disable = Window.objects.order_by("id")
    assert planned.during.upper <= for_disable.during.lower
    assert (run.window_end - for_disable.during.lower).total_seconds() == 300


def test_rollback_is_in_the_log(platform):
    incident = story.executed(platform)

    disabled(incident)

    assert any('"rollback.disabled"' in line for line in log.lines(incident.reference))


def test_nothing_is_disabled_before_a_change(platform):
    incident = builders.window_open(platform).incident
    olivia = builders.people().olivia

    with pytest.raises(change_refusals.NothingToUndo):
        rollback.disable_now(incident, by=olivia, code=cast.code_for(olivia), reason=WRONG)


def test_somebody_without_duty_disables_nothing(platform):
    incident = story.executed(platform)
    mallory = builders.people().mallory

    with pytest.raises(refusals.DutyMissing):
        rollback.disable_now(incident, by=mallory, code=cast.code_for(mallory), reason=WRONG)


def test_wrong_code_disables_nothing(platform):
    incident = story.executed(platform)

    with pytest.raises(refusals.Refused):
        rollback.disable_now(incident, by=builders.people().erin, code="000000", reason=WRONG)

    assert Window.objects.count() == 1


def test_restore_needs_two_new_approvals(platform):
    incident = story.executed(platform)
    olivia = builders.people().olivia
    plan = rollback.plan_restore(incident, by=olivia)

    with pytest.raises(refusals.ApprovalsMissing):
        windows.open(plan, by=olivia, code=cast.code_for(olivia))

    assert approvals.live(plan) == {}


def test_approved_restore_puts_the_row_back(platform):
    before = platform.owner()
    incident = story.executed(platform)
    olivia, omar, sam = (getattr(builders.people(), name) for name in ("olivia", "omar", "sam"))
    plan = rollback.plan_restore(incident, by=olivia)
    builders.approve(plan, omar)
    builders.approve(plan, sam)
    builders.open_window(plan)

    with keepers.running():
        run = execution.execute(incident, by=olivia, code=cast.code_for(olivia))

    assert run.state == RunState.COMMITTED, run.reason
    assert platform.owner()["password_hash"] == before["password_hash"]


def test_row_that_somebody_changed_since_is_not_restored(platform):
    incident = story.executed(platform)
    login = incident.plans.get().choice.login
    with platform.connect() as dba:
        dba.execute("UPDATE adminuser SET password_hash = 'somebody else' WHERE email = %s", [login])

    with pytest.raises(run_refusals.RowChanged):
        rollback.plan_restore(incident, by=builders.people().olivia)
