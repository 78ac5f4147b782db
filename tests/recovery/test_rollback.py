"""Undoing: disable the account of a run at once; put its row back only while nobody has touched it; secrets stay sealed."""

import pytest
from django.db import DatabaseError, connections, transaction

from audit import clock
from recovery.models import RunState, SealedRow, SealKey
from recovery.planning import rollback
from recovery.run_refusals import NothingToUndo, RowChanged, SealBroken
from recovery.running import seals
from tests.recovery.stage import NEW, Stage


def test_account_that_was_created_is_disabled(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("create"))

    undo = stage.carry_out(rollback.disable_document(run))

    assert (undo.state, undo.reason) == (RunState.COMMITTED, "")
    row = stage.place.acme.owner(NEW)
    assert (row["is_active"], row["disabled_by"]) == (False, "breakglass BG-2026-0001")


def test_disable_is_only_for_the_account_of_the_run(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("reset"))

    assert rollback.disable_document(run).target_key == "1"


def test_old_password_comes_back_with_a_restore(stage: Stage) -> None:
    old = stage.place.acme.owner()["password_hash"]
    run = stage.carry_out(stage.plan("reset"))

    undo = stage.carry_out(rollback.restore_document(run))

    assert (undo.state, undo.reason) == (RunState.COMMITTED, "")
    assert stage.place.acme.owner()["password_hash"] == old


def test_row_that_was_enabled_is_put_back_as_it_was(stage: Stage) -> None:
    before = stage.place.acme.owner("root@acme.example")
    run = stage.carry_out(stage.plan("enable"))

    undo = stage.carry_out(rollback.restore_document(run))

    assert (undo.state, undo.reason) == (RunState.COMMITTED, "")
    after = stage.place.acme.owner("root@acme.example")
    assert after | {"updated_at": 0} == before | {"updated_at": 0}


def test_row_that_was_touched_since_is_not_restored(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("enable"))
    with stage.place.acme.connect() as connection:
        connection.execute("UPDATE adminuser SET role = 'member' WHERE id = 2")

    with pytest.raises(RowChanged, match="role"):
        rollback.restore_document(run)


def test_sign_in_since_does_not_stop_a_restore(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("enable"))
    with stage.place.acme.connect() as connection:
        connection.execute("UPDATE adminuser SET last_login_at = now() WHERE id = 2")

    assert rollback.restore_document(run).outcome == "restore"


def test_created_account_is_never_deleted_by_a_restore(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("create"))

    with pytest.raises(NothingToUndo):
        rollback.restore_document(run)


def test_sealed_rows_hold_nothing_in_clear(stage: Stage) -> None:
    old = stage.place.acme.owner()["password_hash"]
    stage.carry_out(stage.plan("reset"))

    assert old.encode() not in bytes(SealedRow.objects.get().sealed)


def test_restore_ends_with_the_seal_s_key(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("reset"))
    document = rollback.restore_document(run)
    with transaction.atomic():
        seals.wipe(run.incident, at=clock.now())

    undo = stage.carry_out(document)

    assert undo.state == RunState.ABORTED
    assert "can no longer be opened" in undo.reason


def test_sealed_row_of_another_run_cannot_be_passed_off(stage: Stage) -> None:
    run = stage.carry_out(stage.plan("reset"))
    other = stage.run(stage.plan("enable"))
    row = SealedRow.objects.get()
    SealedRow.objects.create(
        run=other, table_name=row.table_name, row_key=row.row_key, nonce=row.nonce, sealed=row.sealed
    )
    image = rollback.images.from_json(run.before)[0]

    assert seals.open_row(run, image)["id"] == 1
    with pytest.raises(SealBroken, match="changed it"):
        seals.open_row(other, image)


@pytest.mark.parametrize("login", ["default", "owner"])
@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE recovery_sealkey SET key = '\\x00'",
        "UPDATE recovery_sealkey SET wiped_at = now(), incident = 'BG-2026-0009', key = ''",
        "DELETE FROM recovery_sealkey",
        "UPDATE recovery_sealedrow SET sealed = ''",
        "DELETE FROM recovery_sealedrow",
    ],
)
def test_seals_are_neither_exchanged_nor_deleted(stage: Stage, login: str, attack: str) -> None:
    stage.carry_out(stage.plan("reset"))

    with pytest.raises(DatabaseError), connections[login].cursor() as cursor:
        cursor.execute(attack)


def test_seal_keys_are_never_written_to_the_log_of_the_server(stage: Stage) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = %s", [SealKey._meta.db_table])

        assert cursor.fetchone() == ("u",)
