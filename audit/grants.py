"""What the console's logins may do in schema audit. Reading and calling functions only, never writing to a table."""

from psycopg.sql import SQL, Identifier, Literal

READING = SQL("""
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {name}) THEN
    GRANT USAGE ON SCHEMA audit TO {role};
    GRANT SELECT ON audit.entry, audit.blob, audit.blob_chunk TO {role};
    GRANT EXECUTE ON FUNCTION audit.now(), audit.lock(text), audit.append(text) TO {role};
  END IF;
END $$;
""")

KEEPING = SQL("""
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {name}) THEN
    GRANT EXECUTE ON FUNCTION audit.keep(bytea, text, text) TO {role};
  END IF;
END $$;
""")


def sql(*, app_role: str, keeper_role: str) -> str:
    """The grants as one script for the owner; a role that does not exist (yet) is left out. May be run again."""
    parts = ((READING, app_role), (KEEPING, app_role), (READING, keeper_role))
    return "".join(part.format(name=Literal(role), role=Identifier(role)).as_string(None) for part, role in parts)
