"""The ground that all other tests stand on: clones of the console's database, seen as the app role."""

import pytest
from django.db import DatabaseError, connection, connections, transaction

from breakglass import grants
from breakglass.practice.console import APP, KEEPER

pytestmark = pytest.mark.django_db
FORBIDDEN = ("TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")


def value(statement: str, parameters: tuple = (), *, using: str = "default"):
    with connections[using].cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()[0]


def tables() -> list[str]:
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return sorted(name for (name,) in cursor.fetchall())


def test_console_is_seen_as_the_app_role():
    assert value("SELECT current_user") == APP
    assert value("SELECT current_user", using="owner") == "breakglass_owner"


def test_every_test_has_a_database_of_its_own():
    assert value("SELECT current_database()").startswith("console_")
    assert value("SELECT count(*) FROM people_person") == 0


def test_every_table_stands_in_the_list_of_grants():
    assert tables() == sorted(grants.APP)


@pytest.mark.parametrize("role", [APP, KEEPER])
@pytest.mark.parametrize("privilege", FORBIDDEN)
def test_no_login_may_truncate_or_change_tables(role, privilege):
    holds = "SELECT has_table_privilege(%s, 'public.' || quote_ident(%s), %s)"

    assert [table for table in tables() if value(holds, (role, table, privilege))] == []


def test_app_deletes_only_sessions_and_jobs():
    holds = "SELECT has_table_privilege(%s, 'public.' || quote_ident(%s), 'DELETE')"

    deletable = [table for table in tables() if value(holds, (APP, table))]

    assert [name for name in deletable if not name.startswith("procrastinate_")] == ["django_session"]


def test_app_cannot_truncate_what_was_recorded():
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE procedure_incident CASCADE")


def test_app_cannot_make_tables():
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE shadow ()")


def test_app_cannot_make_temporary_tables():
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE shadow ()")


def test_keeper_reads_no_password_and_no_seed():
    assert not value("SELECT has_column_privilege(%s, 'people_account', 'password', 'SELECT')", (KEEPER,))
    assert not value("SELECT has_any_column_privilege(%s, 'people_authenticator', 'SELECT')", (KEEPER,))
    assert not value("SELECT has_any_column_privilege(%s, 'recovery_sealkey', 'SELECT')", (KEEPER,))


def test_keeper_writes_nothing_but_mandates():
    holds = "SELECT has_any_column_privilege(%s, 'public.' || quote_ident(%s), 'INSERT, UPDATE')"

    assert [table for table in tables() if value(holds, (KEEPER, table))] == ["recovery_mandate"]


def test_app_cannot_sign_a_mandate():
    assert not value("SELECT has_any_column_privilege(%s, 'recovery_mandate', 'INSERT, UPDATE')", (APP,))


def test_grants_may_be_applied_twice():
    grants.apply(connections["owner"])

    assert value("SELECT count(*) FROM procedure_incident") == 0
