"""What a temporary login may do, and that nothing of it is left when it is closed."""

import base64
import json
import uuid
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from recovery import database
from recovery.doors import access, grants
from recovery.language import rights
from recovery.language.columns import Column
from recovery.language.profile import Profile
from recovery.platform_refusals import PlatformLoginRefused
from recovery.refusals import AccessNotProven
from tests.acme import Acme
from tests.recovery.doors import Place, furnish


@pytest.fixture
def place(platform: Acme) -> Place:
    return furnish(platform)


def all_columns(place: Place, table: str) -> list[str]:
    query = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s"
    return [row["column_name"] for row in place.acme.rows(query, table)]


def written_by(profile: Profile, kind: str) -> set[Column]:
    return set(profile.outcomes[kind].writes)


@pytest.mark.parametrize("kind", ["create", "reset", "enable", "disable", "restore"])
def test_temporary_login_may_write_exactly_the_columns_of_its_statements(place: Place, kind: str) -> None:
    login = place.open(kind=kind)
    privilege = "INSERT" if kind == "create" else "UPDATE"
    allowed = set()

    with place.connect(login) as connection:
        for table in ("adminuser", "tenant", "session", "audit_log"):
            for name in all_columns(place, table):
                query = "SELECT has_column_privilege(current_user, %s, %s, %s)"
                if connection.execute(query, [table, name, privilege]).fetchone()[0]:
                    allowed.add(f"public.{table}.{name}")

    assert allowed == {str(column) for column in written_by(place.platform.profile, kind)}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE adminuser SET role = 'platform_owner' WHERE id = 5",
        "UPDATE adminuser SET is_active = true WHERE id = 2",
        "UPDATE tenant SET suspended_at = NULL",
        "INSERT INTO adminuser (tenant_id, email, display_name, role) VALUES (1, 'a', 'b', 'platform_owner')",
        "DELETE FROM adminuser WHERE id = 5",
        "DELETE FROM tenant",
        "DELETE FROM audit_log",
        "SELECT totp_secret FROM adminuser",
        "SELECT id FROM session",
        "TRUNCATE session",
        "CREATE TABLE public.mine (a int)",
        "CREATE TEMP TABLE mine (a int)",
        "SELECT breakglass.left_over()",
        "CREATE ROLE friend LOGIN",
    ],
)
def test_temporary_login_of_a_reset_may_not(place: Place, statement: str) -> None:
    login = place.open(kind="reset")

    with place.connect(login) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_temporary_login_cannot_outlive_its_end_by_moving_it(place: Place) -> None:
    login = place.open()

    with place.connect(login) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"ALTER ROLE {login.role} VALID UNTIL 'infinity'")


def test_temporary_login_gets_no_more_sessions_than_a_run_needs(place: Place) -> None:
    login = place.open()
    query = (
        "SELECT rolconnlimit, current_setting('server_version_num')::int AS version FROM pg_roles WHERE rolname = %s"
    )
    found = place.acme.rows(query, login.role)[0]

    with ExitStack() as sessions:
        for _number in range(found["rolconnlimit"]):
            sessions.enter_context(place.connect(login))
        with pytest.raises(psycopg.OperationalError, match="too many"):
            sessions.enter_context(place.connect(login))

    assert found["rolconnlimit"] == (2 if found["version"] >= database.EMIT_FLUSHES else 3)


def test_login_that_reached_its_end_is_not_let_in(place: Place) -> None:
    login = place.open()
    with place.acme.connect() as dba:
        dba.execute(f"ALTER ROLE {login.role} VALID UNTIL '2020-01-01'")

    with pytest.raises(psycopg.OperationalError):
        place.connect(login).__enter__()


def test_closing_leaves_no_role_and_ends_its_session(place: Place) -> None:
    login = place.open()

    with place.connect(login) as connection:
        connection.execute("SELECT 1")
        ended = access.close(place.platform, login.access_id)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")

    assert ended == 1
    assert place.roles() == []
    assert access.left_over(place.platform) == ()


def test_closing_takes_along_what_the_login_made(place: Place) -> None:
    login = place.open()
    with place.connect(login) as connection:
        connection.execute("SELECT lo_create(0)")

    access.close(place.platform, login.access_id)

    assert place.roles() == []
    assert place.acme.rows("SELECT oid FROM pg_largeobject_metadata") == []


def test_closing_twice_ends_nothing_more(place: Place) -> None:
    login = place.open()
    access.close(place.platform, login.access_id)

    assert access.close(place.platform, login.access_id) == 0


