"""The set-up of a platform: one script that its DBA reads and runs, and that may run again after every change of the profile.

No password and no key ever stands in it: psql asks for them, or `install` sends verifiers made here.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from ..hashing.password_families import NO_PASSWORD
from ..hashing.password_schemes import FAMILIES
from ..language import pepper_view
from ..language.columns import CONSOLE_SCHEMA, quoted
from ..language.derived import secrets_view
from ..language.profile import OUTCOMES, Profile, TableRule
from ..language.rights import (
    BROKER,
    DOOR_OWNER,
    READER,
    VIEW_OWNER,
    Right,
    capability,
    of_capability,
    of_reader,
    premade,
    schemas,
    sequences_of,
)
from . import without_doors
from .grant_texts import ADMINISTER, FOOTER, GUARD, HEADER, OURS, OWN, ROLE, SEQUENCES, TAKE_BACK

DOORS = tuple(Path(__file__).with_name(name) for name in ("doors.sql", "closing.sql"))
FOR_BROKER = (
    "open_access(uuid, text, text, text, text, timestamptz, text, bytea)",
    *("lock_access(uuid)", "close_access(uuid)", "access_state(uuid)", "left_over()", "reap()", "key_stamp()"),
)
PREFIX = "secret_prefix(text)"
FOR_READER = ("access_state(uuid)", "left_over()", "key_stamp()", PREFIX)
DOORS_MODE, PREMADE, PAPER = "doors", "premade", "paper"  # recovery.models.AccessMode


def script(profile: Profile, *, database: str, platform: str = "NAME", mode: str = DOORS_MODE) -> str:
    """The script for the DBA, for psql. database: the name of the platform's database; mode: how the console gets in."""
    facts = {"database": database, "profile": profile.name, "digest": profile.digest}
    header, footer = HEADER.format(**facts), FOOTER.format(reader=READER, broker=BROKER, platform=platform)
    if mode != DOORS_MODE:
        header, footer = without_doors.header(mode, **facts), without_doors.footer(platform=platform)
    return f"{header}\nBEGIN;\n{body(profile, database=database, mode=mode)}COMMIT;\n{footer}"


def body(profile: Profile, *, database: str, mode: str = DOORS_MODE) -> str:
    """The part without secrets: roles, rights, views and doors. Plain SQL, to be run inside one transaction."""
    return "\n".join(_parts(profile, database, mode))


def install(
    connection: psycopg.Connection,
    profile: Profile,
    *,
    reader_password: str | None = None,
    broker_password: str | None = None,
    door_key: bytes | None = None,
    mode: str = DOORS_MODE,
) -> None:
    """The same set-up over a DBA's connection, in one transaction; what is None stays as it is.

    Passwords travel as SCRAM verifiers made here, the key (32 bytes) as a parameter.
    """
    with connection.transaction():
        connection.execute(body(profile, database=connection.info.dbname, mode=mode).encode())
        for role, password in ((READER, reader_password), (BROKER, broker_password)):
            if password is not None:
                set_password(connection, role, password)
        if door_key is not None:
            set_door_key(connection, door_key)


def set_password(connection: psycopg.Connection, role: str, password: str) -> None:
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier)))


def set_door_key(connection: psycopg.Connection, key: bytes) -> None:
    """Put the keeper's key for this door in; see mandates.door_key."""
    connection.execute(
        "INSERT INTO breakglass.door (key) VALUES (%s)"
        " ON CONFLICT (only_one) DO UPDATE SET key = excluded.key, keyed_at = clock_timestamp()",
        [key],
    )


def _parts(profile: Profile, database: str, mode: str) -> Iterator[str]:
    has_doors = mode == DOORS_MODE
    owner = DOOR_OWNER if has_doors else VIEW_OWNER
    caps = {} if mode == PAPER else {kind: capability(kind, database) for kind in profile.outcomes}
    yield "SET LOCAL client_min_messages = warning;"
    yield GUARD.format(database=_literal(database))
    yield _role(READER, login=True)
    yield f"ALTER ROLE {READER} IN DATABASE {quoted(database)} SET default_transaction_read_only = on;"
    yield from _own_roles(caps, database, mode)
    everybody = (READER, *((BROKER,) if has_doors else ()), *caps.values())
    yield f"GRANT CONNECT ON DATABASE {quoted(database)} TO {_names(everybody)};"
    yield f"CREATE SCHEMA IF NOT EXISTS {CONSOLE_SCHEMA} AUTHORIZATION {owner};"
    yield OURS.format(owners=f"{_literal(DOOR_OWNER)}, {_literal(VIEW_OWNER)}")
    ever_given = (READER, DOOR_OWNER, VIEW_OWNER, *(capability(kind, database) for kind in OUTCOMES))
    yield TAKE_BACK.format(roles=", ".join(map(_literal, ever_given)))
    yield from _rights(READER, of_reader(profile))
    for kind, role in caps.items():
        yield from _rights(role, of_capability(profile, kind))
        for sequence in sequences_of(profile, kind):
            yield f"GRANT USAGE ON SEQUENCE {sequence.quoted} TO {quoted(role)};"
    if has_doors:
        yield from (part.read_text() for part in DOORS)
    yield _secret_prefix()
    for rule in profile.tables.values():
        if rule.secret:
            yield from _view(rule, owner)
    yield from pepper_view.script(profile, owner=owner)
    yield from _doors() if has_doors else _no_doors(database)


