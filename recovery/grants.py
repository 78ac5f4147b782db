"""The set-up of a platform: one script that its DBA reads and runs, and that may run again after every change of the profile.

No password and no key ever stands in it: psql asks for them, or `install` sends verifiers made here.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from .columns import CONSOLE_SCHEMA, quoted
from .derived import secrets_view
from .password_schemes import FAMILIES
from .profile import Profile, TableRule
from .rights import BROKER, DOOR_OWNER, READER, Right, capability, of_capability, of_reader, schemas

DOORS = Path(__file__).with_name("doors.sql")
FOR_BROKER = (
    "open_access(uuid, text, text, text, text, timestamptz, text, bytea)",
    *("lock_access(uuid)", "close_access(uuid)", "access_state(uuid)", "left_over()", "reap()", "key_stamp()"),
)
FOR_READER = ("access_state(uuid)", "left_over()", "key_stamp()", "secret_prefix(text)")

HEADER = """\
-- Set-up of the break-glass console for the database {database}, profile {profile} (SHA-256 {digest}).
-- Run it with psql as the database administrator:  psql -d {database} -f THIS_FILE
-- It may be run again at any time. psql asks for two passwords and for the keeper's door key; none of them stands here.
\\set ON_ERROR_STOP on
"""
FOOTER = """
-- The two standing logins. psql sends a SCRAM verifier, never the password itself.
SET password_encryption = 'scram-sha-256';
\\echo 'Password for the login that reads:'
\\password {reader}
\\echo 'Password for the login that opens and closes doors:'
\\password {broker}

-- The door key, shown by: manage.py platform key {platform}   (on the keeper's host)
DO $$ BEGIN
    PERFORM set_config('log_statement', 'none', false), set_config('log_min_duration_statement', '-1', false);
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'this login cannot switch statement logging off: the key may reach the server''s log';
END $$;
\\prompt 'Door key (64 hexadecimal digits): ' door_key
INSERT INTO breakglass.door (key) VALUES (decode(:'door_key', 'hex'))
    ON CONFLICT (only_one) DO UPDATE SET key = excluded.key, keyed_at = clock_timestamp();
\\unset door_key
\\echo 'Done. Look at it from the console: manage.py platform check {platform}'
"""
GUARD = """\
DO $$ BEGIN
    IF current_database() <> {database} THEN
        RAISE EXCEPTION 'this script is for the database %, not for %', {database}, current_database();
    END IF;
END $$;
"""
# Roles are cluster-wide: one that already is as it should be is not written again, since another database's set-up may run.
ROLE = """\
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}) THEN
        CREATE ROLE {role} {attributes};
    ELSIF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name} AND {as_wanted}) THEN
        ALTER ROLE {role} {attributes};
    END IF;
END $$;
"""
# Rights of an earlier profile go first, so that what is listed below is all that there is.
TAKE_BACK = """\
DO $$
DECLARE
    held record;
BEGIN
    FOR held IN
        SELECT DISTINCT n.nspname, c.relname, r.rolname
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
         CROSS JOIN LATERAL (SELECT grantee FROM aclexplode(c.relacl) UNION SELECT grantee FROM aclexplode(a.attacl)) AS acl
          JOIN pg_roles r ON r.oid = acl.grantee
         WHERE r.rolname IN ({roles}) AND n.nspname <> 'breakglass'
    LOOP
        EXECUTE format('REVOKE ALL ON %I.%I FROM %I', held.nspname, held.relname, held.rolname);
    END LOOP;
    FOR held IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'breakglass'::regnamespace AND c.relkind = 'v' LOOP
        EXECUTE format('DROP VIEW breakglass.%I', held.relname);
    END LOOP;
END $$;
"""
# A serial column that an INSERT leaves out takes its number from a sequence, which asks for a right of its own.
SEQUENCES = """\
DO $$
DECLARE
    owned record;
BEGIN
    FOR owned IN
        SELECT DISTINCT d.refobjid::regclass AS name
          FROM pg_attrdef f
          JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass
          JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
         WHERE f.adrelid = {table}::regclass
    LOOP
        EXECUTE format('GRANT USAGE ON SEQUENCE %s TO %I', owned.name, {role});
    END LOOP;
END $$;
"""
ADMINISTER = """\
DO $$ BEGIN
    EXECUTE format('GRANT %I TO {owner} WITH ', {name})
        || CASE WHEN current_setting('server_version_num')::int >= 160000
                THEN 'ADMIN TRUE, INHERIT FALSE, SET FALSE' ELSE 'ADMIN OPTION' END;
END $$;
"""


def script(profile: Profile, *, database: str, platform: str = "NAME") -> str:
    """The script for the DBA, for psql. database: the name of the platform's database."""
    facts = {"database": database, "profile": profile.name, "digest": profile.digest, "platform": platform}
    footer = FOOTER.format(reader=READER, broker=BROKER, **facts)
    return f"{HEADER.format(**facts)}\nBEGIN;\n{body(profile, database=database)}COMMIT;\n{footer}"


