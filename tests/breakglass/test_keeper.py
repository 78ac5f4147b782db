"""The keeper: it signs what is approved and open, and answers everything else with a sentence."""

import hashlib
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections, transaction

from audit import clock
from audit.models import Entry
from breakglass.people.models import Invitation
from breakglass.procedure import approvals, keeper, keeper_rules, windows
from breakglass.procedure.models import Approval, Execution, Window
from recovery.doors import access, mandates
from recovery.models import Access, Mandate, MandateRequest, Run
from tests import builders, keepers
from tests.breakglass.runs_made import claimed

pytestmark = pytest.mark.django_db


@transaction.atomic
def asked(of: Run, **other: object) -> MandateRequest:
    """What the run's executor asks of the keeper; `other` is what a forger writes instead."""
    login, now = access.prepare(uuid4()), clock.now()
    row = Access.objects.create(
        id=login.access_id, run=of, platform=of.platform, role_name=login.role, until=now, requested_at=now
    )
    said = {
        "run": of,
        "kind": of.kind,
        "incident": of.incident,
        "digest": of.plan_digest,
        "verifier_sha256": login.verifier_sha256,
        "until": now + timedelta(seconds=90),
        "nonce": uuid4().hex,
        "at": now,
    }
    return MandateRequest.objects.create(access=row, **{**said, **other})


def answered(request: MandateRequest) -> Mandate:
    with keepers.keeper_login():
        keeper.answer(request)
    return Mandate.objects.get(request=request)


def test_approved_run_in_an_open_window_is_signed(platform):
    mandate = answered(asked(claimed(platform)))

    assert mandate.refusal == ""
    assert len(mandate.signature) == 64


def test_signature_is_over_what_was_asked_under_the_key_of_that_door(platform, settings):
    run = claimed(platform)
    request = asked(run)

    mandate = answered(request)

    place = {"system_identifier": run.system_identifier, "database_name": run.database_name}
    said = ("access_id", "kind", "incident", "digest", "verifier_sha256", "until", "nonce")
    text = mandates.Mandate(**{name: getattr(request, name) for name in said}, **place)
    door_key = mandates.door_key(bytes.fromhex(settings.KEEPER_KEY), **place)
    assert bytes.fromhex(mandate.signature) == mandates.sign(text, door_key)


def test_each_answer_is_in_the_log(platform):
    run = claimed(platform)

    answered(asked(run))

    entry = Entry.objects.get(event="mandate.signed")
    assert (entry.incident, entry.by) == (run.incident, "keeper")


def test_answer_is_given_once(platform):
    request = asked(claimed(platform))
    answered(request)

    with keepers.keeper_login():
        again = keeper.answer(request)

    assert again is None
    assert Mandate.objects.count() == 1


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"kind": "disable"}, "another kind"),
        ({"digest": hashlib.sha256(b"another plan").hexdigest()}, "another digest"),
        ({"incident": "BG-1999-0001"}, "another incident"),
        ({"nonce": "short"}, "cannot have this nonce"),
        ({"verifier_sha256": "no digest"}, "cannot have this verifier"),
    ],
)
def test_forged_request_is_refused(platform, other, sentence):
    mandate = answered(asked(claimed(platform), **other))

    assert mandate.signature == ""
    assert sentence in mandate.refusal


def test_request_for_longer_than_two_minutes_is_refused(platform):
    until = clock.now() + timedelta(minutes=10)

    mandate = answered(asked(claimed(platform), until=until))

    assert "more than two minutes" in mandate.refusal


def test_request_that_has_expired_is_refused(platform):
    mandate = answered(asked(claimed(platform), until=clock.now() - timedelta(seconds=1)))

    assert "expired" in mandate.refusal


def test_request_beyond_the_windows_end_is_refused(platform, pass_time):
    run = claimed(platform, window_minutes=5)
    pass_time(minutes=4)

    mandate = answered(asked(run))

    assert "after the window's end" in mandate.refusal


def test_run_that_nothing_claims_is_refused(platform):
    claimed_run = claimed(platform)
    stray = Run.objects.get(pk=claimed_run.pk)
    stray.pk = uuid4()
    stray._state.adding = True
    stray.save(force_insert=True)

    mandate = answered(asked(stray))

    assert mandate.refusal == "No execution claims this run."


def test_access_of_another_run_is_refused(platform):
    run = claimed(platform)
    stray = Run.objects.get(pk=run.pk)
    stray.pk = uuid4()
    stray._state.adding = True
    stray.save(force_insert=True)

    mandate = answered(asked(stray, run=run))

    assert "belongs to another run" in mandate.refusal


def test_window_that_was_ended_is_refused(platform):
    run = claimed(platform)
    windows.shorten(Window.objects.get(), by=builders.people().olivia)

    mandate = answered(asked(run))

    assert "window is not open" in mandate.refusal


