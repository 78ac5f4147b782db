"""The script of `platform grants` as the DBA runs it: with psql, answering its prompts, again and again."""

import os
import subprocess
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from recovery import platforms, readiness
from recovery.doors import grants
from recovery.doors.mandates import door_key
from recovery.language import profiles
from recovery.language.profile import Profile
from tests import acme, postgres
from tests.acme import LOGINS, Acme
from tests.conftest import RUN
from tests.recovery.test_closing import rights_held


def key_of(platform: Acme) -> bytes:
    (found,) = platform.rows("SELECT system_identifier::text AS one FROM pg_control_system()")
    master = bytes.fromhex(settings.KEEPER_KEY)
    return door_key(master, system_identifier=found["one"], database_name=platform.dbname)


def run_script(platform: Acme, folder: Path, profile: Profile | None = None) -> str:
    """psql's own words. It has no terminal, so it asks its questions on standard input."""
    file = folder / "grants.sql"
    file.write_text(grants.script(profile or profiles.load("saas"), database=platform.dbname, platform=platform.name))
    answers = [*([LOGINS.reader] * 2), *([LOGINS.broker] * 2), key_of(platform).hex()]
    command = [postgres.psql(), "--no-psqlrc", "-d", platform.cluster.superuser_url(platform.dbname), "-f", file]
    with acme.alone(RUN):
        done = subprocess.run(
            command,
            input="".join(f"{answer}\n" for answer in answers),
            capture_output=True,
            check=False,
            text=True,
            start_new_session=True,
            env=os.environ | {"PGOPTIONS": "-c log_statement=all"},
        )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def bare(platform: Acme) -> Acme:
    """The platform before any DBA has done anything for the console."""
    with platform.connect() as dba:
        dba.execute("DROP SCHEMA breakglass CASCADE")
        for kind in profiles.load("saas").outcomes:
            role = grants.capability(kind, platform.dbname)
            dba.execute(f"DROP OWNED BY {role}")
            dba.execute(f"DROP ROLE {role}")
    return platform


def look(platform: Acme) -> readiness.Readiness:
    return readiness.look(platforms.get(platform.name))


def test_platform_is_ready_once_the_dba_has_run_the_script(bare: Acme, tmp_path: Path) -> None:
    said = run_script(bare, tmp_path)

    assert "Done. Look at it from the console" in said
    assert look(bare).missing == ()


def test_script_changes_nothing_when_it_runs_again(bare: Acme, tmp_path: Path) -> None:
    run_script(bare, tmp_path)
    before = rights_held(bare)

    run_script(bare, tmp_path)

    assert rights_held(bare) == before
    assert look(bare).missing == ()


def test_script_of_a_narrower_profile_takes_rights_back(bare: Acme, tmp_path: Path) -> None:
    run_script(bare, tmp_path)
    text = (profiles.SHIPPED / "saas.toml").read_text()
    narrower = tmp_path / "narrower.toml"
    narrower.write_text(text.replace("disabled_by = NULL, failed_logins = 0,", "disabled_by = NULL,"))

    run_script(bare, tmp_path, profiles.load(str(narrower)))

    role = grants.capability("enable", bare.dbname)
    query = "SELECT has_column_privilege(%s, 'adminuser', name, 'UPDATE') AS may FROM unnest(ARRAY['failed_logins', 'is_active']) name"
    assert [row["may"] for row in bare.rows(query, role)] == [False, True]


def test_script_of_a_profile_without_an_outcome_leaves_that_outcome_no_right(bare: Acme, tmp_path: Path) -> None:
    run_script(bare, tmp_path)
    text = (profiles.SHIPPED / "saas.toml").read_text()
    smaller = tmp_path / "smaller.toml"
    smaller.write_text(text[: text.index("# Restore:")])

    run_script(bare, tmp_path, profiles.load(str(smaller)))

    role = grants.capability("restore", bare.dbname)
    query = "SELECT has_column_privilege(%s, 'adminuser', 'password_hash', 'UPDATE') AS may"
    assert bare.rows(query, role) == [{"may": False}]


def test_neither_password_nor_key_reaches_the_servers_log_or_the_terminal(bare: Acme, tmp_path: Path) -> None:
    said = run_script(bare, tmp_path)
    logged = bare.cluster.log_file.read_text()

    assert "CREATE ROLE" in logged
    for secret in (LOGINS.reader, LOGINS.broker, key_of(bare).hex()):
        assert secret not in said
        assert secret not in logged


def test_script_is_refused_by_another_database(bare: Acme, tmp_path: Path) -> None:
    file = tmp_path / "grants.sql"
    file.write_text(grants.script(profiles.load("saas"), database="another"))

    command = [postgres.psql(), "--no-psqlrc", "-d", bare.cluster.superuser_url(bare.dbname), "-f", file]
    done = subprocess.run(command, capture_output=True, check=False, text=True, stdin=subprocess.DEVNULL)

    assert done.returncode != 0
    assert "this script is for the database another" in done.stderr


def test_schema_that_somebody_else_made_before_is_not_trusted(bare: Acme) -> None:
    with bare.connect() as dba:
        dba.execute("CREATE SCHEMA breakglass AUTHORIZATION acme_app")

        with pytest.raises(psycopg.errors.RaiseException, match="the schema breakglass belongs to acme_app"):
            grants.install(dba, profiles.load("saas"))
