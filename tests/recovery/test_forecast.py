"""Which outcome helps, and what would still stop a sign-in, as far as the profile lets the console know. On the real platform."""

import json
import re

import pytest

from recovery import diagnosis, platforms
from recovery.diagnosis import Report
from recovery.language.profile import CLEARED
from recovery.platforms import Platform
from recovery.refusals import ProfileRefused
from recovery.sign_in import proof
from tests import acme_site
from tests.recovery import sites
from tests.recovery.stage import DANA, ROOT, Stage

SILENT = re.sub(r"(?s)\n\[forecast\]\nsql = \"\"\".*?\"\"\"\n", "\n", sites.SAAS)
BLOCKERS = re.search(
    r"(?s)array_remove\(ARRAY\[\n         CASE WHEN NOT u\.is_active THEN.*?\], NULL\) AS blockers", sites.SAAS
)[0]
SPEECHLESS = sites.SAAS.replace(BLOCKERS, "ARRAY[]::text[] AS blockers")


def saying(stage: Stage, text: str) -> Platform:
    """The stage's platform with another profile."""
    acme = stage.place.acme
    acme.file.with_name("mine.toml").write_text(text)
    acme_site.lead_to(acme, acme_site.NOBODY, profile="mine.toml")
    return platforms.get("acme")


def sql(stage: Stage, statement: str) -> None:
    with stage.place.acme.connect() as connection:
        connection.execute(statement)


def kinds(platform: Platform, outcome: str, key: str = "") -> list[str]:
    return [found.kind for found in diagnosis.forecast(platform, outcome=outcome, target_key=key)]


def test_profile_says_what_enable_clears(stage):
    sql(stage, "UPDATE adminuser SET failed_logins = 12 WHERE id = 2")
    sql(stage, "UPDATE adminuser SET deleted_at = now() WHERE id = 1")

    said = diagnosis.read(stage.place.platform)
    unsaid = diagnosis.read(saying(stage, sites.SAAS.replace('clears = ["disabled", "locked"]', "")))

    assert (said.recommended, unsaid.recommended) == ("enable", "create"), "root is disabled and locked"


def test_reset_that_does_not_clear_the_counter_is_not_recommended_for_it(stage):
    sql(stage, "UPDATE adminuser SET deleted_at = now() WHERE id = 2")
    platform = saying(
        stage, sites.SAAS.replace('inputs = ["key", "password_hash"]', 'inputs = ["key", "password_hash"]\nclears = []')
    )

    assert diagnosis.read(stage.place.platform).recommended == "reset"
    assert diagnosis.read(platform).recommended == "create"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('clears = ["disabled", "locked"]', 'clears = ["disabled", "asleep"]', "outcome.enable.clears"),
        ('inputs = ["key", "incident"]', 'inputs = ["key", "incident"]\nclears = []', "outcome.disable.clears"),
    ],
)
def test_clears_is_a_closed_list_and_belongs_to_enable_and_reset(stage, old, new, key):
    with pytest.raises(ProfileRefused) as caught:
        assert saying(stage, sites.SAAS.replace(old, new)).profile

    assert caught.value.facts["key"] == key


def test_account_that_is_kept_out_without_a_word_counts_as_disabled(stage):
    found = diagnosis.read(saying(stage, SPEECHLESS))

    assert found.owner(ROOT).blockers[0].sentence == "disabled: the platform does not say why"
    assert found.owner(DANA).is_healthy, "her counter is not told"


def test_diagnosis_that_was_stored_before_profiles_said_what_they_clear_is_still_read(stage):
    stored = json.loads(diagnosis.read(stage.place.platform).to_json())
    del stored["clears"]

    assert Report.from_json(json.dumps(stored)).clears == CLEARED


def test_clocks_that_differ_by_more_than_two_seconds_are_told():
    def report(skew: float) -> Report:
        return Report("7", "acme", 180000, skew, ())

    assert [report(skew).is_clock_off for skew in (0.0, 2.0, -2.0, 2.1, -2.1)] == [False, False, False, True, True]


def test_without_a_forecast_query_it_is_what_the_account_has_less_what_is_cleared(stage):
    sql(stage, "UPDATE adminuser SET totp_secret = 'JBSWY3DPEHPK3PXP', must_change_password = true WHERE id IN (1, 2)")
    platform = saying(stage, SILENT)

    assert kinds(platform, "reset", DANA) == ["second_factor", "must_change"]
    assert kinds(platform, "reset", ROOT) == ["disabled", "second_factor", "must_change"]
    assert kinds(platform, "enable", ROOT) == ["second_factor", "must_change"]


def test_profile_may_say_that_reset_takes_the_second_factor_away(stage):
    sql(stage, "UPDATE adminuser SET totp_secret = 'JBSWY3DPEHPK3PXP' WHERE id = 1")
    old = 'inputs = ["key", "password_hash"]'
    platform = saying(stage, SILENT.replace(old, f'{old}\nclears = ["no_password", "locked", "second_factor"]'))

    assert kinds(platform, "reset", DANA) == []


def test_nothing_found_for_a_new_account_without_a_query_means_that_nobody_looked(stage):
    silent, saying_it = saying(stage, SILENT).profile, stage.place.platform.profile

    assert [diagnosis.knows(silent, outcome=outcome) for outcome in ("create", "reset", "enable")] == [
        False,
        True,
        True,
    ]
    assert diagnosis.knows(saying_it, outcome="create")


def test_sign_in_of_the_console_itself_is_not_the_persons(stage):
    run = stage.carry_out(stage.plan("reset"))
    sql(stage, "UPDATE adminuser SET last_login_at = clock_timestamp() WHERE id = 1")

    noted = proof.note(stage.place.platform, run)

    assert "the last sign-in of dana@acme.example" in noted.seen
    assert proof.seen(stage.place.platform, run, after=noted) == ""


def test_application_clock_ahead_of_its_database_does_not_turn_the_consoles_sign_in_into_the_persons(stage):
    run = stage.carry_out(stage.plan("reset"))
    sql(stage, "UPDATE adminuser SET last_login_at = clock_timestamp() + interval '1 hour' WHERE id = 1")

    noted = proof.note(stage.place.platform, run)

    assert proof.seen(stage.place.platform, run, after=noted) == ""


def test_later_sign_in_of_the_person_is_seen(stage):
    run = stage.carry_out(stage.plan("reset"))
    sql(stage, "UPDATE adminuser SET last_login_at = clock_timestamp() WHERE id = 1")
    noted = proof.note(stage.place.platform, run)

    sql(stage, "UPDATE adminuser SET last_login_at = clock_timestamp() WHERE id = 1")

    assert "the last sign-in of" in proof.seen(stage.place.platform, run, after=noted)
