"""The doors of a platform: what opens them, what does not, and what a stolen login is worth."""

import hmac
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from breakglass.practice.cluster import Cluster
from breakglass.practice.platform import BROKER
from recovery.doors import access, grants
from recovery.doors.mandates import Mandate, sign
from recovery.refusals import DoorShut
from tests.acme import LOGINS, Acme
from tests.recovery.doors import Place, furnish


@pytest.fixture
def place(platform: Acme) -> Place:
    return furnish(platform)


@pytest.fixture
def broker(place: Place) -> Iterator[psycopg.Connection]:
    """Whoever stole the broker's password."""
    url = place.acme.cluster.url(BROKER, LOGINS.broker, place.acme.dbname)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def refused(place: Place, mandate: Mandate, signature: bytes, login: access.Login) -> str:
    with pytest.raises(DoorShut) as caught:
        access.open(place.platform, login, mandate=mandate, signature=signature)
    assert place.roles() == []
    return str(caught.value.facts["reason"])


def test_mandate_of_the_keeper_opens_a_login_that_can_sign_in(place: Place) -> None:
    login = place.open()

    with place.connect(login) as connection:
        name = connection.execute("SELECT current_user").fetchone()

    assert name == (login.role,)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT email FROM adminuser",
        "UPDATE adminuser SET role = 'platform_owner'",
        "SELECT * FROM breakglass.adminuser_secrets",
        "SELECT key FROM breakglass.door",
        "INSERT INTO breakglass.door (key) VALUES (sha256('mine'))",
        "SELECT * FROM breakglass.access",
        "CREATE ROLE bg_mine LOGIN",
        "SELECT breakglass.make_role('bg_mine', 'reset', 'x', now())",
        "SELECT breakglass.hmac_sha256('guess', 'message')",
        "GRANT breakglass_door_owner TO breakglass_broker",
        "SET ROLE breakglass_door_owner",
        "CREATE TABLE public.mine (a int)",
        "ALTER FUNCTION breakglass.key_stamp() OWNER TO breakglass_broker",
        "GRANT pg_execute_server_program TO breakglass_broker",
        "GRANT acme_app TO breakglass_broker",
        "ALTER ROLE acme_app PASSWORD 'mine'",
        "ALTER ROLE breakglass_broker CREATEROLE",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('postgresql.conf')",
    ],
)
def test_stolen_broker_login_may_do_nothing_but_knock(broker: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        broker.execute(statement)


def test_stolen_broker_login_cannot_take_a_capability(place: Place, broker: psycopg.Connection) -> None:
    capability = grants.capability("reset", place.acme.dbname)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        broker.execute(f"GRANT {capability} TO {BROKER}")


def test_temporary_login_that_takes_the_name_of_its_capability_gains_nothing(place: Place) -> None:
    """Before 16 it may do so; what the capability may not do, it may not do either."""
    login = place.open(kind="reset")

    with place.connect(login) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"SET ROLE {grants.capability('reset', place.acme.dbname)}")
        connection.execute("UPDATE adminuser SET role = 'platform_owner'")


def test_temporary_login_of_one_outcome_cannot_take_another(place: Place) -> None:
    login = place.open(kind="reset")

    with place.connect(login) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"SET ROLE {grants.capability('enable', place.acme.dbname)}")


def test_mandate_signed_with_another_key_opens_nothing(place: Place) -> None:
    login = access.prepare(uuid.uuid4())
    mandate = place.mandate(login)

    reason = refused(place, mandate, sign(mandate, b"x" * 32), login)

    assert "signature" in reason


def test_empty_signature_opens_nothing(place: Place) -> None:
    login = access.prepare(uuid.uuid4())

    assert "signature" in refused(place, place.mandate(login), b"", login)


def test_signature_with_one_bit_changed_opens_nothing(place: Place) -> None:
    login = access.prepare(uuid.uuid4())
    mandate = place.mandate(login)
    signature = sign(mandate, place.key)

    reason = refused(place, mandate, signature[:-1] + bytes([signature[-1] ^ 1]), login)

    assert "signature" in reason


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "create"},
        {"incident": "BG-2026-0002"},
        {"digest": "1" * 64},
        {"until": datetime.now(UTC) + timedelta(hours=3)},
        {"nonce": "another-nonce-of-the-thief"},
    ],
)
def test_mandate_altered_after_signing_opens_nothing(place: Place, change: dict[str, object]) -> None:
    login = access.prepare(uuid.uuid4())
    mandate = place.mandate(login)

    reason = refused(place, replace(mandate, **change), sign(mandate, place.key), login)

    assert "signature" in reason


