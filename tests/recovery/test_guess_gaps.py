"""Guesses of schemas in which something essential is missing: a primary key, or what disables an account."""

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from breakglass.practice.cluster import Cluster
from recovery import diagnosis, readiness
from recovery.guessing import guesses
from recovery.planning import plans
from recovery.run_refusals import TargetMissing
from tests.recovery import madeup
from tests.recovery.stage import Stage
from tests.recovery.test_guesses import doubts, loaded, owners, run

# The login is the key by a rule that allows NULL; no primary key anywhere.
KEYLESS = """
CREATE TABLE pilots (name text, password_hash text, is_admin boolean NOT NULL DEFAULT false, deactivated smallint NOT NULL DEFAULT 0,
    created bigint, UNIQUE (name));
INSERT INTO pilots VALUES ('@ada:port.example', '$2b$04$' || repeat('a', 53), true, 1, 5),
    ('@ben:port.example', '$2b$04$' || repeat('a', 53), false, 0, 6);
"""
# An account is off by its group, one table away.
BY_GROUP = """
CREATE TABLE crew (crewid bigint PRIMARY KEY, username varchar(100) NOT NULL UNIQUE, passwd varchar(60) NOT NULL,
    attempt_failed int NOT NULL DEFAULT 0, roleid bigint NOT NULL);
CREATE TABLE watch (watchid bigint PRIMARY KEY, name text NOT NULL UNIQUE, crew_status int NOT NULL DEFAULT 0);
CREATE TABLE crew_watch (id bigint PRIMARY KEY, crewid bigint NOT NULL REFERENCES crew, watchid bigint NOT NULL REFERENCES watch);
INSERT INTO crew VALUES (1, 'Master', '$2y$04$' || repeat('a', 53), 0, 3);
INSERT INTO watch VALUES (7, 'Ashore', 1); INSERT INTO crew_watch VALUES (1, 1, 7);
"""
Guessed = Callable[[str], tuple[Stage, str]]


@pytest.fixture
def look(platform_server: Cluster) -> Callable[[str], guesses.Answer]:
    def looked(sql: str) -> guesses.Answer:
        with madeup.database(platform_server, "gaps", sql=sql) as dbname:
            return guesses.look(platform_server.superuser_url(dbname))

    return looked


@pytest.fixture
def ready(console: str, platform_server: Cluster, settings: Settings, tmp_path: Path) -> Iterator[Guessed]:
    """The platform of these tables with the profile that was guessed from them, and its text."""
    made = []

    def built(sql: str) -> tuple[Stage, str]:
        made.append(madeup.database(platform_server, "gaps", sql=sql))
        dbname = made[0].__enter__()
        text = guesses.look(platform_server.superuser_url(dbname)).text
        place = madeup.write_platform(tmp_path, platform_server, dbname, settings, profile=text)
        return madeup.furnished(place, console), text

    yield built
    for context in made:
        context.__exit__(None, None, None)


def test_accounts_named_by_a_unique_column_run_as_they_were_guessed(ready: Guessed) -> None:
    stage, text = ready(KEYLESS)
    assert readiness.look(stage.place.platform).missing == ()
    assert "name is unique, may be NULL and is so in no row now" in doubts(text)
    assert owners(stage) == {"@ada:port.example": {"disabled"}}

    run(stage, "reset", "@ada:port.example")
    run(stage, "enable", "@ada:port.example")
    run(stage, "create", login="@eve:port.example")

    assert owners(stage) == {"@ada:port.example": set(), "@eve:port.example": set()}


def test_unique_column_that_is_never_null_is_the_key_before_others(
    look: Callable[[str], guesses.Answer], tmp_path: Path
) -> None:
    answer = look(KEYLESS + "ALTER TABLE pilots ADD number bigint NOT NULL UNIQUE GENERATED ALWAYS AS IDENTITY;")

    profile = loaded(tmp_path, answer)
    assert profile.tables[profile.accounts].key == ("number",)
    assert "number is unique and is taken for the key of a row" in doubts(answer.text)


@pytest.mark.parametrize(
    "rule",
    [
        "INSERT INTO pilots (name) VALUES (NULL);",
        "ALTER TABLE pilots DROP CONSTRAINT pilots_name_key; CREATE UNIQUE INDEX ON pilots (name) WHERE created > 0;",
        "ALTER TABLE pilots DROP CONSTRAINT pilots_name_key; CREATE UNIQUE INDEX ON pilots (name, coalesce(created, 0));",
    ],
)
def test_column_that_does_not_name_every_row_alone_is_no_key(look: Callable[[str], guesses.Answer], rule: str) -> None:
    answer = look(KEYLESS + rule)

    assert answer.text == ""
    assert "by a key of one column" in " ".join(answer.sentences)


def test_draft_without_what_disables_marks_it_and_counts_nobody_as_able_to_sign_in(ready: Guessed) -> None:
    stage, text = ready(BY_GROUP)

    report = diagnosis.read(stage.place.platform)

    assert readiness.look(stage.place.platform).missing == ()
    assert "`enabled` is NOT FILLED IN" in doubts(text)
    assert "Perhaps it is public.watch.crew_status." in doubts(text)
    assert [(owner.is_enabled, owner.stops) for owner in report.owners] == [(False, {"other"})]
    assert report.recommended == "create"


@pytest.mark.parametrize("outcome", ["enable", "disable"])
def test_statement_that_is_not_filled_in_makes_no_plan(ready: Guessed, outcome: str) -> None:
    stage, _text = ready(BY_GROUP)

    with pytest.raises(TargetMissing, match=f"NOT FILLED IN: {outcome} the account"):
        plans.build(
            stage.place.platform,
            outcome=outcome,
            beneficiary="Ada",
            incident="BG-2026-0001",
            window_minutes=30,
            target_key="1",
            login="Master",
        )


def test_other_outcomes_of_a_draft_with_gaps_run(ready: Guessed) -> None:
    stage, _text = ready(BY_GROUP)

    run(stage, "reset", "1", login="Master")

    assert stage.place.acme.rows("SELECT passwd = '$2y$04$' || repeat('a', 53) AS same FROM crew") == [{"same": False}]


def test_command_that_wrote_nothing_says_that_the_file_is_empty(
    platform_server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = StringIO(), StringIO()

    with madeup.database(platform_server, "gaps", sql="CREATE TABLE thing (id int PRIMARY KEY)") as dbname:
        monkeypatch.setenv("UNKNOWN_DATABASE", platform_server.superuser_url(dbname))
        with pytest.raises(CommandError) as caught:
            call_command("platform", "guess", "--database-url-env", "UNKNOWN_DATABASE", stdout=out, stderr=err)

    assert (out.getvalue(), caught.value.returncode) == ("", 1)
    assert "is empty and may be removed" in err.getvalue()
