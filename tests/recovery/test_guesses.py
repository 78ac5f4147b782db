"""Profiles that were guessed from a catalog: known software is recognised, unknown schemas become profiles that load and run."""

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from breakglass.practice.cluster import Cluster
from recovery import diagnosis, readiness
from recovery.guessing import guesses
from recovery.guessing.guess_catalog import form_of, has_word
from recovery.language import profiles
from recovery.language.columns import Table, quoted
from recovery.language.profile import Profile
from recovery.models import RunState
from recovery.planning import plans
from tests.acme import Acme
from tests.recovery import madeup
from tests.recovery.stage import PASSWORD, WHO, Stage
from tests.recovery.test_documented_profile import PEOPLE
from tests.recovery.test_documented_profile import SCHEMA as HARBOUR

# A schema with quoted names, uuids, flags that say the opposite, groups in a table of their own.
QUOTED = """
CREATE TABLE "Realm" ("realmId" uuid PRIMARY KEY, "label" text NOT NULL, "isRoot" boolean NOT NULL);
CREATE TABLE "UserAccount" (
    "accountId" uuid PRIMARY KEY, "realmId" uuid NOT NULL REFERENCES "Realm", "handle" varchar(40) NOT NULL UNIQUE,
    "eMail" text NOT NULL, "secretHash" text, "isDisabled" smallint NOT NULL DEFAULT 0, "order" int NOT NULL,
    "badTries" int NOT NULL DEFAULT 0, "lastSeenAt" timestamptz, "inviteCode" varchar(12) NOT NULL UNIQUE);
CREATE TABLE "Group" ("groupId" int PRIMARY KEY, "groupName" text NOT NULL UNIQUE);
CREATE TABLE "GroupMember" ("accountId" uuid NOT NULL REFERENCES "UserAccount", "groupId" int NOT NULL REFERENCES "Group",
    PRIMARY KEY ("accountId", "groupId"));
INSERT INTO "Realm" VALUES ('00000000-0000-0000-0000-000000000001', 'Root', true),
                           ('00000000-0000-0000-0000-000000000002', 'Customer', false);
INSERT INTO "Group" VALUES (1, 'Reader'), (2, 'Super Admin');
INSERT INTO "UserAccount" ("accountId", "realmId", "handle", "eMail", "secretHash", "isDisabled", "order", "inviteCode") VALUES
    ('10000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000001', 'locked', 'a@b.example',
     '$2a$04$' || repeat('a', 53), 0, 1, 'x'),
    ('10000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 'off', 'c@b.example',
     '$2a$04$' || repeat('a', 53), 1, 1, 'y');
INSERT INTO "GroupMember" SELECT "accountId", 2 FROM "UserAccount";
"""
# Names that say nothing in English, numbers from a sequence that no default names, no foreign key, no tenants.
GERMAN = """
CREATE SEQUENCE nutzer_nr_seq START 10;
CREATE TABLE nutzer (nr int PRIMARY KEY, kennung varchar(30) NOT NULL UNIQUE, geheim varchar(100), aktiv int NOT NULL,
    rolle text NOT NULL, fehlversuche int NOT NULL DEFAULT 0, letzter_login timestamp, angelegt timestamp NOT NULL);
CREATE TABLE cookie (id bigserial PRIMARY KEY, nutzer_id int NOT NULL, token text NOT NULL);
CREATE TABLE protokoll (id bigserial PRIMARY KEY, wann timestamp NOT NULL DEFAULT now(), was text NOT NULL);
INSERT INTO nutzer VALUES (1, 'erika', '$2b$04$' || repeat('a', 53), 1, 'root', 12, NULL, now()),
    (2, 'max', '$2b$04$' || repeat('a', 53), 0, 'root', 0, NULL, now()),
    (3, 'moritz', '$2b$04$' || repeat('a', 53), 1, 'leser', 0, NULL, now());
INSERT INTO cookie (nutzer_id, token) VALUES (1, 't'), (3, 't');
"""
# A role named by the account's own row, a login beside the address, a lock that ends by itself, a flag for a second factor.
ROLE_BY_LINK = """
CREATE TABLE region (id int PRIMARY KEY);
CREATE TABLE roles (id serial PRIMARY KEY, name text NOT NULL);
CREATE TABLE people (id serial PRIMARY KEY, email text NOT NULL UNIQUE, username varchar(20) NOT NULL, password text,
    role_id int NOT NULL REFERENCES roles, enabled boolean NOT NULL DEFAULT true, locked_until timestamptz,
    login_attempts int NOT NULL DEFAULT 0, mfa_enabled boolean NOT NULL DEFAULT false, region_id int NOT NULL REFERENCES region);
INSERT INTO roles (name) VALUES ('viewer'), ('superadmin'); INSERT INTO region VALUES (7);
INSERT INTO people (email, username, password, role_id, locked_until, mfa_enabled, region_id)
VALUES ('a@b.example', 'a', '$2y$04$' || repeat('a', 53), 2, now() + interval '1 day', true, 7);
"""
# Reserved words, a generated column, a partitioned log, a column that no profile can name, a domain, an enum.
RESERVED = """
CREATE DOMAIN short AS varchar(90); CREATE TYPE level AS ENUM ('member', 'owner');
CREATE TABLE "user" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "order" level NOT NULL, name short NOT NULL UNIQUE,
    pw short, role level NOT NULL, "100%" text, big text GENERATED ALWAYS AS (upper(name)) STORED, state text NOT NULL
    CHECK (state IN ('active', 'off', 'gone')));
CREATE TABLE session (id bigserial PRIMARY KEY, user_id bigint REFERENCES "user" ON DELETE CASCADE, token text NOT NULL);
CREATE TABLE log (id bigserial, at timestamptz NOT NULL, what text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE VIEW users AS SELECT id, name, pw AS password FROM "user";
INSERT INTO "user" ("order", name, pw, role, state) VALUES ('member', 'omar', '$2a$04$' || repeat('a', 53), 'owner', 'active'),
    ('member', 'mia', '$2a$04$' || repeat('a', 53), 'member', 'active');
INSERT INTO session (user_id, token) VALUES (1, 'mine'), (2, 'other');
"""
DJANGO = """
CREATE TABLE auth_user (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, password varchar(128) NOT NULL, last_login timestamptz,
    is_superuser boolean NOT NULL, username varchar(150) NOT NULL UNIQUE, first_name varchar(150) NOT NULL,
    last_name varchar(150) NOT NULL, email varchar(254) NOT NULL, is_staff boolean NOT NULL, is_active boolean NOT NULL,
    date_joined timestamptz NOT NULL);
CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, session_data text NOT NULL, expire_date timestamptz NOT NULL);
INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
VALUES ('pbkdf2_sha256$1000$salt$hash', true, 'root', '', '', '', true, true, now());
"""
Look = Callable[..., guesses.Answer]
Ready = Callable[..., Stage]


