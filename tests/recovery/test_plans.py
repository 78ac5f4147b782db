"""What a plan says, that its digest covers it, and when none is made. On the real practice platform, through the reader."""

import json
from hashlib import sha256

import pytest

from recovery import platforms
from recovery.language.profile import SHIPPED
from recovery.language.rights import capability
from recovery.planning import plans, rollback
from recovery.planning.documents import Change, PlanDocument
from recovery.run_refusals import LoginTaken, NothingToDo, NothingToUndo, OutcomeMissing, SetupMissing, TargetMissing
from recovery.words import WORDS, spoken
from tests.recovery.stage import NEW, ROOT, WHO, Stage


def changed(document: PlanDocument) -> dict[str, Change]:
    return {change.column: change for change in document.diff() if change.kind not in {"unchanged", "volatile"}}


def test_plan_is_the_exact_text_that_its_digest_covers(stage: Stage) -> None:
    document = stage.plan("reset")

    assert document.digest == sha256(document.content.encode()).hexdigest()
    assert PlanDocument(document.content) == document


def test_plan_holds_the_profile_s_statements_to_the_letter(stage: Stage) -> None:
    wanted = [statement.sql for statement in stage.place.platform.profile.outcomes["reset"].statements]

    assert [statement["sql"] for statement in stage.plan("reset").statements] == wanted


def test_plan_names_the_physical_database_and_the_profile(stage: Stage) -> None:
    document = stage.plan("enable")

    assert document.system_identifier == stage.place.system_identifier
    assert document.database_name == stage.place.acme.dbname
    assert document.profile_digest == stage.place.platform.profile.digest


@pytest.mark.parametrize("changing", [{"beneficiary": "Mallory"}, {"window_minutes": 31}, {"incident": "BG-2026-0002"}])
def test_other_beneficiary_window_or_incident_is_another_plan(stage: Stage, changing: dict[str, object]) -> None:
    assert stage.plan("enable").digest != stage.plan("enable", **changing).digest


def test_plan_of_an_unchanged_row_is_the_same_text_again(stage: Stage) -> None:
    assert stage.plan("enable") == stage.plan("enable")


def test_diff_shows_what_is_known_and_names_what_is_not(stage: Stage) -> None:
    diff = changed(stage.plan("reset"))

    assert (diff["failed_logins"].now, diff["failed_logins"].after) == (12, 0)
    assert diff["password_hash"].kind == "secret"
    assert diff["password_hash"].now == "set (secret)"
    assert diff["updated_at"].after == "the moment of the change, by the platform's clock"


def test_diff_of_a_new_owner_shows_the_tenant_that_he_joins(stage: Stage) -> None:
    diff = changed(stage.plan("create", login="New-Owner@ACME.example"))

    assert diff["tenant_id"].after == 1
    assert diff["email"].after == NEW
    assert {change.kind for change in diff.values()} == {"added", "secret"}


def test_no_plan_shows_a_password_hash_or_its_stamp(stage: Stage) -> None:
    row = stage.place.acme.owner()
    stamp = sha256(row["password_hash"].encode()).hexdigest()[:16]

    document = stage.plan("reset")

    assert row["password_hash"] not in document.content
    assert stamp not in document.content


def test_password_scheme_and_cost_are_part_of_the_plan(stage: Stage) -> None:
    reset, create = stage.plan("reset"), stage.plan("create")

    assert reset.password is not None
    assert reset.password["prefix"] == "$argon2id$v=19$m=19456,t=2,p=1$"
    assert create.password is not None
    assert create.password["prefix"] == "$argon2id$v=19$m=65536,t=3,p=4$"
    assert stage.plan("enable").password is None


def test_target_that_is_missing_makes_no_plan(stage: Stage) -> None:
    with pytest.raises(TargetMissing, match="nobody@acme.example"):
        stage.plan("reset", target_key="999999", login="nobody@acme.example")


def test_login_that_is_taken_makes_no_plan(stage: Stage) -> None:
    with pytest.raises(LoginTaken, match="email = dana@acme.example"):
        stage.plan("create", login="Dana@acme.example")


def test_plan_of_which_no_statement_is_left_is_not_made(stage: Stage) -> None:
    file = stage.place.acme.file
    before, statement, after = (SHIPPED / "saas.toml").read_text().partition("# Disable now")
    (file.parent / "mine.toml").write_text(f'{before}when = "SELECT false AS holds"\n{statement}{after}')
    file.write_text(file.read_text().replace('profile = "saas"', 'profile = "mine.toml"'))
    order = {"beneficiary": WHO, "incident": "BG-2026-0001", "window_minutes": 30, "target_key": ROOT}

    with pytest.raises(NothingToDo, match="none of the profile's statements applies"):
        plans.build(platforms.get(stage.place.acme.name), outcome="enable", **order)


def test_outcome_that_the_profile_does_not_know_is_refused(stage: Stage) -> None:
    with pytest.raises(OutcomeMissing):
        plans.build(stage.place.platform, outcome="vanish", beneficiary="", incident="X", window_minutes=5)


def test_right_that_a_run_would_lack_is_found_before_the_plan(stage: Stage) -> None:
    role = capability("enable", stage.place.acme.dbname)
    with stage.place.acme.connect() as connection:
        connection.execute(f"REVOKE UPDATE (is_active) ON adminuser FROM {role}")

    with pytest.raises(SetupMissing, match=r"lacks UPDATE on public.adminuser \(is_active\)"):
        stage.plan("enable")


def test_words_come_from_a_list_without_doubles_and_follow_the_digest(stage: Stage) -> None:
    document = stage.plan("enable")

    assert len(set(WORDS)) == len(WORDS) == 1024
    assert document.words == spoken(document.digest)
    assert len(document.words.split()) == 6
    assert spoken("0" * 64) == " ".join([WORDS[0]] * 6)
    assert spoken("f" * 64) == " ".join([WORDS[-1]] * 6)


def test_only_a_committed_run_can_be_undone(stage: Stage) -> None:
    run = stage.run(stage.plan("reset"))

    with pytest.raises(NothingToUndo):
        rollback.disable_document(run)


def test_text_of_a_plan_is_canonical(stage: Stage) -> None:
    content = stage.plan("create").content

    assert json.dumps(json.loads(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False) == content
