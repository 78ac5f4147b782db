"""What the platform's catalog says of a pre-made role, and what of it is not as it should be. It only reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from ..database import Session

# Every name that the role can act as: also what a capability would be a member of in its turn.
ROLE = """
WITH RECURSIVE reached AS (
    SELECT m.roleid, m.admin_option AS may_give, 1 AS depth
      FROM pg_auth_members AS m JOIN pg_roles AS own ON own.oid = m.member WHERE own.rolname = %(role)s
    UNION
    SELECT m.roleid, m.admin_option, reached.depth + 1 FROM pg_auth_members AS m JOIN reached ON reached.roleid = m.member
     WHERE reached.depth < 20
)
SELECT r.rolcanlogin, r.rolconnlimit,
       CASE WHEN isfinite(r.rolvaliduntil) THEN r.rolvaliduntil END,
       r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls,
       r.rolinherit,
       ARRAY(SELECT DISTINCT given.rolname::text FROM reached JOIN pg_roles AS given ON given.oid = reached.roleid),
       coalesce((SELECT bool_or(may_give) FROM reached), false),
       (SELECT count(*)::int FROM pg_shdepend AS d WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid
           AND d.classid <> 'pg_auth_members'::regclass),
       (SELECT count(*)::int FROM pg_stat_activity AS s WHERE s.usesysid = r.oid),
       (SELECT count(*)::int FROM pg_prepared_xacts AS p WHERE p.owner = r.rolname),
       clock_timestamp()
  FROM pg_roles AS r WHERE r.rolname = %(role)s
"""


@dataclass(frozen=True, slots=True)
class Found:
    """until None: no end, or an endless one. of_its_own: objects that it owns and rights that it holds directly."""

    exists: bool
    may_log_in: bool = False
    limit: int = 0
    until: datetime | None = None
    is_mighty: bool = False
    inherits: bool = True
    memberships: frozenset[str] = frozenset()
    may_give: bool = False
    of_its_own: int = 0
    sessions: int = 0
    prepared: int = 0
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """How the role should stand open: one capability, until a moment, for so many sessions."""

    capability: str
    until: datetime
    sessions: int


def look(session: Session, role: str) -> Found:
    """The role as it is now, by the catalog that everybody may read."""
    row = session.execute(ROLE, {"role": role}).fetchone()
    if row is None:
        return Found(exists=False)
    may_log_in, limit, until, is_mighty, inherits, members, *rest = row
    return Found(True, may_log_in, limit, until, is_mighty, inherits, frozenset(members), *rest)


def faults_when_closed(found: Found) -> list[str]:
    """What keeps the role from being closed and harmless, as clauses of a sentence; none: it is closed."""
    if not found.exists:
        return [_("it does not exist")]
    return list(_when_closed(found))


def _when_closed(found: Found) -> Iterator[str]:
    yield from _always(found)
    if found.may_log_in:
        yield _("it may log in")
    if found.memberships:
        yield _("it holds the rights of {names}").format(names=", ".join(sorted(found.memberships)))
    if found.sessions:
        yield _("{sessions} sessions are open").format(sessions=found.sessions)
    if found.prepared:
        yield _("{prepared} prepared transactions are left").format(prepared=found.prepared)


def faults_when_open(found: Found, asked: Asked) -> list[str]:
    """What is not exactly as it was asked for; none: it is open for this run and for nothing else."""
    if not found.exists:
        return [_("it does not exist")]
    if not found.may_log_in:
        return [_("it is still closed")]
    return list(_when_open(found, asked))


def _when_open(found: Found, asked: Asked) -> Iterator[str]:
    yield from _always(found)
    if asked.capability not in found.memberships:
        yield _("it does not hold {name}").format(name=asked.capability)
    more = sorted(found.memberships - {asked.capability})
    if more:
        yield _("it also holds the rights of {names}").format(names=", ".join(more))
    if not 0 < found.limit <= asked.sessions:
        yield _("its connection limit is {limit} instead of {asked}").format(limit=found.limit, asked=asked.sessions)
    if found.until is None:
        yield _("it has no end")
    elif found.until > asked.until:
        yield _("it ends at {found} instead of {asked}").format(found=found.until, asked=asked.until)
    elif found.at is not None and found.until <= found.at:
        yield _("it ended at {found}").format(found=found.until)


def _always(found: Found) -> Iterator[str]:
    if found.is_mighty:
        yield _("it may do more than read and write tables (superuser, roles, databases, replication or row security)")
    if not found.inherits:
        yield _("it does not inherit the rights of its roles")
    if found.may_give:
        yield _("it may give its rights to others")
    if found.of_its_own:
        yield _("it owns something or holds rights of its own ({count})").format(count=found.of_its_own)
