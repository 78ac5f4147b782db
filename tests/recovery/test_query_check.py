"""A query that the platform does not understand is named by its section and key before anybody relies on it."""

from pathlib import Path

import pytest

from recovery import database, query_check, readiness
from recovery.language import profiles
from recovery.language.profile import SHIPPED, Profile
from tests.recovery.stage import Stage

SAAS = (SHIPPED / "saas.toml").read_text()


def told(stage: Stage, folder: Path, old: str, new: str) -> list[str]:
    """What is said of the shipped profile with one change in it."""
    assert old in SAAS
    path = folder / "mine.toml"
    path.write_text(SAAS.replace(old, new, 1))
    profile = profiles.load(str(path))
    with database.reading(stage.place.platform, profile) as session:
        return list(query_check.look(session, profile))


def test_queries_of_a_good_profile_are_understood(stage: Stage) -> None:
    assert readiness.look(stage.place.platform).missing == ()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "u.display_name AS name,",
            "u.displayname AS name,",
            "owners.sql cannot be run: column u.displayname does not",
        ),
        (
            "u.is_active AND u.deleted_at IS NULL AS enabled",
            "u.email AS enabled",
            "its column enabled must be of the type boolean",
        ),
        (
            "u.display_name AS name,",
            "frobnicate(u.display_name) AS name,",
            "owners.sql cannot be run: function frobnicate",
        ),
        (
            "s.password_hash_prefix AS prefix",
            "s.password_hash_start AS prefix",
            "password.current cannot be run: column s.password",
        ),
        (
            'system = "is_system"',
            'system = "is_house"',
            'tenant.system cannot be run: column "is_house" does not exist',
        ),
        ("u.email AS login", "u.email + 1 AS login", "owners.sql cannot be run: operator does not exist"),
        (
            "FROM adminuser AS u",
            "FROM adminusers AS u",
            'owners.sql cannot be run: relation "adminusers" does not exist',
        ),
    ],
)
def test_query_that_cannot_be_run_is_named(stage: Stage, tmp_path: Path, old: str, new: str, sentence: str) -> None:
    found = told(stage, tmp_path, old, new)

    assert any(sentence in one for one in found), found


def test_query_that_calls_a_changing_function_of_the_platform_is_named(stage: Stage, tmp_path: Path) -> None:
    with stage.place.acme.connect() as connection:
        connection.execute("CREATE FUNCTION greet(text) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT $1'")

    found = told(stage, tmp_path, "u.display_name AS name,", "greet(u.display_name) AS name,")

    assert found == ["The query owners.sql calls the function greet, which may change something. Correct the profile."]


def test_every_query_is_looked_at_after_one_that_fails(stage: Stage, tmp_path: Path) -> None:
    text = SAAS.replace("u.display_name AS name,", "u.a AS name,", 1).replace("s.password_hash_prefix AS", "s.b AS", 1)
    (tmp_path / "mine.toml").write_text(text)
    profile = profiles.load(str(tmp_path / "mine.toml"))

    with database.reading(stage.place.platform, profile) as session:
        found = list(query_check.look(session, profile))

    assert [sentence.split()[2] for sentence in found] == ["owners.sql", "password.current"]


def test_check_never_runs_a_query(stage: Stage, tmp_path: Path) -> None:
    with stage.place.acme.connect() as connection:
        connection.execute(
            "CREATE FUNCTION fail(text) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RAISE 'was run'; END $$"
        )

    assert told(stage, tmp_path, "u.display_name AS name,", "fail(u.display_name) AS name,") == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "SET password_hash = %(password_hash)s,",
            "SET password_hash = frob(%(password_hash)s),",
            "function frob(unknown) does",
        ),
        (
            "failed_logins = 0,",
            "failed_logins = 'none',",
            'invalid input syntax for type integer: "none"',
        ),
        (
            "WHERE id = %(key)s AND deleted_at IS NULL",
            "WHERE id = %(key)s AND deleted_at = 7",
            "operator does not exist",
        ),
    ],
)
def test_statement_that_cannot_be_run_is_named(stage: Stage, tmp_path: Path, old: str, new: str, sentence: str) -> None:
    (found,) = told(stage, tmp_path, old, new)

    assert found.startswith("The statement “")
    assert sentence in found


def enabling(folder: Path, *, section: str, sets: str) -> Profile:
    """The shipped profile with another head of the section `enable` and more that is set there."""
    before, _head, after = SAAS.partition('[outcome.enable]\ninputs = ["key"]')
    after = after.replace("disabled_by = NULL,", sets, 1)
    path = folder / "mine.toml"
    path.write_text(f"{before}[outcome.enable]\n{section}{after}")
    return profiles.load(str(path))


@pytest.mark.parametrize(
    ("sets", "why"),
    [
        ("nick = %(email)s, disabled_by = lower(%(email)s),", "inconsistent types deduced for parameter %(email)s"),
        (
            "disabled_by = CASE WHEN %(email)s IS NULL THEN '5 %%' END,",
            "could not determine data type of parameter %(email)s",
        ),
    ],
    ids=["two types", "no type"],
)
def test_value_of_which_the_run_could_not_tell_the_type_is_named(
    stage: Stage, tmp_path: Path, sets: str, why: str
) -> None:
    with stage.place.acme.connect() as connection:
        connection.execute("ALTER TABLE adminuser ADD COLUMN nick varchar(40)")
    profile = enabling(tmp_path, section='inputs = ["key", "email"]', sets=sets)

    with database.reading(stage.place.platform, profile) as session:
        (found,) = query_check.look(session, profile)

    assert found == (
        f"The statement “enable the account” of the outcome enable cannot be run: {why}. Correct the profile."
    )


def test_row_that_takes_one_value_as_two_types_is_named_although_the_reader_may_not_insert(
    stage: Stage, tmp_path: Path
) -> None:
    with stage.place.acme.connect() as connection:
        connection.execute("ALTER TABLE adminuser ALTER email TYPE varchar(254)")

    (found,) = told(
        stage,
        tmp_path,
        "SELECT t.id, lower(%(email)s), %(name)s,",
        "SELECT t.id, %(email)s, CASE WHEN %(email)s LIKE '%%@%%' THEN %(name)s END,",
    )

    assert "of the outcome create cannot be run: inconsistent types deduced for parameter %(email)s." in found


def test_value_that_is_a_number_in_the_run_is_one_in_the_check(stage: Stage, tmp_path: Path) -> None:
    section = 'inputs = ["key"]\ngenerate = { at = "epoch_ms" }'
    profile = enabling(tmp_path, section=section, sets="disabled_by = %(at)s::text, display_name = 0 * %(at)s,")

    with database.reading(stage.place.platform, profile) as session:
        assert list(query_check.look(session, profile)) == []


def test_value_from_before_has_the_type_that_is_kept_of_it(stage: Stage, tmp_path: Path) -> None:
    new = "display_name = %(before_is_active)s::text, is_active = %(before_is_active)s,"

    assert told(stage, tmp_path, "is_active = %(before_is_active)s,", new) == []


def test_view_in_the_place_of_a_table_is_named(stage: Stage, tmp_path: Path) -> None:
    with stage.place.acme.connect() as connection:
        connection.execute("ALTER TABLE session RENAME TO session_kept")
        connection.execute("CREATE VIEW session AS SELECT * FROM session_kept")
        connection.execute("GRANT SELECT ON session TO breakglass_reader")

    found = told(stage, tmp_path, "title = ", "title = ")

    assert found == [
        "public.session is no table of this database (a view, a foreign table): its rows cannot be counted. Name the table."
    ]