def body(profile: Profile, *, database: str) -> str:
    """The part without secrets: roles, rights, views and doors. Plain SQL, to be run inside one transaction."""
    return "\n".join(_parts(profile, database))


def install(
    connection: psycopg.Connection,
    profile: Profile,
    *,
    reader_password: str | None = None,
    broker_password: str | None = None,
    door_key: bytes | None = None,
) -> None:
    """The same set-up over a DBA's connection, in one transaction; what is None stays as it is.

    Passwords travel as SCRAM verifiers made here, the key (32 bytes) as a parameter.
    """
    with connection.transaction():
        connection.execute(body(profile, database=connection.info.dbname).encode())
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


def _parts(profile: Profile, database: str) -> Iterator[str]:
    caps = {kind: capability(kind, database) for kind in profile.outcomes}
    yield "SET LOCAL client_min_messages = warning;"
    yield GUARD.format(database=_literal(database))
    yield _role(READER, login=True)
    yield f"ALTER ROLE {READER} IN DATABASE {quoted(database)} SET default_transaction_read_only = on;"
    yield _role(BROKER, login=True)
    yield _role(DOOR_OWNER, makes_roles=True)
    yield f"GRANT pg_signal_backend, pg_read_all_stats TO {DOOR_OWNER};"
    for role in caps.values():
        yield _role(role)
        yield ADMINISTER.format(owner=DOOR_OWNER, name=_literal(role))
    everybody = (READER, BROKER, *caps.values())
    yield f"GRANT CONNECT ON DATABASE {quoted(database)} TO {_names(everybody)};"
    yield f"CREATE SCHEMA IF NOT EXISTS {CONSOLE_SCHEMA} AUTHORIZATION {DOOR_OWNER};"
    yield TAKE_BACK.format(roles=", ".join(_literal(role) for role in (READER, DOOR_OWNER, *caps.values())))
    yield from _rights(READER, of_reader(profile))
    for kind, role in caps.items():
        yield from _rights(role, of_capability(profile, kind))
    yield DOORS.read_text()
    yield _secret_prefix()
    for rule in profile.tables.values():
        if rule.secret:
            yield from _view(rule)
    yield from _doors()


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
    """The part of a hash that names scheme and cost and holds no salt; empty when the form is unknown."""
    patterns = ", ".join(_literal(family.prefix) for family in FAMILIES)
    return (
        f"CREATE OR REPLACE FUNCTION {CONSOLE_SCHEMA}.secret_prefix(secret text) RETURNS text\n"
        "LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $function$\n"
        "    SELECT coalesce((SELECT array_to_string(regexp_match(secret, form), '')\n"
        f"                       FROM unnest(ARRAY[{patterns}]) WITH ORDINALITY AS known(form, place)\n"
        "                      WHERE secret ~ form ORDER BY place LIMIT 1), '')\n"
        "$function$;"
    )


def _view(rule: TableRule) -> Iterator[str]:
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
    yield f"ALTER VIEW {view.quoted} OWNER TO {DOOR_OWNER};"
    yield f"GRANT USAGE ON SCHEMA {quoted(rule.table.schema)} TO {DOOR_OWNER};"
    yield f"GRANT SELECT ({_names((*rule.key, *sorted(rule.secret)))}) ON {source} TO {DOOR_OWNER};"
    yield f"GRANT SELECT ON {view.quoted} TO {READER};"


def _doors() -> Iterator[str]:
    yield OWN.format(owner=DOOR_OWNER)
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {CONSOLE_SCHEMA} FROM PUBLIC, {BROKER};"
    yield f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {CONSOLE_SCHEMA} FROM PUBLIC, {READER}, {BROKER};"
    yield f"GRANT USAGE ON SCHEMA {CONSOLE_SCHEMA} TO {READER}, {BROKER};"
    for role, functions in ((BROKER, FOR_BROKER), (READER, FOR_READER)):
        named = ", ".join(f"{CONSOLE_SCHEMA}.{function}" for function in functions)
        yield f"GRANT EXECUTE ON FUNCTION {named} TO {role};"


OWN = """\
DO $$
DECLARE
    made record;
BEGIN
    FOR made IN SELECT p.oid::regprocedure AS name FROM pg_proc p WHERE p.pronamespace = 'breakglass'::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO {owner}', made.name);
    END LOOP;
    FOR made IN SELECT c.oid::regclass AS name FROM pg_class c
                 WHERE c.relnamespace = 'breakglass'::regnamespace AND c.relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO {owner}', made.name);
    END LOOP;
END $$;
"""


def _names(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
