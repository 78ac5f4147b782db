"""What nobody can do to the log, the kept files and the clock: not the app, not the keeper, not the owner by accident."""

from collections.abc import Callable

import psycopg
import pytest
from django.db import DatabaseError, connection, connections, transaction

from audit import blobs, events, log
from audit.models import Entry
from tests.audit.conftest import append

NOT_ALLOWED, STAYS = "42501", "BG004"

WRITES = [
    "INSERT INTO audit.entry (seq, entry) VALUES (0, '{}')",
    "UPDATE audit.entry SET entry = '{}'",
    "DELETE FROM audit.entry",
    "TRUNCATE audit.entry",
    "MERGE INTO audit.entry USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    "COPY audit.entry (seq, entry) FROM PROGRAM 'echo'",
    "INSERT INTO audit.blob (sha256, bytes, media_type, name) VALUES (repeat('0', 64), 0, 'a', 'b')",
    "UPDATE audit.blob SET name = 'other'",
    "DELETE FROM audit.blob",
    "TRUNCATE audit.blob CASCADE",
    "INSERT INTO audit.blob_chunk (sha256, n, data) VALUES (repeat('0', 64), 0, 'a')",
    "UPDATE audit.blob_chunk SET data = 'other'",
    "DELETE FROM audit.blob_chunk",
    "SELECT * FROM audit.head",
    "UPDATE audit.head SET size = 0",
    "SELECT * FROM audit.clock",
    "UPDATE audit.clock SET high_water = '-infinity'",
    "ALTER TABLE audit.entry DISABLE TRIGGER ALL",
    "ALTER TABLE audit.entry OWNER TO CURRENT_USER",
    "DROP TRIGGER entry_stays ON audit.entry",
    "DROP TABLE audit.entry",
    "CREATE TABLE audit.mine ()",
    "CREATE OR REPLACE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "SET session_replication_role = replica",
    "SET ROLE breakglass_owner",
]

RECORDED = ["audit.entry", "audit.blob", "audit.blob_chunk"]


@pytest.fixture
def recorded(console: str) -> None:
    with transaction.atomic():
        blobs.keep(b"content", media_type="text/plain", name="content.txt")
        log.append(events.INCIDENT_OPENED, by="olivia", incident="INC-1")


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("statement", WRITES)
def test_app_role_may_not(statement: str, refused: Callable[..., str]):
    assert refused(connection, statement) == NOT_ALLOWED


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
@pytest.mark.parametrize("table", [*RECORDED, "audit.head", "audit.clock"])
def test_owner_cannot_remove_rows(statement: str, table: str, refused: Callable[..., str]):
    assert refused(connections["owner"], statement.format(table)) == STAYS


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("change", ["entry SET entry = '{}'", "blob SET name = 'x'", "blob_chunk SET data = 'x'"])
def test_owner_cannot_edit_rows(change: str, refused: Callable[..., str]):
    assert refused(connections["owner"], f"UPDATE audit.{change}") == STAYS


def test_superuser_in_replica_mode_meets_the_same_refusal(console: str, console_server: psycopg.Connection):
    append(events.INCIDENT_OPENED)
    with psycopg.connect(console_server.info.dsn, dbname=console, password=console_server.info.password) as attacker:
        attacker.execute("SET session_replication_role = replica")

        with pytest.raises(psycopg.Error) as caught:
            attacker.execute("DELETE FROM audit.entry")

    assert caught.value.sqlstate == STAYS


def test_edit_by_the_owner_with_triggers_off_is_found(console: str):
    for _ in range(3):
        append(events.PLAN_MADE, reason="true")
    owner = connections["owner"].cursor()
    owner.execute("ALTER TABLE audit.entry DISABLE TRIGGER entry_stays")

    owner.execute("UPDATE audit.entry SET entry = replace(entry, 'true', 'made up') WHERE seq = 1")

    assert log.verify_chain().faults == ["Entry 2 does not follow line 2 of INC-2026-0042."]


def test_entry_removed_by_the_owner_with_triggers_off_is_found(console: str):
    for _ in range(3):
        append(events.PLAN_MADE)
    owner = connections["owner"].cursor()
    owner.execute("ALTER TABLE audit.entry DISABLE TRIGGER entry_stays")

    owner.execute("DELETE FROM audit.entry WHERE seq = 1")

    assert log.verify_chain().faults == [
        "Entry 1 is missing: entry 2 follows.",
        "Entry 2 does not follow line 1 of INC-2026-0042.",
    ]


def test_keeper_may_append_and_read_the_clock_but_keep_no_file(console: str):
    owner = connections["owner"].cursor()
    owner.execute(
        "SELECT has_function_privilege('breakglass_keeper', f, 'EXECUTE') FROM unnest(ARRAY["
        "'audit.now()', 'audit.lock(text)', 'audit.append(text)', 'audit.keep(bytea, text, text)']) f"
    )

    assert [row[0] for row in owner.fetchall()] == [True, True, True, False]


def test_nobody_else_may_enter_the_schema(console: str):
    owner = connections["owner"].cursor()
    owner.execute(
        "SELECT count(*) FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname = 'audit' AND a.grantee = 0 "
        "UNION ALL SELECT count(*) FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a "
        "WHERE p.pronamespace = 'audit'::regnamespace AND p.prorettype <> 'trigger'::regtype AND a.grantee = 0"
    )

    assert [row[0] for row in owner.fetchall()] == [0, 0]


def test_django_cannot_save_or_delete_an_entry(console: str):
    entry = append(events.INCIDENT_OPENED)

    with pytest.raises(DatabaseError):
        entry.save()
    with pytest.raises(DatabaseError):
        entry.delete()

    assert Entry.objects.count() == 1
