"""The change: made once, by the approved plan, in the open window; the password goes nowhere but to the platform."""

import threading

import pytest
from django.db import connections

from audit import events, log
from audit.models import Entry
from breakglass.procedure import approvals, change_refusals, execution, handover, jobs, refusals, window_ends, windows
from breakglass.procedure.models import Execution, Handover, Incident, PostMortem, Window
from breakglass.procedure.states import State
from recovery.models import Access, Run, RunKind, RunState
from tests import builders, cast, keepers
from tests.breakglass import story
from tests.breakglass.runs_made import link, shown

pytestmark = pytest.mark.django_db


def test_beneficiary_sets_the_password_of_the_account(platform):
    before = platform.owner()

    run = story.run(platform)

    assert run.state == RunState.COMMITTED, run.reason
    after = platform.owner()
    assert after["password_hash"] != before["password_hash"]
    assert {name for name in after if after[name] != before[name]} <= {
        "password_hash",
        "failed_logins",
        "last_failed_at",
        "locked_until",
        "updated_at",
        "must_change_password",
    }


def test_incident_moves_on_and_the_post_mortem_gets_its_date(platform):
    incident = story.executed(platform)

    assert incident.state == State.EXECUTED
    assert PostMortem.objects.get(incident=incident).due_at > incident.opened_at


def test_disabled_owner_is_enabled_by_the_operators_button(platform):
    run = story.run(platform, RunKind.ENABLE)

    assert run.state == RunState.COMMITTED, run.reason
    assert Execution.objects.get().account.username == "olivia"


def test_first_owner_is_created(platform):
    run = story.run(platform, RunKind.CREATE)

    assert run.state == RunState.COMMITTED, run.reason
    assert platform.owner("new-owner@acme.example")


def test_access_of_the_run_is_proven_gone_afterwards(platform):
    story.run(platform)

    access = Access.objects.get()
    assert access.proven_at is not None
    assert not platform.rows("SELECT FROM pg_roles WHERE rolname = %s", access.role_name)


def test_password_is_in_no_table_of_the_console(platform, console):
    story.run(platform)

    assert story.tables_with(story.PASSWORD) == []


def test_new_hash_is_in_no_table_of_the_console(platform, console):
    story.run(platform)

    assert story.tables_with(platform.owner()["password_hash"]) == []


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ({"repeated": "something else entirely"}, change_refusals.PasswordsDiffer),
        ({"password": "short", "repeated": "short"}, change_refusals.PasswordTooShort),
        ({"password": "long" * 300, "repeated": "long" * 300}, change_refusals.PasswordTooLong),
        ({"password": "a\x00" * 12, "repeated": "a\x00" * 12}, change_refusals.PasswordUnreadable),
        ({"password": "\ud800" * 12, "repeated": "\ud800" * 12}, change_refusals.PasswordUnreadable),
        ({"code": "0000-0000"}, change_refusals.CodeWrong),
    ],
)
def test_wrong_input_makes_no_run_and_leaves_the_link(platform, sent, kind):
    row, token = link(platform)

    with pytest.raises(kind):
        story.hand_over(token, **{"code": handover.code_of(row), **sent})

    assert not Run.objects.exists()
    assert handover.find(token)


def test_password_that_holds_the_login_is_refused():
    with pytest.raises(change_refusals.PasswordIsTheLogin):
        execution.check_password("Dana-is-the-owner", "Dana-is-the-owner", login="dana@acme.example")


def test_refused_password_is_not_in_the_log(platform):
    row, token = link(platform)

    with pytest.raises(change_refusals.PasswordsDiffer):
        story.hand_over(token, code=handover.code_of(row), repeated="another secret text")

    assert not Entry.objects.filter(entry__contains="another secret").exists()
    assert not Entry.objects.filter(entry__contains=story.PASSWORD).exists()


def test_operator_who_opens_the_link_himself_changes_nothing(platform):
    row, token = link(platform)

    with pytest.raises(change_refusals.HandoverIsForTheBeneficiary):
        story.hand_over(token, code=handover.code_of(row), session_account=builders.people().olivia)

    assert not Run.objects.exists()


