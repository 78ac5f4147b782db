"""A table that is named and of which no column is read: PostgreSQL asks for a right all the same, so one must follow."""

from pathlib import Path

import pytest

from recovery import diagnosis, platforms, readiness
from recovery.language import profiles, rights
from recovery.language.columns import Table
from recovery.language.profile import SHIPPED
from recovery.language.rights import Right
from recovery.models import RunState
from recovery.refusals import ProfileRefused
from tests.acme import Acme
from tests.recovery.doors import furnish
from tests.recovery.stage import Stage

SAAS = (SHIPPED / "saas.toml").read_text()
BANNER = Table("public", "banner")
IN_QUERY = (
    "u.is_active AND u.deleted_at IS NULL AS enabled",
    "u.is_active AND EXISTS (SELECT 1 FROM banner) AS enabled",
)
IN_WRITE = ("WHERE id = %(key)s AND deleted_at IS NULL", "WHERE id = %(key)s AND (SELECT count(*) FROM banner) = 1")
RULE = ("[tenant]", '[table.banner]\nkey = ["id"]\nsecret = ["word"]\n\n[tenant]')


def written(path: Path, *changes: tuple[str, str]) -> Path:
    """The shipped profile with these changes; what concerns a write is changed in enable."""
    first, enable, rest = SAAS.partition("[outcome.enable]")
    for old, new in changes:
        assert old in first or old in rest
        if (old, new) == IN_WRITE:
            rest = rest.replace(old, new, 1)
        else:
            first = first.replace(old, new, 1)
    path.write_text(f"{first}{enable}{rest}")
    return path


def reason(folder: Path, *changes: tuple[str, str]) -> str:
    with pytest.raises(ProfileRefused) as caught:
        profiles.load(str(written(folder / "mine.toml", *changes)))
    return f"{caught.value.facts['key']}: {caught.value.facts['reason']}"


@pytest.mark.parametrize(
    ("change", "key"), [(IN_QUERY, "owners.sql"), (IN_WRITE, "outcome.enable.statement 1.sql")], ids=["query", "write"]
)
def test_table_of_which_no_column_is_known_is_refused(tmp_path: Path, change: tuple[str, str], key: str) -> None:
    assert reason(tmp_path, change) == (
        f"{key}: public.banner is named, but none of its columns is read, so that no right to it follows; read one"
    )


def test_right_to_the_key_follows_for_whoever_runs_the_text_and_for_nobody_else(tmp_path: Path) -> None:
    profile = profiles.load(str(written(tmp_path / "mine.toml", RULE, IN_WRITE)))
    wanted = Right(BANNER, "SELECT", ("id",))

    assert wanted in rights.of_reader(profile)  # it forecasts the write
    assert wanted in rights.of_capability(profile, "enable")
    assert wanted not in rights.of_capability(profile, "reset")


def test_table_that_is_only_counted_can_be_asked_and_a_run_goes_through(console: str, platform: Acme) -> None:
    with platform.connect() as dba:
        dba.execute("CREATE TABLE banner (word text, id int PRIMARY KEY)")
        dba.execute("INSERT INTO banner VALUES ('psst', 1)")
    written(platform.file.parent / "mine.toml", RULE, IN_QUERY, IN_WRITE)
    platform.file.write_text(platform.file.read_text().replace('profile = "saas"', 'profile = "mine.toml"'))
    stage = Stage(furnish(platform), console)

    assert readiness.look(platforms.get(platform.name)).missing == ()
    assert diagnosis.read(stage.place.platform).owners
    run = stage.carry_out(stage.plan("enable"))

    assert (run.state, run.reason) == (RunState.COMMITTED, "")
