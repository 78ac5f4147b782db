"""A login that the database administrator opens and closes by hand: used only as asked, and proven closed before the end."""

import pytest

from breakglass.procedure import (
    access_refusals,
    accesses,
    execution,
    handover,
    incidents,
    jobs,
    machine_evidence,
    revocation,
    rollback,
    waiting,
)
from breakglass.procedure.change_refusals import RevocationOpen
from breakglass.procedure.models import RevocationItem
from recovery.models import Access, Run, RunKind, RunState
from recovery.refusals import AccessNotClosed, AccessNotOpenAsAsked, PremadeNotClosed
from tests import builders, by_hand, cast, keepers
from tests.acme import Acme
from tests.breakglass import story
from tests.breakglass.runs_made import shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(platform: Acme) -> Acme:
    """Acme, whose DBA refuses doors."""
    return by_hand.without_doors(platform, "premade")


def enabled(acme: Acme) -> Run:
    """Outcome C through a login that was opened as asked."""
    incident = builders.window_open(acme, RunKind.ENABLE).incident
    by_hand.opened(acme, incident)
    by = incident.requester_account
    return execution.execute(incident, by=by, code=cast.code_for(by))


def test_beneficiary_sets_the_password_through_the_login_that_the_dba_opened(acme):
    before = acme.owner()
    incident = builders.window_open(acme).incident
    by_hand.opened(acme, incident)
    row, token = shown(incident)

    run = story.hand_over(token, code=handover.code_of(row))

    assert run.state == RunState.COMMITTED, run.reason
    assert acme.owner()["password_hash"] != before["password_hash"]


def test_disabled_owner_is_enabled_through_the_login_that_the_dba_opened(acme):
    run = enabled(acme)

    assert run.state == RunState.COMMITTED, run.reason


def test_no_link_is_shown_before_the_login_was_seen_open(acme):
    incident = builders.window_open(acme).incident
    by_hand.prepare(incident)

    with pytest.raises(access_refusals.AccessNotReady):
        shown(incident)


def test_keeper_that_is_silent_ends_the_run_and_nothing_is_printed(acme):
    incident = builders.window_open(acme).incident
    olivia = incident.requester_account

    run = accesses.prepare(incident, by=olivia, code=cast.code_for(olivia))

    assert run.state == RunState.ABORTED
    assert "keeper" in run.reason
    assert waiting.of_plan(incident.plans.get()) is None


def test_approver_does_not_prepare_the_access(acme):
    incident = builders.window_open(acme).incident
    omar = builders.people().omar

    with pytest.raises(Exception, match="approve"):
        accesses.prepare(incident, by=omar, code=cast.code_for(omar))


def test_access_is_prepared_once(acme):
    incident = builders.window_open(acme).incident
    by_hand.prepare(incident)

    with pytest.raises(access_refusals.AccessAlreadyPrepared):
        by_hand.prepare(incident)


def test_closed_login_is_not_seen_open(acme):
    incident = builders.window_open(acme).incident
    by_hand.prepare(incident)

    with pytest.raises(AccessNotOpenAsAsked, match="still closed"):
        accesses.verify(incident, by=incident.requester_account)


HOSTILE = {
    "GRANT {other} TO {role}": "also holds",
    "ALTER ROLE {role} CREATEROLE": "may do more",
    "ALTER ROLE {role} SUPERUSER": "may do more",
    "ALTER ROLE {role} BYPASSRLS": "may do more",
    "ALTER ROLE {role} VALID UNTIL 'infinity'": "has no end",
    "ALTER ROLE {role} VALID UNTIL '2100-01-01'": "ends at",
    "ALTER ROLE {role} CONNECTION LIMIT -1": "connection limit",
    "GRANT SELECT ON tenant TO {role}": "rights of its own",
    "GRANT {capability} TO {role} WITH ADMIN OPTION": "give its rights",
    "GRANT pg_read_all_data TO {capability}": "also holds",
    "ALTER ROLE {role} PASSWORD 'another'": "password",
}


