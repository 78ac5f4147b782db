"""What the console's logins may do per table. Applied by the owner after every migration; what is not listed is not granted."""

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from audit import grants as audit_grants

READ = "SELECT"


def record(*changing: str) -> str:
    """Rows are added and read; only the named columns ever change; nothing is deleted."""
    return "SELECT, INSERT" + (f", UPDATE ({', '.join(changing)})" if changing else "")


def columns(*names: str) -> str:
    return f"SELECT ({', '.join(names)})"


APP = {
    # people
    "people_person": record("name", "contact"),
    "people_historicalperson": record(),
    "people_account": record("password", "last_login", "is_active"),
    "people_duty": record("confirmed_by_id", "confirmed_at", "ended_at"),
    "people_historicalduty": record(),
    "people_authenticator": record("confirmed", "retired_at"),
    "people_spentstep": record(),
    "people_stepup": record(),
    "people_invitation": record("token_sha256", "confirmed_by_id", "confirmed_at", "expires_at", "used_at"),
    "people_throttle": record("failures", "next_at", "turned_away"),
    # procedure
    "procedure_incident": record("state", "exposure_suspected", "closed_at"),
    "procedure_participant": record(),
    "procedure_diagnosis": record(),
    "procedure_override": record(),
    "procedure_choice": record(),
    "procedure_plan": record(),
    "procedure_approval": record("withdrawn_at", "withdrawn_by_id", "withdrawn_reason"),
    "procedure_planrefusal": record(),
    "procedure_window": record("during", "end_recorded_at"),
    "procedure_handover": record("used_at", "voided_at", "wrong_codes"),
    "procedure_execution": record(),
    "procedure_judgement": record(),
    "procedure_signinproof": record(),
    "procedure_logincheck": record(),
    "procedure_revocationitem": record(
        *("done_at", "done_by_id", "output", "waived_at", "waived_by_id", "waived_reason", "waived_until")
    ),
    "procedure_evidenceitem": record(),
    "procedure_bundle": record(),
    "procedure_postmortem": record(
        *("root_cause", "bundle_id", "permissions_review", "backlog_item", "backlog_url", "written_by_id", "written_at")
    ),
    "procedure_historicalpostmortem": record(),
    "procedure_review": record(),
    "procedure_message": record(),
    "procedure_delivery": record(),
    # recovery
    "recovery_run": record(
        *("state", "fence", "rehearsed_at", "before", "planned_after", "after", "statements", "timeline", "xid"),
        *("backend_pid", "prepared_at", "decided_at", "decided_by", "reason"),
    ),
    "recovery_access": record("opened_at", "closed_at", "proven_at", "proof"),
    "recovery_mandaterequest": record(),
    "recovery_mandate": READ,
    "recovery_paperscript": record("nonce", "sealed", "wiped_at"),
    "recovery_sealkey": record("key", "wiped_at"),
    "recovery_sealedrow": record(),
    "recovery_adminuser": record("label", "run_id", "moment", "image", "at"),
    "recovery_historicaladminuser": record(),
    "recovery_tenant": record("label", "run_id", "moment", "image", "at"),
    "recovery_historicaltenant": record(),
    # Django and procrastinate
    "django_session": "SELECT, INSERT, UPDATE, DELETE",
    "django_migrations": READ,
    "django_content_type": READ,
    "django_admin_log": READ,
    "auth_permission": READ,
    "auth_group": READ,
    "auth_group_permissions": READ,
    "procrastinate_jobs": "SELECT, INSERT, UPDATE, DELETE",
    "procrastinate_events": "SELECT, INSERT, UPDATE, DELETE",
    "procrastinate_periodic_defers": "SELECT, INSERT, UPDATE, DELETE",
    "procrastinate_workers": "SELECT, INSERT, UPDATE, DELETE",
}

# The keeper reads what it checks, no secret among it, and writes one thing.
KEEPER = {
    "people_person": READ,
    "people_account": columns("id", "username", "person_id", "is_active", "created_at"),
    "people_duty": READ,
    "people_invitation": columns("id", "account_id", "kind", "used_at"),
    "people_stepup": READ,
    "procedure_incident": READ,
    "procedure_participant": READ,
    "procedure_choice": READ,
    "procedure_plan": READ,
    "procedure_planrefusal": READ,
    "procedure_approval": READ,
    "procedure_window": READ,
    "procedure_execution": READ,
    "recovery_run": READ,
    "recovery_access": READ,
    "recovery_mandaterequest": READ,
    "recovery_mandate": record(),
}


def after_migrate(sender: AppConfig, using: str, **_others: Any) -> None:
    """Handler of post_migrate. Only the owner can grant: whoever else runs an empty `migrate` changes nothing here."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()")
        is_owner = cursor.fetchone()[0]
    if is_owner:
        apply(connections[using])


def apply(connection: BaseDatabaseWrapper) -> None:
    """Take everything back and grant what is listed, in one transaction. A role that does not exist is left out."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = {name for (name,) in cursor.fetchall()}
        cursor.execute("SELECT rolname FROM pg_roles")
        roles = {name for (name,) in cursor.fetchall()}
        for role, listed in ((settings.APP_ROLE, APP), (settings.KEEPER_ROLE, KEEPER)):
            if role in roles:
                _execute(cursor, _grants(role, {table: listed[table] for table in listed if table in tables}))
        cursor.execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC")
        if settings.APP_ROLE in roles:
            _execute(cursor, _app_extras(settings.APP_ROLE))
        _apply_audit(cursor)


def _grants(role: str, listed: dict[str, str]) -> Iterable[sql.Composed]:
    name = sql.Identifier(role)
    yield sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(name)
    yield sql.SQL("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {}").format(name)
    yield sql.SQL("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM {}").format(name)
    yield sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name)
    for table, privileges in listed.items():
        yield sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(privileges), sql.Identifier("public", table), name)


def _app_extras(role: str) -> Iterable[sql.Composed]:
    # Identity columns need no right to their sequence; procrastinate still uses serial ones.
    name = sql.Identifier(role)
    yield sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(name)
    yield sql.SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {}").format(name)


def _execute(cursor: Any, commands: Iterable[sql.Composed]) -> None:
    for command in commands:
        cursor.execute(command)


def _apply_audit(cursor: Any) -> None:
    cursor.execute("SELECT to_regclass('audit.entry') IS NOT NULL AND to_regclass('audit.blob') IS NOT NULL")
    if cursor.fetchone()[0]:
        cursor.execute(audit_grants.sql(app_role=settings.APP_ROLE, keeper_role=settings.KEEPER_ROLE))