def test_withdrawn_approval_is_refused(platform):
    run = claimed(platform)
    execution = Execution.objects.get()
    approvals.withdraw(execution.ops_approval, by=builders.people().omar, reason="I was called by somebody else.")

    mandate = answered(asked(run))

    assert "withdrawn" in mandate.refusal


def test_approver_whose_account_was_disabled_is_refused(platform, console):
    run = claimed(platform)
    _as_owner("UPDATE people_account SET is_active = false WHERE username = 'omar'")

    mandate = answered(asked(run))

    assert "no longer active" in mandate.refusal


def test_approver_whose_duty_ended_is_refused(platform):
    run = claimed(platform)
    _as_owner(
        "UPDATE people_duty SET ended_at = now() WHERE name = 'security' AND person_id ="
        " (SELECT person_id FROM people_account WHERE username = 'sam')"
    )

    mandate = answered(asked(run))

    assert "no longer has the duty" in mandate.refusal


@pytest.mark.parametrize("kind", ["password", "factor", "both"])
def test_approver_whose_password_or_factor_was_reset_within_the_hour_is_refused(platform, console, kind):
    run = claimed(platform)
    _reset_before_approving("omar", kind, minutes=59)

    mandate = answered(asked(run))

    assert "reset less than an hour before" in mandate.refusal
    assert "approved for Ops" in mandate.refusal


def test_reset_long_before_or_after_the_approval_is_no_matter(platform, console):
    run = claimed(platform)
    _reset_before_approving("omar", "both", minutes=61)
    _reset_before_approving("omar", "factor", minutes=-1)

    assert answered(asked(run)).refusal == ""


def test_first_password_is_no_reset(platform, console):
    run = claimed(platform)
    _reset_before_approving("omar", "first", minutes=5)

    assert answered(asked(run)).refusal == ""


def _reset_before_approving(name: str, kind: str, *, minutes: float) -> None:
    """As if it had been there when the approval was given, past the step that would have refused that."""
    account, by = getattr(builders.people(), name), builders.people()
    used_at = Approval.objects.get(account=account).at - timedelta(minutes=minutes)
    Invitation.objects.using("owner").create(
        account_id=account.pk,
        kind=kind,
        token_sha256=uuid4().hex,
        proposed_by_id=by.sam.person_id,
        confirmed_by_id=by.simone.person_id,
        at=used_at,
        confirmed_at=used_at,
        expires_at=used_at + timedelta(hours=1),
        used_at=used_at,
    )


def test_keepers_login_cannot_read_a_link(platform):
    with keepers.keeper_login(), connections["default"].cursor() as cursor, pytest.raises(DatabaseError) as caught:
        cursor.execute("SELECT token_sha256 FROM people_invitation")

    assert "permission denied" in str(caught.value)


def test_clock_that_went_back_gets_no_answer(platform, pass_time):
    request = asked(claimed(platform))
    pass_time(minutes=-10)

    with pytest.raises(Exception, match="clock went back"), keepers.keeper_login():
        keeper.answer(request)

    assert not Mandate.objects.exists()


def test_app_login_cannot_write_a_mandate(platform):
    request = asked(claimed(platform))

    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        Mandate.objects.create(request=request, signature="0" * 64, at=clock.now())


def test_keepers_login_cannot_change_what_it_checks(platform):
    claimed(platform)

    with keepers.keeper_login(), pytest.raises(DatabaseError, match="permission denied"):
        Run.objects.update(state="committed")


def test_keepers_login_cannot_read_a_password(platform):
    with keepers.keeper_login(), connections["default"].cursor() as cursor, pytest.raises(DatabaseError) as caught:
        cursor.execute("SELECT password FROM people_account")

    assert "permission denied" in str(caught.value)


def test_every_rule_of_the_keeper_is_asked():
    rules = {name for name in vars(keeper_rules) if name.startswith("about_")}

    source = set(keeper_rules.objections.__code__.co_names)
    assert rules <= source


@pytest.mark.parametrize("key", ["", "abc", "not hexadecimal", "00" * 31])
def test_keeper_without_a_sound_key_does_not_start(settings, key):
    settings.KEEPER_KEY = key

    with pytest.raises(ImproperlyConfigured):
        keeper.Keeper().run()
    with pytest.raises(CommandError):
        call_command("keeper")


def test_running_keeper_answers_what_is_waiting(platform):
    request = asked(claimed(platform))

    with keepers.running():
        _wait_for_answer(request)

    assert Mandate.objects.get(request=request).signature


def _wait_for_answer(request: MandateRequest) -> None:
    with connections["default"].cursor() as cursor:
        for _try in range(200):
            cursor.execute("SELECT pg_sleep(0.05)")
            if Mandate.objects.filter(request=request).exists():
                return


def _as_owner(statement: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement)