@pytest.mark.parametrize(("deed", "told"), HOSTILE.items())
def test_login_that_is_open_otherwise_than_asked_is_not_used(acme, deed, told):
    incident = builders.window_open(acme).incident
    by_hand.prepare(incident)
    asked = by_hand.statements(by_hand.access_of(incident))
    by_hand.run_as_dba(acme, asked.open)
    other = asked.capability.replace("_reset_", "_create_")
    by_hand.run_as_dba(acme, deed.format(role=asked.role, other=other, capability=asked.capability))

    with pytest.raises(AccessNotOpenAsAsked, match=told):
        accesses.verify(incident, by=incident.requester_account)

    by_hand.run_as_dba(acme, f"DROP OWNED BY {asked.role}; REVOKE pg_read_all_data FROM {asked.capability}")


def test_right_that_was_added_after_the_look_stops_the_run(acme):
    incident = builders.window_open(acme, RunKind.ENABLE).incident
    asked = by_hand.statements(by_hand.opened(acme, incident))
    by_hand.run_as_dba(acme, f"ALTER ROLE {asked.role} CREATEDB")
    olivia = incident.requester_account

    run = execution.execute(incident, by=olivia, code=cast.code_for(olivia))

    assert run.state == RunState.ABORTED
    assert "may do more" in run.reason


def test_incident_cannot_finish_revoking_while_the_login_is_open(acme):
    incident = builders.fresh_of(enabled(acme))
    olivia = incident.requester_account
    for item in revocation.prepare(incident, by=olivia):
        if item.kind != RevocationItem.Kind.LOGIN:
            revocation.done(item, by=olivia, output="rule removed: 0 left")

    with pytest.raises(RevocationOpen, match="breakglass_temp_"):
        revocation.finish(incident, by=olivia)


def test_dba_who_forgets_to_close_is_told_the_statement(acme):
    incident = builders.fresh_of(enabled(acme))
    olivia = incident.requester_account
    (item,) = [one for one in revocation.prepare(incident, by=olivia) if one.kind == RevocationItem.Kind.LOGIN]

    with pytest.raises(AccessNotClosed, match="NOLOGIN PASSWORD NULL"):
        revocation.check_login(item, by=olivia)


def test_closed_login_is_proven_by_the_platforms_own_words(acme):
    incident = builders.fresh_of(enabled(acme))
    olivia, access = incident.requester_account, Access.objects.get()
    by_hand.run_as_dba(acme, by_hand.statements(access).close)
    (item,) = [one for one in revocation.prepare(incident, by=olivia) if one.kind == RevocationItem.Kind.LOGIN]

    done = revocation.check_login(item, by=olivia)

    assert done.done_at is not None
    assert "password authentication failed" in done.output
    assert Access.objects.get().proven_at is not None


def test_login_that_still_holds_its_right_is_not_proven_closed(acme):
    enabled(acme)
    access = Access.objects.get()
    by_hand.run_as_dba(acme, f"ALTER ROLE {access.role_name} NOLOGIN")

    jobs.close_left_over(timestamp=0)

    assert Access.objects.get().proven_at is None


def test_worker_proves_by_itself_what_the_dba_has_closed(acme, pass_time):
    enabled(acme)
    by_hand.run_as_dba(acme, by_hand.statements(Access.objects.get()).close)
    pass_time(seconds=5)

    jobs.close_left_over(timestamp=0)

    assert Access.objects.get().proven_at is not None


def test_worker_tells_once_that_the_login_is_still_open(acme, pass_time):
    run = enabled(acme)
    pass_time(seconds=5)

    jobs.close_left_over(timestamp=0)
    jobs.close_left_over(timestamp=0)

    assert builders.fresh_of(run).messages.filter(kind="access_not_proven").count() == 1