@pytest.fixture
def look(platform_server: Cluster) -> Look:
    """Guesses from these tables, as the DBA."""

    def looked(sql: str, *, schema: str = "public", is_new: bool = True) -> guesses.Answer:
        with madeup.database(platform_server, "guessed", sql=sql) as dbname:
            return guesses.look(platform_server.superuser_url(dbname), schema=schema, is_new=is_new)

    return looked


@pytest.fixture
def ready(console: str, platform_server: Cluster, settings: Settings, tmp_path: Path) -> Iterator[Ready]:
    """The platform of these tables with the profile that was guessed from them, corrected where said."""
    made: list[Any] = []

    def built(sql: str, *, schema: str = "public", corrected: tuple[tuple[str, str], ...] = ()) -> Stage:
        made.append(madeup.database(platform_server, "guessed", sql=sql))
        dbname = made[0].__enter__()
        text = guesses.look(platform_server.superuser_url(dbname), schema=schema, is_new=True).text
        for old, new in corrected:
            assert old in text
            text = text.replace(old, new)
        place = madeup.write_platform(tmp_path, platform_server, dbname, settings, profile=text)
        return madeup.furnished(place, console)

    yield built
    for context in made:
        context.__exit__(None, None, None)


def loaded(folder: Path, answer: guesses.Answer) -> Profile:
    path = folder / "guessed.toml"
    path.write_text(answer.text)
    return profiles.load(str(path))


