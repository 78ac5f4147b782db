"""What must hold before this console serves anybody: told by `manage.py check`, and `check --database default` for the login."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import connections
from django.http.request import validate_host

LOCAL = {"127.0.0.1", "localhost", "::1"}
SHORTEST_KEY = 32  # characters

STANDING = """
SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls,
       pg_has_role(d.datdba, 'USAGE') OR has_schema_privilege('public', 'CREATE'),
       EXISTS (SELECT FROM pg_tables WHERE schemaname IN ('public', 'audit')
                AND has_table_privilege(format('%I.%I', schemaname, tablename), 'TRUNCATE'))
  FROM pg_roles, pg_database AS d
 WHERE rolname = current_user AND d.datname = current_database()
"""


def settings_fit(app_configs: Any, **_others: Any) -> list[CheckMessage]:
    """The address that people use, and the key that seals their authenticators."""
    host = urlsplit(settings.BASE_URL).hostname or ""
    found: list[CheckMessage] = []
    if not settings.BASE_URL.startswith("https://") and host not in LOCAL and not settings.PRACTICE:
        found.append(Error("BASE_URL is not https.", hint="Serve the console over TLS only.", id="breakglass.E001"))
    if not validate_host(host, settings.ALLOWED_HOSTS):
        hint = f"Add {host} to ALLOWED_HOSTS, or correct BASE_URL."
        found.append(Error("BASE_URL names a host that is not allowed.", hint=hint, id="breakglass.E002"))
    if len(settings.SECRET_KEY) < SHORTEST_KEY:
        hint = "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        found.append(Error("SECRET_KEY is too short.", hint=hint, id="breakglass.E003"))
    return found


def app_login_is_weak(app_configs: Any, databases: Sequence[str] | None, **_others: Any) -> list[CheckMessage]:
    """The login that serves pages owns nothing: otherwise the guards in the database guard nothing."""
    if "default" not in (databases or ()):
        return []
    with connections["default"].cursor() as cursor:
        cursor.execute(STANDING)
        is_mighty, is_owner, may_truncate = cursor.fetchone()
    if not (is_mighty or is_owner or may_truncate):
        return []
    hint = "Let DATABASE_URL name the app's login, DATABASE_OWNER_URL the owner's, and run: migrate --database owner"
    return [Error("The login of DATABASE_URL may do more than the app needs.", hint=hint, id="breakglass.E004")]
