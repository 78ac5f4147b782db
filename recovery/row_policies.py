"""Row-level security: whether policies hide rows from the console's own roles, which would look like rows that are not there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from .database import Session
from .language import rights
from .language.columns import Table, quoted
from .language.derived import secrets_view
from .language.profile import Profile
from .language.rights import Right

COMMANDS = {"SELECT": "r", "INSERT": "a", "UPDATE": "w", "DELETE": "d"}
SECURED = """
SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relrowsecurity ORDER BY 1, 2
"""
VIEW_OWNER = """
SELECT r.rolname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_roles AS r ON r.oid = c.relowner
WHERE n.nspname = %s AND c.relname = %s
"""
# A policy counts for a command and for the roles that it names; whoever owns the table, or may pass by, meets none.
# is_open: it says `true`, so that it keeps nothing back. One permissive policy at least must let a row through.
POLICIES = """
SELECT asked.command, found.lets = 0
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN pg_roles AS r CROSS JOIN unnest(%(commands)s::text[]) AS asked(command)
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE p.polpermissive) AS lets,
           coalesce(bool_or(p.is_open) FILTER (WHERE p.polpermissive), false)
           AND coalesce(bool_and(p.is_open) FILTER (WHERE NOT p.polpermissive), true) AS is_open
    FROM (SELECT polpermissive,
                 coalesce(pg_get_expr(polqual, polrelid), 'true') = 'true'
                 AND coalesce(pg_get_expr(polwithcheck, polrelid), 'true') = 'true' AS is_open
          FROM pg_policy
          WHERE polrelid = c.oid AND polcmd::text IN ('*', asked.command)
            AND EXISTS (SELECT FROM unnest(polroles) AS named(role)
                        WHERE named.role = 0 OR pg_has_role(r.oid, named.role, 'USAGE'))) AS p) AS found
WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND r.rolname = %(role)s AND c.relrowsecurity
  AND NOT r.rolsuper AND NOT r.rolbypassrls
  AND (c.relforcerowsecurity OR NOT pg_has_role(r.oid, c.relowner, 'USAGE')) AND NOT found.is_open
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Veil:
    """What policies keep from one role in one table: privileges for which no row is left, and those where some may be."""

    table: Table
    role: str
    hidden: tuple[str, ...]
    doubtful: tuple[str, ...]


def veils(session: Session, profile: Profile, *, kinds: Iterable[str], database: str) -> tuple[Veil, ...]:
    """For the reader, the owner of the views of secrets and the roles of these outcomes; a role that is missing has none."""
    secured = {Table(*row) for row in session.execute(SECURED).fetchall()}
    if not secured:
        return ()
    found = (
        _veil(session, role, table, privileges)
        for role, held in _rights(session, profile, kinds, database)
        for table, privileges in _by_table(held).items()
        if table in secured
    )
    return tuple(veil for veil in found if veil.hidden or veil.doubtful)


def missing(found: Iterable[Veil]) -> Iterator[str]:
    """What must be mended: a role for which a table is empty whatever stands in it."""
    for veil in found:
        if veil.hidden:
            yield _(
                "{table} has row-level security, and none of its policies lets {role} {privileges} any row. Let the database"
                " administrator decide on it, and run: CREATE POLICY {name} ON {quoted} TO {name} USING (true);"
            ).format(**_facts(veil, veil.hidden), name=quoted(veil.role), quoted=veil.table.quoted)


def notes(found: Iterable[Veil]) -> Iterator[str]:
    """What must be known: rows that are there may look as if they were not."""
    for veil in found:
        if veil.doubtful:
            yield _(
                "{table} has row-level security: its policies may keep rows from {role} ({privileges}), and for the console"
                " such rows are not there. Let the database administrator look whether they let it meet every owner."
            ).format(**_facts(veil, veil.doubtful))


def _facts(veil: Veil, privileges: Iterable[str]) -> dict[str, object]:
    return {"table": veil.table, "role": veil.role, "privileges": ", ".join(privileges)}


def _rights(
    session: Session, profile: Profile, kinds: Iterable[str], database: str
) -> Iterator[tuple[str, Iterable[Right]]]:
    yield session.info.user, rights.of_reader(profile)
    for rule in profile.tables.values():
        view = secrets_view(rule.table)
        for (owner,) in session.execute(VIEW_OWNER, [view.schema, view.name]).fetchall() if rule.secret else ():
            yield owner, (Right(rule.table, "SELECT", rule.key),)
    for kind in kinds:
        yield rights.capability(kind, database), rights.of_capability(profile, kind)


def _by_table(held: Iterable[Right]) -> dict[Table, set[str]]:
    found: dict[Table, set[str]] = {}
    for right in held:
        found.setdefault(right.table, set()).add(right.privilege)
    return found


def _veil(session: Session, role: str, table: Table, privileges: Iterable[str]) -> Veil:
    asked = {COMMANDS[privilege]: privilege for privilege in sorted(privileges)}
    facts = {"role": role, "schema": table.schema, "table": table.name, "commands": list(asked)}
    rows = dict(session.execute(POLICIES, facts).fetchall())
    hidden = tuple(asked[command] for command in asked if rows.get(command) is True)
    return Veil(table, role, hidden, tuple(asked[command] for command in asked if rows.get(command) is False))