def test_link_works_once(platform):
    row, token = link(platform)
    with keepers.running():
        story.hand_over(token, code=handover.code_of(row))

    with pytest.raises(change_refusals.HandoverUsed):
        story.hand_over(token, code=handover.code_of(row))


def test_double_submit_runs_once(platform):
    row, token = link(platform)
    code, ended = handover.code_of(row), []
    with keepers.running():
        senders = [threading.Thread(target=_send, args=[token, code, ended]) for _click in range(2)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()

    assert sorted(ended) == ["committed", "refused"]
    assert Run.objects.count() == 1


def _send(token: str, code: str, ended: list[str]) -> None:
    try:
        ended.append(str(story.hand_over(token, code=code).state))
    except refusals.Refused:
        ended.append("refused")
    connections.close_all()


def test_window_that_ended_between_click_and_run_stops_it(platform):
    row, token = link(platform)
    windows.shorten(Window.objects.get(), by=builders.people().omar)

    with pytest.raises(change_refusals.HandoverExpired):
        story.hand_over(token, code=handover.code_of(row))

    assert not Run.objects.exists()


def test_withdrawn_approval_stops_the_claim(platform):
    row, _token = link(platform)
    approvals.withdraw(row.window.ops_approval, by=builders.people().omar, reason="Not that account.")

    with pytest.raises(refusals.WindowClosed):
        execution.claim(row)


def test_dead_keeper_means_no_change_and_a_new_link(platform):
    row, token = link(platform)
    before = platform.owner()

    run = story.hand_over(token, code=handover.code_of(row))

    assert run.state == RunState.ABORTED
    assert "keeper" in run.reason
    assert platform.owner() == before
    assert shown(row.incident)


def test_aborted_run_leaves_the_incident_planned(platform):
    row, token = link(platform)

    story.hand_over(token, code=handover.code_of(row))

    assert builders.fresh(row.incident).state == State.PLANNED


def test_plan_that_has_run_does_not_run_again(platform):
    incident = story.executed(platform)
    olivia = builders.people().olivia

    with pytest.raises(change_refusals.ChangeAlreadyMade):
        handover.show(incident, by=olivia, code=cast.code_for(olivia))


def test_operator_cannot_press_where_a_password_is_needed(platform):
    incident = builders.window_open(platform).incident
    olivia = builders.people().olivia

    with pytest.raises(change_refusals.PasswordNeeded):
        execution.execute(incident, by=olivia, code=cast.code_for(olivia))


def test_approver_cannot_press(platform):
    incident = builders.window_open(platform, RunKind.ENABLE).incident
    omar = builders.people().omar

    with pytest.raises(refusals.ApproverMayNotTakePart):
        execution.execute(incident, by=omar, code=cast.code_for(omar))


def test_run_that_is_under_way_admits_no_second_link(platform):
    row, _token = link(platform)
    execution.claim(row)
    olivia = builders.people().olivia

    with pytest.raises(change_refusals.ChangeUnknownYet):
        handover.show(row.incident, by=olivia, code=cast.code_for(olivia))


def test_worker_concludes_what_the_executor_did_not_live_to(platform, monkeypatch):
    monkeypatch.setattr(execution, "conclude", lambda _incident, *, by, run: run)
    run = story.run(platform)
    monkeypatch.undo()
    assert Incident.objects.get().state == State.PLANNED

    jobs.conclude_decided()

    assert Incident.objects.get().state == State.EXECUTED
    assert log.lines(run.incident)[-1].count("incident.executed") == 1


def test_conclusion_is_drawn_once(platform):
    incident = story.executed(platform)
    entries = len(log.lines(incident.reference))

    execution.conclude(incident, by="worker", run=Run.objects.get())

    assert len(log.lines(incident.reference)) == entries


def test_used_link_is_marked_by_the_claim(platform):
    row, _token = link(platform)

    execution.claim(row)

    assert Handover.objects.get().used_at is not None


def test_a_committed_run_ends_its_window(platform):
    incident = story.executed(platform)

    assert window_ends.current(incident) is None
    assert Entry.objects.filter(incident=incident.reference, event=events.WINDOW_SHORTENED).exists()