def _own_roles(caps: dict[str, str], database: str, mode: str) -> Iterator[str]:
    """The roles of the console besides the reader: for capabilities, and for the doors or what stands in their place."""
    if mode == DOORS_MODE:
        yield _role(BROKER, login=True)
        yield _role(DOOR_OWNER, makes_roles=True)
        yield f"GRANT pg_signal_backend, pg_read_all_stats TO {DOOR_OWNER};"
    else:
        yield _role(VIEW_OWNER)
    for role in caps.values():
        yield _role(role)
        if mode == DOORS_MODE:
            yield ADMINISTER.format(owner=DOOR_OWNER, name=_literal(role))
    if mode == PREMADE:
        yield _role(premade(database))
        yield without_doors.closed_role(database)


def _role(role: str, *, login: bool = False, makes_roles: bool = False) -> str:
    wanted = {
        "rolcanlogin": ("LOGIN", login),
        "rolcreaterole": ("CREATEROLE", makes_roles),
        "rolsuper": ("SUPERUSER", False),
        "rolcreatedb": ("CREATEDB", False),
        "rolreplication": ("REPLICATION", False),
        "rolbypassrls": ("BYPASSRLS", False),
    }
    attributes = " ".join(word if on else f"NO{word}" for word, on in wanted.values())
    as_wanted = " AND ".join(column if on else f"NOT {column}" for column, (_word, on) in wanted.items())
    return ROLE.format(name=_literal(role), role=quoted(role), attributes=attributes, as_wanted=as_wanted)


def _rights(role: str, rights: tuple[Right, ...]) -> Iterator[str]:
    for schema in schemas(rights):
        yield f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {quoted(role)};"
    for right in rights:
        listed = f" ({_names(right.columns)})" if right.columns else ""
        yield f"GRANT {right.privilege}{listed} ON {right.table.quoted} TO {quoted(role)};"
    for table in sorted({right.table for right in rights if right.privilege == "INSERT"}):
        yield SEQUENCES.format(table=_literal(table.quoted), role=_literal(role))


def _secret_prefix() -> str:
    """The part of a hash that names scheme and cost and holds no salt; empty when the form is unknown, NULL for no password."""
    patterns = ", ".join(_literal(family.prefix) for family in FAMILIES)
    return (
        f"CREATE OR REPLACE FUNCTION {CONSOLE_SCHEMA}.secret_prefix(secret text) RETURNS text\n"
        "LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $function$\n"
        f"    SELECT CASE WHEN secret !~ {_literal(NO_PASSWORD)} THEN\n"
        "           coalesce((SELECT array_to_string(regexp_match(secret, form), '')\n"
        f"                       FROM unnest(ARRAY[{patterns}]) WITH ORDINALITY AS known(form, place)\n"
        "                      WHERE secret ~ form ORDER BY place LIMIT 1), '') END\n"
        "$function$;"
    )


def _view(rule: TableRule, owner: str) -> Iterator[str]:
    """What may be known of a table's secret columns: is it set, its scheme and cost, and whether it changed."""
    view, source = secrets_view(rule.table), rule.table.quoted
    columns = [quoted(name) for name in rule.key]
    for name in sorted(rule.secret):
        text = f"{quoted(name)}::text"
        columns.append(f"{quoted(name)} IS NOT NULL AS {quoted(name + '_is_set')}")
        columns.append(f"{CONSOLE_SCHEMA}.secret_prefix({text}) AS {quoted(name + '_prefix')}")
        stamp = f"left(encode(sha256(convert_to({text}, 'UTF8')), 'hex'), 16)"
        columns.append(f"{stamp} AS {quoted(name + '_stamp')}")
    selected = ",\n       ".join(columns)
    yield f"CREATE VIEW {view.quoted} WITH (security_barrier) AS\nSELECT {selected}\n  FROM {source};"
    yield f"ALTER VIEW {view.quoted} OWNER TO {owner};"
    yield f"GRANT USAGE ON SCHEMA {quoted(rule.table.schema)} TO {owner};"
    yield f"GRANT SELECT ({_names((*rule.key, *sorted(rule.secret)))}) ON {source} TO {owner};"
    yield f"GRANT SELECT ON {view.quoted} TO {READER};"


def _doors() -> Iterator[str]:
    yield OWN.format(owner=DOOR_OWNER)
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {CONSOLE_SCHEMA} FROM PUBLIC, {BROKER};"
    yield f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {CONSOLE_SCHEMA} FROM PUBLIC, {READER}, {BROKER};"
    yield f"GRANT USAGE ON SCHEMA {CONSOLE_SCHEMA} TO {READER}, {BROKER};"
    for role, functions in ((BROKER, FOR_BROKER), (READER, FOR_READER)):
        named = ", ".join(f"{CONSOLE_SCHEMA}.{function}" for function in functions)
        yield f"GRANT EXECUTE ON FUNCTION {named} TO {role};"


def _no_doors(database: str) -> Iterator[str]:
    yield from without_doors.shut_doors(database)
    yield f"ALTER FUNCTION {CONSOLE_SCHEMA}.{PREFIX} OWNER TO {VIEW_OWNER};"
    yield f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {CONSOLE_SCHEMA} FROM PUBLIC;"
    yield f"GRANT USAGE ON SCHEMA {CONSOLE_SCHEMA} TO {READER};"
    yield f"GRANT EXECUTE ON FUNCTION {CONSOLE_SCHEMA}.{PREFIX} TO {READER};"


def _names(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