def test_closing_an_access_that_never_was_does_nothing(place: Place) -> None:
    assert access.close(place.platform, uuid.uuid4()) == 0


def test_open_change_of_a_closed_login_is_undone(place: Place) -> None:
    login = place.open()

    with place.connect(login) as connection:
        connection.execute("UPDATE adminuser SET failed_logins = 99 WHERE id = 1")
        access.close(place.platform, login.access_id)
        with pytest.raises(psycopg.OperationalError):
            connection.commit()

    assert place.acme.owner()["failed_logins"] == 12


def test_proof_holds_the_platforms_own_words(place: Place) -> None:
    login = place.open()
    access.close(place.platform, login.access_id)

    proof = access.prove(place.platform, login.access_id, login=login)

    assert proof["role_exists"] is False
    assert proof["sessions"] == 0
    assert "password authentication failed" in proof["login_refused"]
    assert login.password not in json.dumps(proof)


def test_access_that_is_still_open_is_not_proven_gone(place: Place) -> None:
    login = place.open()

    with pytest.raises(AccessNotProven, match="the role exists"):
        access.prove(place.platform, login.access_id, login=login)


def test_first_half_of_closing_alone_keeps_new_logins_out(place: Place) -> None:
    login = place.open()
    with place.acme.connect() as dba:
        dba.execute("SELECT breakglass.lock_access(%s)", [login.access_id])

    with pytest.raises(PlatformLoginRefused), access.connect(place.platform, login):
        pass


def test_reaping_closes_what_is_past_its_end_and_nothing_else(place: Place) -> None:
    late, live = place.open(), place.open()
    with place.acme.connect() as dba:
        dba.execute("UPDATE breakglass.access SET until = now() - interval '1 second' WHERE id = %s", [late.access_id])

    closed = access.reap(place.platform)

    assert closed == 1
    assert place.roles() == [live.role]


def test_role_that_no_opening_explains_is_left_over_and_reaped(place: Place) -> None:
    login = place.open()
    with place.acme.connect() as dba:
        dba.execute("DELETE FROM breakglass.access")
    seen = access.left_over(place.platform)

    closed = access.reap(place.platform)

    assert [(left.role, left.incident) for left in seen] == [(login.role, "")]
    assert closed == 1
    assert place.roles() == []


def test_verifier_made_here_is_what_libpq_makes(place: Place) -> None:
    login = access.prepare(uuid.uuid4())
    with place.acme.connect() as dba:
        theirs = dba.pgconn.encrypt_password(login.password.encode(), b"x", b"scram-sha-256").decode()
    salt = base64.b64decode(theirs.split("$")[1].split(":")[1])

    assert access.scram_verifier(login.password, salt=salt) == theirs


def test_password_of_a_login_is_never_shown(place: Place) -> None:
    login = access.prepare(uuid.uuid4())

    assert login.password not in repr(login)
    assert login.verifier not in repr(login)


def test_reader_may_read_no_secret_column(place: Place) -> None:
    profile = place.platform.profile

    read = {(right.table, name) for right in rights.of_reader(profile) for name in right.columns}

    assert read.isdisjoint({(column.table, column.name) for column in profile.secret_columns})


def test_reader_sees_scheme_and_cost_but_no_salt(place: Place) -> None:
    whole = place.acme.owner()["password_hash"]
    query = "SELECT password_hash_prefix, password_hash_stamp FROM breakglass.adminuser_secrets WHERE id = 1"

    with psycopg.connect(place.platform.conninfo("reader")) as reader:
        prefix, stamp = reader.execute(query).fetchone()

    assert prefix == "$argon2id$v=19$m=19456,t=2,p=1$"
    assert whole.startswith(prefix)
    assert stamp not in whole


def test_rights_of_an_earlier_profile_are_taken_back(place: Place) -> None:
    capability = grants.capability("reset", place.acme.dbname)
    with place.acme.connect() as dba:
        dba.execute(f"GRANT UPDATE (role) ON adminuser TO {capability}")

        grants.install(dba, place.platform.profile)

        query = "SELECT has_column_privilege(%s, 'adminuser', 'role', 'UPDATE')"
        assert dba.execute(query, [capability]).fetchone() == (False,)


def test_end_of_an_access_is_the_mandates_end(place: Place) -> None:
    until = datetime.now(UTC) + timedelta(minutes=7)

    login = place.open(until=until)

    assert access.state(place.platform, login.access_id).until == until