def doubts(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.startswith("# DOUBT"))


def run(stage: Stage, outcome: str, key: str = "", login: str = "new") -> None:
    order = {"beneficiary": WHO, "incident": "BG-2026-0001", "window_minutes": 30}
    person = {"login": login, "display_name": "New"} if outcome == "create" else {"target_key": key, "login": login}
    done = stage.carry_out(plans.build(stage.place.platform, outcome=outcome, **order, **person))
    assert (done.state, done.reason) == (RunState.COMMITTED, "")


def owners(stage: Stage) -> dict[str, set[str]]:
    return {owner.login: set(owner.stops) for owner in diagnosis.read(stage.place.platform).owners}


def test_runbooks_own_schema_is_recognised(platform: Acme) -> None:
    answer = guesses.look(platform.cluster.superuser_url(platform.dbname))

    assert (answer.shipped, answer.text) == ("saas", "")
    assert "saas" in answer.sentences[0]


def test_runbooks_own_schema_could_have_been_guessed(platform: Acme, tmp_path: Path) -> None:
    answer = guesses.look(platform.cluster.superuser_url(platform.dbname), is_new=True)

    profile = loaded(tmp_path, answer)
    shipped = profiles.load("saas")
    assert profile.password.column == shipped.password.column
    assert profile.password.scheme == "row"
    assert {str(table) for table in profile.tables} == {str(table) for table in shipped.tables}
    assert profile.tables[profile.accounts].secret == {"password_hash", "totp_secret"}
    assert "u.role = 'platform_owner'" in profile.owners.sql
    assert "t.is_system" in profile.owners.sql
    assert "u.is_active IS TRUE AS enabled" in profile.owners.sql
    assert "AND deleted_at IS NULL" in profile.outcomes["reset"].statements[0].sql


@pytest.mark.parametrize("name", profiles.shipped())
def test_software_of_each_shipped_profile_is_recognised_by_what_the_profile_names(look: Look, name: str) -> None:
    tables: dict[Table, set[str]] = {}
    for column in guesses._columns(profiles.load(name)):
        tables.setdefault(column.table, set()).add(quoted(column.name))
    texts = [
        f"CREATE TABLE {table.quoted} ({', '.join(f'{c} text' for c in columns)});" for table, columns in tables.items()
    ]

    answer = look("\n".join(texts), is_new=False)

    assert answer.shipped == name


def test_harbour_of_the_guide_is_guessed(look: Look, tmp_path: Path) -> None:
    profile = loaded(tmp_path, look(HARBOUR + PEOPLE, schema="harbour"))

    assert profile.password.default == "$2y$04$"
    assert "r.role" not in profile.owners.sql
    assert "m.role = 'steward'" in profile.owners.sql
    assert [statement.table.name for statement in profile.outcomes["create"].statements] == ["member", "member_role"]
    assert "status = 'blocked'" in profile.outcomes["disable"].statements[0].sql
    assert "AND status <> 'left'" in profile.outcomes["reset"].statements[0].sql


def test_tables_without_rows_give_a_profile_with_more_doubts(look: Look, tmp_path: Path) -> None:
    answer = look(HARBOUR, schema="harbour")

    assert loaded(tmp_path, answer).password.scheme == "default"
    assert "no hash could be seen" in doubts(answer.text)
    assert "harbour.member_role may say who an owner is" in doubts(answer.text)