def test_second_access_waits_until_the_first_is_closed(acme):
    incident = builders.window_open(acme, RunKind.ENABLE).incident
    by_hand.opened(acme, incident)
    accesses.give_up(incident, by=incident.requester_account)

    with pytest.raises(AccessNotClosed):
        by_hand.prepare(incident)


def test_role_that_somebody_left_open_is_not_prepared(acme):
    incident = builders.window_open(acme, RunKind.ENABLE).incident
    role = f"breakglass_temp_{_hash(acme)}"
    by_hand.run_as_dba(acme, f"ALTER ROLE {role} LOGIN")

    with pytest.raises(PremadeNotClosed, match="may log in"):
        by_hand.prepare(incident)


def _hash(acme: Acme) -> str:
    return acme.rows("SELECT left(encode(sha256(convert_to(current_database(), 'UTF8')), 'hex'), 8) AS h")[0]["h"]


def test_given_up_access_leaves_the_way_open_for_another(acme):
    incident = builders.window_open(acme, RunKind.ENABLE).incident
    access = by_hand.opened(acme, incident)
    accesses.give_up(incident, by=incident.requester_account)
    by_hand.run_as_dba(acme, by_hand.statements(access).close)

    run = by_hand.prepare(incident)

    assert run.state == RunState.INTENT
    assert Access.objects.get(pk=access.pk).proven_at is not None


def test_waiting_run_is_settled_only_when_its_window_is_over(acme, pass_time):
    incident = builders.window_open(acme, RunKind.ENABLE).incident
    run = by_hand.prepare(incident)
    pass_time(minutes=2)
    jobs.settle_unfinished(timestamp=0)
    run.refresh_from_db()
    assert run.state == RunState.INTENT

    pass_time(minutes=30)
    jobs.settle_unfinished(timestamp=0)

    run.refresh_from_db()
    assert run.state == RunState.ABORTED


def test_password_of_the_login_is_in_no_table_of_the_console(acme, console):
    incident = builders.window_open(acme, RunKind.ENABLE).incident
    access = by_hand.opened(acme, incident)
    login = by_hand.login(access)

    assert story.tables_with(login.password) == []
    assert story.tables_with(login.verifier) == []


def test_account_is_disabled_through_a_login_of_its_own(acme):
    run = enabled(acme)
    incident = builders.fresh_of(run)
    by_hand.run_as_dba(acme, by_hand.statements(Access.objects.get()).close)
    olivia = incident.requester_account
    with keepers.running():
        rollback.disable_now(incident, by=olivia, code=cast.code_for(olivia), reason="The wrong account.")
    by_hand.run_as_dba(acme, by_hand.statements(by_hand.access_of(incident)).open)
    accesses.verify(incident, by=olivia)

    disabled = accesses.disable(incident, by=olivia, code=cast.code_for(olivia))

    assert disabled.state == RunState.COMMITTED, disabled.reason
    assert not acme.owner("root@acme.example")["is_active"]


def test_evidence_holds_a_proof_for_each_opening_of_the_same_role(acme):
    incident = builders.window_open(acme, RunKind.ENABLE).incident
    first = by_hand.opened(acme, incident)
    accesses.give_up(incident, by=incident.requester_account)
    by_hand.run_as_dba(acme, by_hand.statements(first).close)
    second = by_hand.opened(acme, incident)
    by = incident.requester_account
    execution.execute(incident, by=by, code=cast.code_for(by))
    by_hand.run_as_dba(acme, by_hand.statements(second).close)
    accesses.check_closed(incident, by=by)

    pieces = [piece.name for piece in machine_evidence.of(incident) if piece.kind == "access"]

    assert len(set(pieces)) == 2


def test_incident_with_an_open_login_is_not_abandoned(acme):
    incident = builders.window_open(acme, RunKind.ENABLE).incident
    by_hand.opened(acme, incident)
    accesses.give_up(incident, by=incident.requester_account)

    with pytest.raises(access_refusals.AccessStillOpen, match="NOLOGIN"):
        incidents.abandon(incident, by=incident.requester_account, reason="It was a drill.")