def test_mandate_for_another_verifier_opens_nothing(place: Place) -> None:
    approved, thief = access.prepare(uuid.uuid4()), access.prepare(uuid.uuid4())
    mandate = place.mandate(approved)

    reason = refused(place, mandate, sign(mandate, place.key), replace(thief, access_id=approved.access_id))

    assert "signature" in reason


def test_mandate_for_another_access_id_opens_nothing(place: Place) -> None:
    login = access.prepare(uuid.uuid4())
    mandate = place.mandate(login)

    reason = refused(place, mandate, sign(mandate, place.key), replace(login, access_id=uuid.uuid4()))

    assert "signature" in reason


def test_mandate_for_another_database_opens_nothing(place: Place) -> None:
    login = access.prepare(uuid.uuid4())
    mandate = place.mandate(login, database_name="another")

    assert "signature" in refused(place, mandate, sign(mandate, place.key), login)


def test_mandate_whose_end_has_passed_opens_nothing(place: Place) -> None:
    login = access.prepare(uuid.uuid4())
    mandate = place.mandate(login, until=datetime.now(UTC) - timedelta(seconds=1))

    assert "the mandate ends at" in refused(place, mandate, sign(mandate, place.key), login)


def test_mandate_for_more_than_four_hours_opens_nothing(place: Place) -> None:
    login = access.prepare(uuid.uuid4())
    mandate = place.mandate(login, until=datetime.now(UTC) + timedelta(hours=4, minutes=1))

    assert "the mandate ends at" in refused(place, mandate, sign(mandate, place.key), login)


def test_mandate_opens_only_once_while_its_login_lives(place: Place) -> None:
    login = access.prepare(uuid.uuid4())
    mandate = place.mandate(login)
    access.open(place.platform, login, mandate=mandate, signature=sign(mandate, place.key))

    with pytest.raises(DoorShut, match="used before"):
        access.open(place.platform, login, mandate=mandate, signature=sign(mandate, place.key))


def test_mandate_replayed_after_closing_opens_nothing(place: Place) -> None:
    login = access.prepare(uuid.uuid4())
    mandate = place.mandate(login)
    access.open(place.platform, login, mandate=mandate, signature=sign(mandate, place.key))
    access.close(place.platform, login.access_id)

    assert "used before" in refused(place, mandate, sign(mandate, place.key), login)


def test_nonce_used_twice_opens_nothing(place: Place) -> None:
    place.open(nonce="the-nonce-of-both-of-them")
    login = access.prepare(uuid.uuid4())
    mandate = place.mandate(login, nonce="the-nonce-of-both-of-them")

    with pytest.raises(DoorShut, match="used before"):
        access.open(place.platform, login, mandate=mandate, signature=sign(mandate, place.key))


def test_password_in_the_place_of_a_verifier_opens_nothing(place: Place) -> None:
    clear = replace(access.prepare(uuid.uuid4()), verifier="a password in clear text")
    mandate = place.mandate(clear)

    assert "wrong form" in refused(place, mandate, sign(mandate, place.key), clear)


def test_door_without_key_opens_nothing(place: Place) -> None:
    with place.acme.connect() as dba:
        dba.execute("DELETE FROM breakglass.door")
    login = access.prepare(uuid.uuid4())
    mandate = place.mandate(login)

    assert "no key" in refused(place, mandate, sign(mandate, b""), login)


def test_set_up_that_runs_again_keeps_key_and_open_access(place: Place) -> None:
    login = place.open()

    with place.acme.connect() as connection:
        grants.install(connection, place.platform.profile)

    assert [left.role for left in access.left_over(place.platform)] == [login.role]
    assert place.open().role in place.roles()


@pytest.fixture(scope="module")
def hmac_of_the_server(platform_server: Cluster) -> Iterator[psycopg.Connection]:
    with platform_server.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute("CREATE SCHEMA breakglass")
        connection.execute(grants.DOORS[0].read_bytes())
        yield connection


@hypothesis_settings(deadline=None, max_examples=50)
@given(key=st.binary(max_size=200), message=st.binary(max_size=300))
def test_server_and_keeper_compute_the_same_hmac(
    hmac_of_the_server: psycopg.Connection, key: bytes, message: bytes
) -> None:
    found = hmac_of_the_server.execute("SELECT breakglass.hmac_sha256(%s, %s)", [key, message]).fetchone()

    assert found == (hmac.digest(key, message, "sha256"),)