def test_harbour_as_it_was_guessed_resets_enables_and_creates(ready: Ready) -> None:
    stage = ready(HARBOUR + PEOPLE, schema="harbour")
    assert readiness.look(stage.place.platform).missing == ()

    run(stage, "reset", "101")
    run(stage, "enable", "102")
    run(stage, "create", login="new@harbour.example")

    assert owners(stage) == dict.fromkeys(
        ("olive@harbour.example", "bruno@harbour.example", "new@harbour.example"), set()
    )
    tokens = stage.place.acme.rows("SELECT member_no FROM harbour.token")
    assert [row["member_no"] for row in tokens] == [103]


def test_quoted_names_uuids_and_groups_run_as_they_were_guessed(ready: Ready) -> None:
    stage = ready(QUOTED)
    assert owners(stage) == {"locked": set(), "off": {"disabled"}}

    run(stage, "enable", "10000000-0000-0000-0000-000000000002")
    run(stage, "reset", "10000000-0000-0000-0000-000000000001")
    run(stage, "create", login="new")

    assert owners(stage) == {"locked": set(), "off": set(), "new": set()}
    row = stage.place.acme.rows('SELECT * FROM "UserAccount" WHERE handle = %s', "locked")[0]
    assert bcrypt.checkpw(PASSWORD.encode(), row["secretHash"].encode())
    assert row["secretHash"].startswith("$2a$04$")


def test_names_of_another_language_run_as_they_were_guessed(ready: Ready) -> None:
    stage = ready(GERMAN)
    assert owners(stage) == {"erika": {"locked"}, "max": {"disabled"}}

    run(stage, "reset", "1")
    run(stage, "enable", "2")
    run(stage, "create", login="neu")

    assert owners(stage) == {"erika": set(), "max": set(), "neu": set()}
    assert [row["nr"] for row in stage.place.acme.rows("SELECT nr FROM nutzer WHERE kennung = 'neu'")][0] >= 10
    assert [row["nutzer_id"] for row in stage.place.acme.rows("SELECT nutzer_id FROM cookie")] == [3]
    run(stage, "disable", "2")
    assert owners(stage)["max"] == {"disabled"}


def test_role_that_the_accounts_own_row_names_runs_as_it_was_guessed(ready: Ready) -> None:
    stage = ready(ROLE_BY_LINK)
    assert owners(stage) == {"a@b.example": {"locked"}}

    run(stage, "reset", "1")
    run(stage, "create", login="n@b.example")

    assert owners(stage) == {"a@b.example": set(), "n@b.example": set()}
    new = stage.place.acme.rows("SELECT username, region_id FROM people WHERE email = 'n@b.example'")
    assert new == [{"username": "n@b.example", "region_id": 7}]
    [owner] = [owner for owner in diagnosis.read(stage.place.platform).owners if owner.key == "1"]
    assert [blocker.kind for blocker in owner.blockers] == ["second_factor"]


def test_reserved_names_and_odd_columns_run_as_they_were_guessed(ready: Ready) -> None:
    stage = ready(RESERVED)

    run(stage, "reset", "1")
    run(stage, "create", login="new")

    assert owners(stage) == {"omar": set(), "new": set()}
    assert stage.place.acme.rows("SELECT token FROM session") == [{"token": "other"}]


def test_table_of_django_is_guessed(look: Look, tmp_path: Path) -> None:
    profile = loaded(tmp_path, look(DJANGO))

    assert profile.password.default == "pbkdf2_sha256$1000$"
    assert profile.tables[profile.accounts].label == "username"
    assert "u.is_superuser" in profile.owners.sql
    assert "is_active = true" in profile.outcomes["enable"].statements[0].sql


