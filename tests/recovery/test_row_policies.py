"""Row-level security on a platform's tables is told before a recovery hangs on rows that the console cannot see."""

import re

import pytest

from recovery import platforms, readiness
from recovery.doors import grants
from recovery.readiness import Readiness
from recovery.run_refusals import SetupMissing
from tests.acme import Acme
from tests.recovery.doors import furnish
from tests.recovery.stage import Stage

SECURED = "ALTER TABLE adminuser ENABLE ROW LEVEL SECURITY;"
OPEN = "CREATE POLICY everything ON adminuser USING (true);"


def look(acme: Acme, *statements: str) -> Readiness:
    """What is said after the platform's administrator has run these."""
    furnish(acme)
    change(acme, *statements)
    return readiness.look(platforms.get(acme.name))


def change(acme: Acme, *statements: str) -> None:
    with acme.connect() as dba:
        for statement in statements:
            dba.execute(statement)


def told(sentences: tuple[str, ...]) -> list[str]:
    return [sentence for sentence in sentences if "row-level security" in sentence]


def test_table_without_a_policy_hides_its_rows_from_every_role_of_the_console(platform: Acme) -> None:
    found = told(look(platform, SECURED).missing)

    kinds = ("create", "reset", "enable", "disable", "restore")
    roles = [
        "breakglass_reader",
        "breakglass_door_owner",
        *(grants.capability(kind, platform.dbname) for kind in kinds),
    ]
    assert [re.search(r"lets (\S+) ", sentence)[1] for sentence in found] == roles
    assert "none of its policies lets breakglass_reader SELECT any row" in found[0]


def test_what_the_sentences_say_mends_it(platform: Acme) -> None:
    advice = [sentence.partition("and run: ")[2] for sentence in told(look(platform, SECURED).missing)]

    change(platform, *advice)

    found = readiness.look(platforms.get(platform.name))
    assert found.missing == ()
    assert told(found.notes) == []


def test_policy_for_another_command_lets_no_row_through(platform: Acme) -> None:
    found = told(look(platform, SECURED, "CREATE POLICY looks ON adminuser FOR SELECT USING (true)").missing)

    role = grants.capability("enable", platform.dbname)
    assert any(f"lets {role} UPDATE any row" in sentence for sentence in found)
    assert not any("SELECT" in sentence for sentence in found)


def test_policy_for_another_role_lets_no_row_through(platform: Acme) -> None:
    found = look(platform, SECURED, "CREATE POLICY others ON adminuser TO breakglass_broker USING (true)")

    assert any("lets breakglass_reader SELECT any row" in sentence for sentence in told(found.missing))


@pytest.mark.parametrize(
    "policies",
    [
        ["CREATE POLICY own ON adminuser USING (tenant_id = 1)"],
        [OPEN, "CREATE POLICY never ON adminuser AS RESTRICTIVE USING (tenant_id = 1)"],
        ["CREATE POLICY own ON adminuser USING (true) WITH CHECK (tenant_id = 1)"],
    ],
    ids=["condition", "restrictive", "check"],
)
def test_policy_that_may_keep_rows_back_is_a_note(platform: Acme, policies: list[str]) -> None:
    found = look(platform, SECURED, *policies)

    assert found.is_ready
    role = grants.capability("create", platform.dbname)
    assert any(f"may keep rows from {role} (" in note for note in told(found.notes))


@pytest.mark.parametrize(
    "statements",
    [
        [SECURED, OPEN],
        ["CREATE POLICY own ON adminuser USING (tenant_id = 1)"],
        ["CREATE TABLE other (a int)", "ALTER TABLE other ENABLE ROW LEVEL SECURITY"],
        [SECURED, OPEN, "CREATE POLICY idle ON adminuser AS RESTRICTIVE TO breakglass_broker USING (false)"],
    ],
    ids=["open to all", "switched off", "other table", "other role"],
)
def test_table_whose_rows_all_can_be_seen_is_not_spoken_of(platform: Acme, statements: list[str]) -> None:
    found = look(platform, *statements)

    assert told((*found.missing, *found.notes)) == []


def test_rows_that_are_hidden_from_a_run_are_found_before_the_plan(stage: Stage) -> None:
    change(stage.place.acme, SECURED, "CREATE POLICY reads ON adminuser TO breakglass_reader USING (true)")

    with pytest.raises(
        SetupMissing, match="has row-level security, and none of its policies lets breakglass_cap_enable"
    ):
        stage.plan("enable")
