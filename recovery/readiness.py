"""Whether a platform is ready for a recovery, in sentences: what stands, and what somebody must mend first. It only reads."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from . import database, query_check, readiness_by_hand, row_policies, surroundings
from .database import Identity, Session
from .doors import access
from .doors.mandates import door_key, key_stamp
from .language import rights
from .language.columns import Table
from .language.derived import secrets_view
from .language.profile import Profile
from .language.rights import Right
from .models import AccessMode
from .planning import peppers
from .platform_refusals import PlatformRefused
from .platforms import Platform
from .sign_in import login_checks

OLDEST = 130000
COLUMNS = """
SELECT wanted.name, a.attnum IS NOT NULL,
       coalesce(has_column_privilege(%(role)s, %(table)s::regclass, a.attnum, %(privilege)s), false)
FROM unnest(%(columns)s::text[]) AS wanted(name)
LEFT JOIN pg_attribute AS a ON a.attrelid = %(table)s::regclass AND a.attname = wanted.name AND NOT a.attisdropped
ORDER BY wanted.name
"""
WRITES = """
SELECT p FROM unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS p
WHERE has_table_privilege(current_user, %(table)s::regclass, p)
"""


@dataclass(frozen=True, slots=True)
class Readiness:
    """stands: what was found in order. missing: what is not, each with what to do. notes: what a recovery must know."""

    stands: tuple[str, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_ready(self) -> bool:
        return not self.missing


def look(platform: Platform, *, kinds: Iterable[str] | None = None) -> Readiness:
    """Look at the platform through its standing logins; kinds limits the outcomes that are looked at.

    Raises ProfileRefused, ConnectionMissing and SecretFileOpen: what is wrong before anything can be asked.
    """
    profile = platform.profile
    asked = list(kinds or profile.outcomes)
    conninfo = platform.conninfo("reader")
    broker = platform.conninfo("broker") if platform.mode == AccessMode.DOORS else ""
    stands = [_("The profile {name} can be read ({digest}).").format(name=profile.name, digest=profile.digest[:12])]
    stands.append(str(readiness_by_hand.STANDS[platform.mode]))
    missing: list[str] = []
    notes = [told for told in (profile.restart, login_checks.note(platform)) if told]
    try:
        with database.connect(conninfo, purpose="read", schema=profile.schema, reading=True) as session:
            identity = database.identity(session)
            stands.append(_who(identity))
            missing += _of_server(identity)
            missing += _of_reader(session, profile)
            missing += _of_mode(session, platform, profile, asked, identity)
            veils = row_policies.veils(session, profile, kinds=asked, database=identity.database_name)
            missing += row_policies.missing(veils)
            notes += row_policies.notes(veils)
            missing += _of_system_tenant(session, profile)
            if kinds is None:  # a single outcome asks when its plan is made, and only what it needs
                missing += query_check.look(session, profile)
                missing += peppers.missing(platform, profile.password, session)
            notes += _triggers(session, profile)
            notes += surroundings.notes(session, profile)
    except PlatformRefused as refusal:
        return Readiness(tuple(stands), (*missing, refusal.sentence), tuple(notes))
    if broker:
        missing += _of_doors(platform, broker, identity)
    return Readiness(tuple(stands), tuple(missing), tuple(notes))


def _who(found: Identity) -> str:
    major = str(found.server_version // 10000)
    sentence = _("The reader reaches the database {name} on PostgreSQL {major}, system {system}.")
    return sentence.format(name=found.database_name, major=major, system=found.system_identifier)


def _of_server(found: Identity) -> Iterator[str]:
    if found.is_standby:
        yield _("This server is a standby and takes no changes. Point both connections at the primary.")
    if found.server_version < OLDEST:
        yield _("PostgreSQL 13 or newer is needed.")


def _of_reader(session: Session, profile: Profile) -> Iterator[str]:
    role = session.info.user
    yield from _lacking(session, role, rights.of_reader(profile), _("the reader"))
    for rule in profile.tables.values():
        if not _exists(session, rule.table):
            continue
        for secret in sorted(rule.secret):
            if _held(session, role, Right(rule.table, "SELECT", (secret,))):
                sentence = _("The reader may read the secret column {column}. Run the script of: platform grants.")
                yield sentence.format(column=f"{rule.table}.{secret}")
        written = [row[0] for row in session.execute(WRITES, {"table": rule.table.quoted})]
        if written:
            sentence = _("The reader may {rights} on {table}. Take that right away.")
            yield sentence.format(rights=", ".join(written), table=rule.table)
        if rule.secret and not _exists(session, secrets_view(rule.table)):
            sentence = _("The view {view} is missing. Run the script of: platform grants.")
            yield sentence.format(view=secrets_view(rule.table))


def _of_mode(
    session: Session, platform: Platform, profile: Profile, kinds: list[str], found: Identity
) -> Iterator[str]:
    """What the way in needs: roles with their rights, and a login that is closed; or statements that a script can hold."""
    if platform.mode == AccessMode.PAPER:
        yield from readiness_by_hand.of_paper(profile, kinds)
        return
    for kind in kinds:
        yield from _of_capability(session, profile, kind, found.database_name)
    if platform.mode == AccessMode.PREMADE:
        yield from readiness_by_hand.of_premade(session, found.database_name)


def _of_capability(session: Session, profile: Profile, kind: str, dbname: str) -> Iterator[str]:
    role = rights.capability(kind, dbname)
    if session.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
        sentence = _("The role {role} for the outcome {kind} is missing. Run the script of: platform grants.")
        yield sentence.format(role=role, kind=kind)
        return
    yield from _lacking(session, role, rights.of_capability(profile, kind), _("the outcome {kind}").format(kind=kind))
    yield from surroundings.of_capability(session, role)
    for sequence in rights.sequences_of(profile, kind):
        if not _exists(session, sequence):
            yield _("The sequence {name} does not exist. Correct the profile.").format(name=sequence)
        elif not session.one("SELECT has_sequence_privilege(%s, %s::regclass, 'USAGE')", [role, sequence.quoted])[0]:
            sentence = _("The outcome {kind} lacks USAGE on the sequence {name}. Run the script of: platform grants.")
            yield sentence.format(kind=kind, name=sequence)


def _lacking(session: Session, role: str, wanted: Iterable[Right], who: str) -> Iterator[str]:
    for right in wanted:
        if not _exists(session, right.table):
            yield _("The table {table} does not exist. Correct the profile.").format(table=right.table)
            continue
        absent, lacking = _compared(session, role, right)
        for name in absent:
            yield _("The column {name} does not exist. Correct the profile.").format(name=f"{right.table}.{name}")
        if lacking:
            sentence = _("{who} lacks {privilege} on {table} ({names}). Run the script of: platform grants.")
            facts = {"who": who, "privilege": right.privilege, "table": right.table, "names": ", ".join(lacking)}
            yield sentence.format(**facts)


def _compared(session: Session, role: str, right: Right) -> tuple[list[str], list[str]]:
    """The columns that do not exist, and those for which the role lacks the right."""
    if not right.columns:
        query = "SELECT has_table_privilege(%s, %s::regclass, %s)"
        held = session.execute(query, [role, right.table.quoted, right.privilege]).fetchall()[0][0]
        return [], [] if held else [_("whole rows")]
    rows = _column_rows(session, role, right)
    return [name for name, exists, _held in rows if not exists], [
        name for name, exists, held in rows if exists and not held
    ]


def _held(session: Session, role: str, right: Right) -> bool:
    return any(held for _name, _exists, held in _column_rows(session, role, right))


def _column_rows(session: Session, role: str, right: Right) -> list[tuple[str, bool, bool]]:
    facts = {"role": role, "table": right.table.quoted, "privilege": right.privilege, "columns": list(right.columns)}
    return session.execute(COLUMNS, facts).fetchall()


def _exists(session: Session, table: Table) -> bool:
    """Looked up by exact names: to_regclass would ask for a right to the schema."""
    query = """
        SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = %s AND c.relname = %s AND has_schema_privilege(n.oid, 'USAGE')
    """
    return session.execute(query, [table.schema, table.name]).fetchone() is not None


def _of_system_tenant(session: Session, profile: Profile) -> Iterator[str]:
    if profile.tenant is None or not _exists(session, profile.tenant.table):
        return
    count = len(session.execute(profile.tenant.system_tenants, {}).fetchall())
    if count != 1:
        yield _("There are {count} system tenants by the profile's rule; exactly one is needed.").format(count=count)


def _triggers(session: Session, profile: Profile) -> Iterator[str]:
    """A trigger works with the rights of the temporary login, and may write where the plan does not look."""
    query = """
        SELECT t.tgname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE NOT t.tgisinternal AND n.nspname = %s AND c.relname = %s ORDER BY t.tgname
    """
    for table in profile.tables:
        for (name,) in session.execute(query, [table.schema, table.name]).fetchall():
            yield _("{table} has the trigger {name}; the rehearsal shows what it does.").format(table=table, name=name)


def _of_doors(platform: Platform, conninfo: str, found: Identity) -> Iterator[str]:
    try:
        with database.connect(conninfo, purpose="open and close access", autocommit=True) as session:
            here = database.identity(session)
            if (here.system_identifier, here.database_name) != (found.system_identifier, found.database_name):
                yield _("The broker reaches another database than the reader. Correct the platform file.")
                return
            yield from _of_key(session.execute("SELECT breakglass.key_stamp()").fetchall()[0][0], here)
        for left in access.left_over(platform):
            yield _("The access {role} is not closed. The worker closes it; start it if it does not run.").format(
                role=left.role
            )
    except PlatformRefused as refusal:
        yield refusal.sentence


def _of_key(stamp: str | None, found: Identity) -> Iterator[str]:
    if stamp is None:
        yield _("The doors have no key yet. Run the script of: platform grants, with the key of: platform key.")
    elif settings.KEEPER_KEY:
        place = {"system_identifier": found.system_identifier, "database_name": found.database_name}
        if stamp != key_stamp(door_key(bytes.fromhex(settings.KEEPER_KEY.strip()), **place)):
            yield _("The doors have another key than the keeper. Run the script of: platform grants again.")
