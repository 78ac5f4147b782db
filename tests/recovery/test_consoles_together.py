"""Two consoles that know nothing of each other: on two databases of one server, or by mistake on the same one."""

import secrets
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pytest_django.fixtures import Settings

from breakglass.practice import platform_file
from recovery import platforms, readiness
from recovery.doors import access, grants
from recovery.doors.mandates import door_key, sign
from recovery.refusals import DoorShut
from tests import acme
from tests.acme import LOGINS, Acme
from tests.conftest import RUN
from tests.recovery.doors import Place, furnish


@pytest.fixture
def first(platform: Acme) -> Place:
    return furnish(platform)


@pytest.fixture
def second(first: Place, settings: Settings, tmp_path: Path) -> Iterator[Place]:
    """Another database of the same server, whose doors have the key of another console's keeper."""
    server, dbname = first.acme.cluster, f"{first.acme.dbname}_2"
    acme.copy(RUN, server, dbname)
    folder = tmp_path / "second"
    folder.mkdir()
    own, own_key = settings.PLATFORMS_FILE, settings.KEEPER_KEY
    file = platform_file.write(folder, server, dbname, LOGINS, sign_in_url="http://127.0.0.1:1/", log=folder / "log")
    settings.PLATFORMS_FILE, settings.KEEPER_KEY = file, secrets.token_hex(32)
    place = furnish(Acme(server, dbname, file))
    settings.PLATFORMS_FILE, settings.KEEPER_KEY = own, own_key
    yield place
    acme.forget(RUN, server, dbname)


def test_neither_sees_what_the_other_has_open(first: Place, second: Place) -> None:
    first.open()

    assert access.left_over(second.platform) == ()


def test_neither_reaps_what_the_other_has_open(first: Place, second: Place) -> None:
    login = first.open()
    with first.acme.connect() as dba:
        dba.execute("UPDATE breakglass.access SET until = now() - interval '1 second'")

    closed = access.reap(second.platform)

    assert closed == 0
    assert first.roles() == [login.role]


def test_neither_closes_what_the_other_has_open(first: Place, second: Place) -> None:
    login = first.open()

    access.close(second.platform, login.access_id)

    assert first.roles() == [login.role]


def test_both_open_and_close_at_the_same_time(first: Place, second: Place) -> None:
    one, other = first.open(), second.open()

    with first.connect(one) as mine, second.connect(other) as theirs:
        found = [session.execute("SELECT current_database()").fetchone()[0] for session in (mine, theirs)]
    access.close(first.platform, one.access_id)

    assert found == [first.acme.dbname, second.acme.dbname]
    assert (first.roles(), second.roles()) == ([], [other.role])
    access.close(second.platform, other.access_id)


def test_keeper_of_the_one_opens_no_door_of_the_other(first: Place, second: Place) -> None:
    login = access.prepare(uuid.uuid4())
    mandate = second.mandate(login)

    with pytest.raises(DoorShut, match="signature"):
        access.open(second.platform, login, mandate=mandate, signature=sign(mandate, first.key))


def test_mandate_for_the_one_opens_no_door_of_the_other(first: Place, second: Place) -> None:
    login = access.prepare(uuid.uuid4())
    mandate = first.mandate(login)

    with pytest.raises(DoorShut, match="signature"):
        access.open(second.platform, login, mandate=mandate, signature=sign(mandate, second.key))


def test_login_of_the_one_may_change_nothing_in_the_database_of_the_other(first: Place, second: Place) -> None:
    login = first.open()
    url = second.acme.cluster.url(login.role, login.password, second.acme.dbname)

    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(url)


def test_set_up_of_the_one_leaves_an_open_login_of_the_other_alone(first: Place, second: Place) -> None:
    login = first.open()

    with acme.alone(RUN), second.acme.connect() as dba:
        grants.install(dba, second.platform.profile, door_key=second.key)

    with first.connect(login) as connection:
        connection.execute("UPDATE adminuser SET failed_logins = 0 WHERE id = 1")
    assert access.close(first.platform, login.access_id) == 0
    assert first.roles() == []


def test_second_console_on_the_same_database_is_told_that_the_door_is_not_its_own(
    first: Place, settings: Settings
) -> None:
    settings.KEEPER_KEY = secrets.token_hex(32)

    found = readiness.look(platforms.get(first.acme.name))

    assert any("another key than the keeper" in sentence for sentence in found.missing)


def test_second_console_on_the_same_database_opens_nothing(first: Place) -> None:
    facts = {"system_identifier": first.system_identifier, "database_name": first.acme.dbname}
    login = access.prepare(uuid.uuid4())
    mandate = first.mandate(login)

    with pytest.raises(DoorShut, match="signature"):
        strange = door_key(secrets.token_bytes(32), **facts)
        access.open(first.platform, login, mandate=mandate, signature=sign(mandate, strange))


def test_second_console_on_the_same_database_sees_the_login_of_the_first_and_lets_it_live(first: Place) -> None:
    login = first.open()

    seen, closed = access.left_over(first.platform), access.reap(first.platform)

    assert [left.role for left in seen] == [login.role]
    assert (closed, first.roles()) == (0, [login.role])
