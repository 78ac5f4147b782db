"""Every owner with everything that stops his sign-in, and which outcome that recommends. On the real practice platform."""

import pytest

from recovery import diagnosis
from recovery.diagnosis import Owner, Report
from recovery.language.profile import Blocker
from recovery.models import RunState
from recovery.platform_refusals import NameMissing, PlatformUnreachable
from recovery.sign_in import proof
from tests.recovery.stage import DANA, NEW, ROOT, Stage


def owner(*kinds: str, enabled: bool = True, is_owner: bool = True) -> Owner:
    blockers = tuple(Blocker(kind, "") for kind in kinds)
    return Owner("1", "a@b", "", "system", "1", enabled, is_owner, "", blockers)


def report(*owners: Owner) -> Report:
    return Report("7", "acme", 180000, 0.0, owners)


def sql(stage: Stage, statement: str) -> None:
    with stage.place.acme.connect() as connection:
        connection.execute(statement)


def test_every_owner_is_listed_with_what_stops_him(stage: Stage) -> None:
    found = diagnosis.read(stage.place.platform)

    stops = {owner.login: sorted(owner.stops) for owner in found.owners}
    assert stops == {
        "dana@acme.example": ["locked"],
        "root@acme.example": ["disabled"],
        "lee@acme.example": ["deleted"],
    }
    assert found.healthy == ()


def test_report_names_the_physical_database_and_its_clock(stage: Stage) -> None:
    found = diagnosis.read(stage.place.platform)

    assert found.system_identifier == stage.place.system_identifier
    assert found.database_name == stage.place.acme.dbname
    assert abs(found.clock_skew) < 30


def test_report_survives_being_stored(stage: Stage) -> None:
    found = diagnosis.read(stage.place.platform)

    assert Report.from_json(found.to_json()) == found


def test_locked_out_practice_platform_asks_for_the_smallest_change(stage: Stage) -> None:
    found = diagnosis.read(stage.place.platform)

    assert (found.recommended, found.would_do) == ("enable", {"enable", "reset"})


def test_owner_who_can_sign_in_is_healthy(stage: Stage) -> None:
    sql(stage, "UPDATE adminuser SET failed_logins = 0 WHERE id = 1")

    found = diagnosis.read(stage.place.platform)

    assert [owner.key for owner in found.healthy] == [DANA]
    assert found.recommended == ""


@pytest.mark.parametrize(
    ("owners", "recommended"),
    [
        ((), "create"),
        ((owner("deleted"),), "create"),
        ((owner("disabled", enabled=False),), "enable"),
        ((owner("disabled", "tenant_suspended", enabled=False),), "create"),
        ((owner("no_password"),), "reset"),
        ((owner("locked", "second_factor"),), "reset"),
        ((owner("locked", "external_sign_in"),), "create"),
        ((owner("disabled", enabled=False), owner("locked")), "enable"),
        ((owner("must_change"),), ""),
        ((owner(is_owner=False),), "create"),
    ],
)
def test_recommendation(owners: tuple[Owner, ...], recommended: str) -> None:
    assert report(*owners).recommended == recommended


def test_forecast_says_what_a_new_password_does_not_mend(stage: Stage) -> None:
    found = diagnosis.forecast(stage.place.platform, outcome="reset", target_key=ROOT)

    assert [blocker.kind for blocker in found] == ["disabled"]


def test_forecast_for_a_new_owner_knows_a_suspended_tenant(stage: Stage) -> None:
    sql(stage, "UPDATE tenant SET suspended_at = now() WHERE is_system")

    found = diagnosis.forecast(stage.place.platform, outcome="create")

    assert [blocker.kind for blocker in found] == ["tenant_suspended"]


def test_column_that_is_gone_is_said_in_a_sentence(stage: Stage) -> None:
    sql(stage, "ALTER TABLE adminuser RENAME external_idp TO idp")

    with pytest.raises(NameMissing, match="external_idp does not exist"):
        diagnosis.read(stage.place.platform)


def test_platform_that_is_away_is_said_in_a_sentence(stage: Stage) -> None:
    (stage.place.acme.file.parent / "acme-reader").write_text("host=/nowhere dbname=acme user=nobody")

    with pytest.raises(PlatformUnreachable, match="does not answer"):
        diagnosis.read(stage.place.platform)


def test_sign_in_is_seen_only_after_the_change(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("create"))
    assert run.state == RunState.COMMITTED
    before = proof.seen(stage.place.platform, run)

    sql(stage, f"UPDATE adminuser SET last_login_at = clock_timestamp() WHERE email = '{NEW}'")

    assert before == ""
    assert f"the last sign-in of {NEW}" in proof.seen(stage.place.platform, run)
