"""The DBA's script and what `manage.py platform` says of a platform before and after it ran."""

from io import StringIO

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from recovery import platforms, readiness
from recovery.doors import grants
from recovery.language import profiles
from tests.acme import LOGINS, Acme
from tests.recovery.doors import furnish


def missing(acme: Acme) -> str:
    return "\n".join(readiness.look(platforms.get(acme.name)).missing)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("platform", *arguments, stdout=out)
    return out.getvalue()


def change(acme: Acme, statement: str) -> None:
    with acme.connect() as dba:
        dba.execute(statement)


def test_script_holds_no_password_and_no_key(platform: Acme) -> None:
    script = run("grants", "acme")

    for secret in (LOGINS.reader, LOGINS.broker, settings.KEEPER_KEY):
        assert secret not in script
    assert "\\password breakglass_reader" in script
    assert "\\prompt" in script


def test_script_is_for_one_database_only(platform: Acme) -> None:
    profile = profiles.load("saas")

    with (
        platform.cluster.connect() as dba,
        pytest.raises(psycopg.errors.RaiseException, match="this script is for the database"),
    ):
        dba.execute(grants.body(profile, database=platform.dbname).encode())


def test_script_grants_a_table_right_only_where_rows_are_deleted() -> None:
    body = grants.body(profiles.load("saas"), database="acme")

    whole = [
        line for line in body.splitlines() if line.startswith(("GRANT DELETE", "GRANT UPDATE ON", "GRANT INSERT ON"))
    ]

    assert {line.split(" TO ")[0] for line in whole} == {'GRANT DELETE ON "public"."session"'}


def test_furnished_platform_is_ready(platform: Acme) -> None:
    furnish(platform)

    assert missing(platform) == ""
    assert "is ready for a recovery" in run("check", "acme")


def test_platform_without_set_up_is_told_what_to_run(platform: Acme) -> None:
    change(platform, "DROP SCHEMA breakglass CASCADE; REVOKE ALL ON ALL TABLES IN SCHEMA public FROM breakglass_reader")

    with pytest.raises(CommandError, match="is not ready"):
        run("check", "acme")

    assert "Run the script of: platform grants" in missing(platform)


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("ALTER TABLE adminuser RENAME COLUMN disabled_by TO gone_by", "adminuser.disabled_by does not exist"),
        ("ALTER TABLE session RENAME TO sessions", "The table public.session does not exist"),
        (
            "REVOKE SELECT (email) ON adminuser FROM breakglass_reader",
            "the reader lacks SELECT on public.adminuser (email)",
        ),
        ("GRANT SELECT (password_hash) ON adminuser TO breakglass_reader", "may read the secret column"),
        ("GRANT UPDATE ON adminuser TO breakglass_reader", "The reader may UPDATE on public.adminuser"),
        ("DROP VIEW breakglass.adminuser_secrets", "The view breakglass.adminuser_secrets is missing"),
        ("DELETE FROM breakglass.door", "The doors have no key yet"),
        ("UPDATE breakglass.door SET key = sha256('another')", "another key than the keeper"),
        ("DROP FUNCTION breakglass.key_stamp()", "breakglass.key_stamp() does not exist"),
        ("DROP INDEX one_system_tenant; UPDATE tenant SET is_system = true", "38 system tenants"),
        ("UPDATE tenant SET is_system = false", "There are 0 system tenants"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(platform: Acme, statement: str, sentence: str) -> None:
    furnish(platform)

    change(platform, statement)

    assert sentence in missing(platform)


def test_right_that_a_capability_lost_is_named(platform: Acme) -> None:
    furnish(platform)
    role = grants.capability("enable", platform.dbname)

    change(platform, f"REVOKE UPDATE (is_active) ON adminuser FROM {role}")

    assert "the outcome enable lacks UPDATE on public.adminuser (is_active)" in missing(platform)


def test_access_that_is_not_closed_is_named(platform: Acme) -> None:
    login = furnish(platform).open()

    assert f"The access {login.role} is not closed" in missing(platform)


def test_trigger_on_a_written_table_is_a_note(platform: Acme) -> None:
    furnish(platform)
    change(
        platform,
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER stamps BEFORE UPDATE ON adminuser FOR EACH ROW EXECUTE FUNCTION f()",
    )

    found = readiness.look(platforms.get(platform.name))

    assert found.is_ready
    assert any("has the trigger stamps" in note for note in found.notes)


def test_schema_in_which_everybody_makes_things_is_a_note(platform: Acme) -> None:
    furnish(platform)
    change(platform, "GRANT CREATE ON SCHEMA public TO PUBLIC")

    found = readiness.look(platforms.get(platform.name))

    assert found.is_ready
    assert any("REVOKE CREATE ON SCHEMA public FROM PUBLIC" in note for note in found.notes)


def test_thing_that_a_capability_owns_is_named(platform: Acme) -> None:
    furnish(platform)
    role = grants.capability("reset", platform.dbname)
    change(platform, f"CREATE TABLE mine (a int); ALTER TABLE mine OWNER TO {role}")

    assert f"The role {role} owns 1 things" in missing(platform)


def test_platform_that_does_not_answer_is_said_in_a_sentence(platform: Acme) -> None:
    (platform.file.parent / "acme-reader").write_text("host=127.0.0.1 port=1 dbname=acme user=r")

    assert "does not answer" in missing(platform)


def test_serial_column_that_an_insert_leaves_out_may_take_its_number(platform: Acme) -> None:
    change(platform, "CREATE SEQUENCE numbers; ALTER TABLE adminuser ALTER id DROP IDENTITY")
    change(platform, "ALTER TABLE adminuser ALTER id SET DEFAULT nextval('numbers')")
    place = furnish(platform)
    login = place.open(kind="create")
    insert = "INSERT INTO adminuser (tenant_id, email, display_name, role) VALUES (1, 'x', 'y', 'platform_owner')"

    change(platform, "SELECT setval('numbers', 1000)")
    with place.connect(login) as connection:
        assert connection.execute(f"{insert} RETURNING id").fetchone() == (1001,)


def test_profile_is_shown_with_what_it_writes(platform: Acme) -> None:
    shown = run("show", "acme")

    assert "end the sessions of the account: public.session (delete), 0-1000" in shown


def test_key_is_not_written_into_a_pipe(platform: Acme) -> None:
    with pytest.raises(CommandError, match="on a terminal only"):
        run("key", "acme")


def test_key_is_only_known_on_the_keepers_host(platform: Acme, settings: Settings) -> None:
    settings.KEEPER_KEY = ""

    with pytest.raises(CommandError, match="KEEPER_KEY is not set"):
        run("key", "acme")


def test_unknown_platform_is_refused_in_a_sentence(platform: Acme) -> None:
    with pytest.raises(CommandError, match="No platform is called other"):
        run("check", "other")
