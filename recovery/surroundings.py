"""What stands around a platform's tables and is no fault of the set-up: notes for whoever prepares a recovery. It only reads."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from .database import Session
from .language.profile import Profile

CHECKS_THE_SERVER = "verify-full"
OPEN_SCHEMAS = """
SELECT n.nspname FROM pg_namespace AS n, aclexplode(n.nspacl) AS held
WHERE n.nspname = ANY(%s) AND held.grantee = 0 AND held.privilege_type = 'CREATE' ORDER BY n.nspname
"""
OWNED = """
SELECT count(*) FROM pg_shdepend AS s JOIN pg_roles AS r ON r.oid = s.refobjid
WHERE s.refclassid = 'pg_authid'::regclass AND s.deptype = 'o' AND r.rolname = %s
"""


def notes(session: Session, profile: Profile) -> Iterator[str]:
    """Sentences on the route to the server and on what everybody may do there."""
    yield from _route(session)
    yield from _open_schemas(session, profile)


def of_capability(session: Session, role: str) -> Iterator[str]:
    """What a capability owns: before PostgreSQL 16 a temporary login can act in its name, and what it makes then stays."""
    count = session.one(OWNED, [role])[0]
    if count:
        yield _(
            "The role {role} owns {count} things, although it never makes any: a temporary login did. Find out why, then"
            " let the database administrator remove them, and run the script of: platform grants."
        ).format(role=role, count=count)


def _route(session: Session) -> Iterator[str]:
    info = session.info
    is_local = info.host.startswith(("/", "@"))
    if not is_local and info.get_parameters().get("sslmode") != CHECKS_THE_SERVER:
        yield _(
            "The connection to {host} does not check whom it talks to. Write sslmode=verify-full and sslrootcert=FILE into"
            " both connections; temporary logins take it over from there."
        ).format(host=info.host)


def _open_schemas(session: Session, profile: Profile) -> Iterator[str]:
    """Where everybody may make tables and functions, as PostgreSQL 14 and older allow it in public."""
    named = sorted({table.schema for table in profile.tables} | {profile.schema})
    for (schema,) in session.execute(OPEN_SCHEMAS, [named]).fetchall():
        yield _(
            "Every login may make tables and functions in the schema {schema}, and others would stumble over them. A temporary"
            " login leaves none behind. Unless the platform needs it: REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC."
        ).format(schema=schema)