def test_hash_that_the_console_cannot_make_is_a_doubt(look: Look) -> None:
    answer = look(GERMAN.replace("'$2b$04$' || repeat('a', 53)", "md5('x')"))

    assert "32 hexadecimal digits, such as md5 gives; if the software still writes those" in doubts(answer.text)


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("CREATE TABLE thing (id int PRIMARY KEY, name text)", "No table of the schema public"),
        ("CREATE TABLE users (id int, login text, password text, active bool)", "by a key of one column"),
        ("CREATE TABLE users (id int PRIMARY KEY, password text, active bool)", "no column that looks like a login"),
        ("CREATE TABLE users (login text PRIMARY KEY, password text)", "that looks like it disables"),
        (
            "CREATE TABLE person (id int PRIMARY KEY, login text UNIQUE);"
            "CREATE TABLE secret (person_id int PRIMARY KEY REFERENCES person, password text)",
            "The logins stand in public.person, the passwords in public.secret.",
        ),
    ],
)
def test_what_was_not_found_is_said_and_no_profile_written(look: Look, sql: str, sentence: str) -> None:
    answer = look(sql)

    assert (answer.shipped, answer.text) == ("", "")
    assert sentence in " ".join(answer.sentences)


def test_another_version_of_known_software_is_said(platform: Acme) -> None:
    with platform.connect() as dba:
        dba.execute("ALTER TABLE adminuser RENAME display_name TO shown_name")

    answer = guesses.look(platform.cluster.superuser_url(platform.dbname))

    assert answer.shipped == ""
    assert "public.adminuser.display_name" in answer.sentences[0]


def test_no_hash_salt_or_token_stands_in_a_guess(look: Look) -> None:
    answer = look(GERMAN.replace("repeat('a', 53)", "repeat('s3cret', 8) || 'abcde'"))

    assert "s3cret" not in answer.text


def test_guess_needs_only_the_right_to_read(platform_server: Cluster, look: Look) -> None:
    with madeup.database(platform_server, "guessed", sql=GERMAN) as dbname:
        with platform_server.connect(dbname) as dba:
            dba.execute("GRANT SELECT ON cookie TO breakglass_reader")
        answer = guesses.look(platform_server.url("breakglass_reader", "reader-password", dbname))

    assert "No table" in answer.sentences[0] or "no hash could be seen" in answer.text


def test_command_takes_the_connection_from_a_variable_and_never_shows_it(
    platform: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNKNOWN_DATABASE", platform.cluster.superuser_url(platform.dbname))
    out, err = StringIO(), StringIO()

    call_command("platform", "guess", "--database-url-env", "UNKNOWN_DATABASE", "--new", stdout=out, stderr=err)

    assert "[outcome.create]" in out.getvalue()
    assert "doubts are marked" in err.getvalue()
    assert "postgresql://" not in out.getvalue() + err.getvalue()


def test_command_takes_a_platform_of_the_file(platform: Acme) -> None:
    err = StringIO()

    call_command("platform", "guess", "acme", stdout=StringIO(), stderr=err)

    assert "saas" in err.getvalue()


@pytest.mark.parametrize(
    "arguments", [[], ["acme", "--database-url-env", "X"], ["--database-url-env", "NOT_SET_ANYWHERE"]]
)
def test_command_without_one_connection_says_so(platform: Acme, arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="--database-url-env|it is empty"):
        call_command("platform", "guess", *arguments, stdout=StringIO())


@pytest.mark.parametrize(
    ("value", "beginning"),
    [
        ("$2y$10$" + "a" * 53, "$2y$10$"),
        ("pbkdf2_sha256$1000$salt$hash", "pbkdf2_sha256$1000$"),
        ("scrypt$16384$salt$8$5$x", "scrypt$16384$$8$5$"),
        ("d41d8cd98f00b204e9800998ecf8427e", ""),
    ],
)
def test_form_of_a_hash_holds_nothing_of_its_salt(value: str, beginning: str) -> None:
    form = form_of(value)

    assert form is not None
    assert form.beginning == beginning


@pytest.mark.parametrize("value", ["", "Olive", "a sentence with words", "olive@example.org"])
def test_ordinary_text_is_no_hash(value: str) -> None:
    assert form_of(value) is None


@pytest.mark.parametrize("name", ["passwordHash", "password_hash", "PasswordHash", "user_password_hash"])
def test_words_of_a_name_are_found_however_it_is_written(name: str) -> None:
    assert has_word(name, ["password hash"])
