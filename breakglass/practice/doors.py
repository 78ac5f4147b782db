"""What Acme's database administrator does once for the console: roles, rights, views and doors, with the keeper's key."""

import psycopg

from recovery.doors import grants, mandates
from recovery.language import profiles
from recovery.language.rights import capability

PROFILE = "saas"


def install(dba: psycopg.Connection, *, master_key: bytes) -> None:
    """Run the profile's script over a superuser's connection. May be run again. master_key is the keeper's."""
    (identifier,) = dba.execute("SELECT system_identifier::text FROM pg_control_system()").fetchall()[0]
    place = {"system_identifier": identifier, "database_name": dba.info.dbname}
    grants.install(dba, profiles.load(PROFILE), door_key=mandates.door_key(master_key, **place))


def forget(dba: psycopg.Connection, dbname: str) -> None:
    """Drop the capability roles of a database that is gone: roles are cluster-wide and stay behind."""
    for kind in profiles.load(PROFILE).outcomes:
        dba.execute(f"DROP ROLE IF EXISTS {capability(kind, dbname)}")
