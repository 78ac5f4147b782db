"""The hand-over: a link from the operator and a code from an approver, each useless alone, each for a short while."""

import pytest
from django.db import connections

from audit.models import Entry
from breakglass.people.models import Account
from breakglass.procedure import approvals, change_refusals, handover, refusals, windows
from breakglass.procedure.models import Handover, Participant, Window
from recovery.models import RunKind
from tests import builders, cast
from tests.breakglass.runs_made import link, shown

pytestmark = pytest.mark.django_db


def test_token_is_nowhere_in_the_database(platform):
    row, token = link(platform)

    assert token not in str(vars(row))
    assert not Entry.objects.filter(entry__contains=token).exists()


def test_link_lives_ten_minutes(platform, pass_time):
    _row, token = link(platform)
    pass_time(minutes=10)

    with pytest.raises(change_refusals.HandoverExpired):
        handover.find(token)


def test_link_never_outlives_the_window(platform):
    row, token = link(platform, window_minutes=5)

    assert row.expires_at == row.window.during.upper
    windows.shorten(Window.objects.get(), by=builders.people().olivia)
    with pytest.raises(change_refusals.HandoverExpired):
        handover.find(token)


def test_newer_link_voids_the_older_one(platform):
    row, older = link(platform)

    _row, newer = shown(row.incident)

    with pytest.raises(change_refusals.HandoverVoided):
        handover.find(older)
    assert handover.find(newer)


def test_unknown_link_is_refused(platform):
    with pytest.raises(change_refusals.HandoverUnknown):
        handover.find("\ud800 no such token")


def test_who_shows_the_link_runs_the_change_and_takes_part(platform):
    row, _token = link(platform)

    parts = Participant.objects.filter(incident=row.incident, person=row.person).values_list("part", flat=True)
    assert "ran" in parts


def test_approver_cannot_show_the_link(platform):
    incident = builders.window_open(platform).incident
    omar = builders.people().omar

    with pytest.raises(refusals.ApproverMayNotTakePart):
        handover.show(incident, by=omar, code=cast.code_for(omar))


def test_link_is_not_shown_without_a_window(platform):
    incident = builders.approved(platform).incident
    olivia = builders.people().olivia

    with pytest.raises(refusals.WindowClosed):
        handover.show(incident, by=olivia, code=cast.code_for(olivia))


def test_outcome_without_a_password_has_no_link(platform):
    incident = builders.window_open(platform, RunKind.ENABLE).incident
    olivia = builders.people().olivia

    with pytest.raises(change_refusals.NoPasswordNeeded):
        handover.show(incident, by=olivia, code=cast.code_for(olivia))


def test_approver_sees_the_code_that_the_page_takes(platform):
    row, _token = link(platform)
    sam = builders.people().sam

    code = handover.approver_code(row, by=sam, code=cast.code_for(sam))

    handover.check_code(row, code)
    assert len(code) == 9


def test_code_is_the_same_however_it_is_typed(platform):
    row, _token = link(platform)
    code = handover.code_of(row)

    heard = code.replace("-", " ").lower().replace("0", "o").replace("1", "l")

    handover.check_code(row, heard)


@pytest.mark.parametrize("name", ["olivia", "erin", "simone", "mallory"])
def test_only_approvers_of_the_plan_see_the_code(platform, name):
    row, _token = link(platform)
    account = getattr(builders.people(), name)

    with pytest.raises(change_refusals.NotAnApprover):
        handover.approver_code(row, by=account, code=cast.code_for(account))


def test_code_is_not_shown_after_the_approval_was_withdrawn(platform):
    row, _token = link(platform)
    sam = builders.people().sam
    approvals.withdraw(row.window.second_approval, by=sam, reason="Wrong person.")

    with pytest.raises((change_refusals.NotAnApprover, change_refusals.HandoverExpired)):
        handover.approver_code(row, by=sam, code=cast.code_for(sam))


def test_code_is_in_no_log_entry(platform):
    row, _token = link(platform)
    sam = builders.people().sam

    code = handover.approver_code(row, by=sam, code=cast.code_for(sam))

    assert Entry.objects.filter(event="handover.code_shown").exists()
    assert not Entry.objects.filter(entry__contains=code).exists()


def test_each_link_has_a_code_of_its_own(platform):
    row, _token = link(platform)

    newer, _token = shown(row.incident)

    assert handover.code_of(row) != handover.code_of(newer)


def test_fifth_wrong_code_voids_the_link(platform):
    row, token = link(platform)
    for left in (4, 3, 2, 1):
        with pytest.raises(change_refusals.CodeWrong, match=f"{left} more"):
            handover.check_code(row, "0000-0000")

    with pytest.raises(change_refusals.HandoverVoided):
        handover.check_code(row, "0000-0000")

    with pytest.raises(change_refusals.HandoverVoided):
        handover.find(token)


def test_right_code_is_worth_nothing_after_five_wrong_ones(platform):
    row, _token = link(platform)
    for _try in range(5):
        with pytest.raises((change_refusals.CodeWrong, change_refusals.HandoverVoided)):
            handover.check_code(row, "wrong")

    with pytest.raises(change_refusals.HandoverVoided):
        handover.check_code(row, handover.code_of(row))


def test_wrong_codes_are_in_the_log(platform):
    row, _token = link(platform)

    with pytest.raises(change_refusals.CodeWrong):
        handover.check_code(row, "wrong")

    entry = Entry.objects.filter(event="step.refused").latest("seq")
    assert (entry.by, entry.facts["refusal"]) == ("handover", "code_wrong")


@pytest.mark.parametrize("name", ["olivia", "omar", "mallory"])
def test_nobody_of_the_console_opens_the_link(platform, name):
    _row, token = link(platform)
    account: Account = getattr(builders.people(), name)

    with pytest.raises(change_refusals.HandoverIsForTheBeneficiary):
        handover.look(token, session_account=account)

    entry = Entry.objects.filter(event="step.refused").latest("seq")
    assert (entry.by, entry.facts["refusal"]) == (name, "handover_is_for_the_beneficiary")


def test_stranger_with_the_link_sees_the_page(platform):
    row, token = link(platform)

    assert handover.look(token, session_account=None).pk == row.pk


def test_used_link_is_refused(platform):
    row, token = link(platform)
    with connections["default"].cursor() as cursor:
        cursor.execute("UPDATE procedure_handover SET used_at = now() WHERE id = %s", [row.pk])

    with pytest.raises(change_refusals.HandoverUsed):
        handover.find(token)


def test_wrong_codes_never_count_back(platform):
    row, _token = link(platform)
    with pytest.raises(change_refusals.CodeWrong):
        handover.check_code(row, "wrong")

    with pytest.raises(Exception, match="refused"):
        Handover.objects.filter(pk=row.pk).update(wrong_codes=0)
