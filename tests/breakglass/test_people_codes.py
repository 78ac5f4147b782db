"""Second factors: RFC 6238, the database's clock, and each code once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography.exceptions import InvalidTag
from django.db import connection, transaction

from audit import clock, events
from audit.models import Entry
from breakglass.people import factors, step_up, throttle, totp
from breakglass.people.models import Authenticator, SpentStep, StepUp
from breakglass.people.refusals import CodeAlreadyUsed, CodeRefused, SignInSlow
from tests import cast

pytestmark = pytest.mark.django_db

SEED = b"12345678901234567890"
VECTORS = [  # RFC 6238 appendix B: seconds, digest, code
    (59, "sha1", "94287082"),
    (59, "sha256", "46119246"),
    (59, "sha512", "90693936"),
    (1111111109, "sha1", "07081804"),
    (1111111111, "sha256", "67062674"),
    (1234567890, "sha512", "93441116"),
    (2000000000, "sha1", "69279037"),
    (20000000000, "sha1", "65353130"),
    (20000000000, "sha512", "47863826"),
]
LENGTHS = {"sha1": 20, "sha256": 32, "sha512": 64}


@pytest.mark.parametrize(("seconds", "digest", "code"), VECTORS)
def test_codes_are_those_of_the_rfc(seconds, digest, code):
    seed = (SEED * 4)[: LENGTHS[digest]]

    assert totp.code(seed, seconds // 30, digits=8, digest=digest) == code


def test_right_code_is_taken_and_names_its_authenticator():
    sam = cast.person("sam")
    authenticator = cast.authenticator_of(sam)

    used = factors.verify(sam, factors.code_at(authenticator, clock.now()))

    assert used == authenticator


@pytest.mark.parametrize("drift", [-1, 1])
def test_one_step_of_drift_is_taken(drift):
    sam = cast.person("sam")
    moment = clock.now() + timedelta(seconds=30 * drift)

    factors.verify(sam, factors.code_at(cast.authenticator_of(sam), moment))

    assert SpentStep.objects.get().step == totp.step_at(moment)


@pytest.mark.parametrize("drift", [-3, 3])
def test_code_of_another_time_is_refused(drift):
    sam = cast.person("sam")
    moment = clock.now() + timedelta(seconds=30 * drift)

    with pytest.raises(CodeRefused):
        factors.verify(sam, factors.code_at(cast.authenticator_of(sam), moment))


def test_used_code_is_refused():
    sam = cast.person("sam")
    code = cast.code_for(sam)
    factors.verify(sam, code)

    with pytest.raises(CodeAlreadyUsed):
        factors.verify(sam, code)


def test_of_ten_at_once_exactly_one_wins():
    sam = cast.person("sam")
    code = cast.code_for(sam)

    def attempt(_number):
        try:
            return factors.verify(sam, code)
        except CodeAlreadyUsed:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        winners = [used for used in pool.map(attempt, range(10)) if used]

    assert len(winners) == 1
    assert SpentStep.objects.count() == 1


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "12345\0", "12345\ud800", "١٢٣٤٥٦"]
)
def test_what_is_not_six_digits_is_refused(typed):
    sam = cast.person("sam")
    cast.authenticator_of(sam)

    with pytest.raises(CodeRefused):
        factors.verify(sam, typed)


def test_code_of_somebody_else_is_refused():
    sam, simone = cast.person("sam"), cast.person("simone")

    with pytest.raises(CodeRefused):
        factors.verify(simone, cast.code_for(sam))


def test_code_of_a_disabled_account_is_refused():
    sam = cast.person("sam")
    code = cast.code_for(sam)
    sam.is_active = False
    sam.save(update_fields=["is_active"])

    with pytest.raises(CodeRefused):
        factors.verify(sam, code)


def test_code_of_a_retired_authenticator_is_refused():
    sam = cast.person("sam")
    code = cast.code_for(sam)
    factors.retire_all(sam, at=clock.now())

    with pytest.raises(CodeRefused):
        factors.verify(sam, code)


def test_time_is_the_databases_and_not_the_hosts(monkeypatch):
    sam = cast.person("sam")
    authenticator = cast.authenticator_of(sam)
    moment = clock.now()
    monkeypatch.setattr("time.time", lambda: 0.0)

    used = factors.verify(sam, factors.code_at(authenticator, moment))

    assert used == authenticator


def test_seed_is_sealed_and_bound_to_its_account():
    sam, simone = cast.person("sam"), cast.person("simone")
    seed = factors.new_seed()
    moved = Authenticator(user=simone, sealed_key=factors.seal(sam, seed))

    with pytest.raises(InvalidTag):
        factors.unseal(moved)
    assert seed not in bytes(moved.sealed_key)


def test_enrolled_authenticator_counts_from_its_first_right_code_on():
    sam = cast.person("sam")
    authenticator, uri = factors.enrol(sam, name="telephone")
    code = factors.code_at(authenticator, clock.now())

    with pytest.raises(CodeRefused):
        factors.verify(sam, code)
    factors.confirm(authenticator, code)

    assert factors.live(sam) == [authenticator]
    assert uri.startswith("otpauth://totp/Breakglass:sam?secret=")
    with pytest.raises(CodeAlreadyUsed):
        factors.verify(sam, code)


def test_unspent_code_is_another_one_each_time_and_none_when_all_are_spent():
    sam = cast.person("sam")
    cast.authenticator_of(sam)

    taken = []
    while code := factors.unspent_code(sam):
        factors.verify(sam, code)
        taken.append(code)

    assert len(taken) in (3, 4)  # four when a new step began meanwhile


def test_step_up_is_a_row_bound_to_purpose_and_digest():
    sam = cast.person("sam")

    row = step_up.take(sam, code=cast.code_for(sam), purpose=step_up.APPROVE, digest="d" * 64)

    assert StepUp.objects.get() == row
    assert (row.account, row.purpose, row.digest) == (sam, "approve", "d" * 64)
    assert Entry.objects.filter(event=events.FACTOR_USED, by="sam").count() == 1


def test_step_up_never_takes_a_code_twice():
    sam = cast.person("sam")
    code = cast.code_for(sam)
    step_up.take(sam, code=code, purpose=step_up.APPROVE)

    with pytest.raises(CodeAlreadyUsed):
        step_up.take(sam, code=code, purpose=step_up.RUN)


def test_wrong_codes_slow_the_account_down_but_never_lock_it():
    sam, simone = cast.person("sam"), cast.person("simone")
    for _attempt in range(6):
        with pytest.raises(CodeRefused):
            step_up.take(sam, code="x", purpose=step_up.RUN)

    with pytest.raises(SignInSlow) as slow:
        step_up.take(sam, code=cast.code_for(sam), purpose=step_up.RUN)

    assert 0 < slow.value.facts["wait"] <= throttle.LONGEST_WAIT
    assert step_up.take(simone, code=cast.code_for(simone), purpose=step_up.RUN)


def test_step_up_inside_a_transaction_is_a_fault_of_the_caller():
    sam = cast.person("sam")

    with pytest.raises(RuntimeError), transaction.atomic():
        step_up.take(sam, code=cast.code_for(sam), purpose=step_up.RUN)
