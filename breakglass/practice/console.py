"""The console's database on a practice server: its three logins and one database that only they may enter."""

from dataclasses import dataclass

import psycopg
from psycopg import sql

from breakglass.practice.cluster import Cluster

OWNER, APP, KEEPER = "breakglass_owner", "breakglass_app", "breakglass_keeper"


@dataclass(frozen=True)
class Logins:
    """The passwords of the three logins: the owner migrates, the app serves pages and jobs, the keeper makes mandates."""

    owner: str
    app: str
    keeper: str

    def urls(self, cluster: Cluster, dbname: str) -> dict[str, str]:
        """The environment variables that lead to the database."""
        return {
            "DATABASE_URL": cluster.url(APP, self.app, dbname),
            "DATABASE_OWNER_URL": cluster.url(OWNER, self.owner, dbname),
            "KEEPER_DATABASE_URL": cluster.url(KEEPER, self.keeper, dbname),
        }


def ensure_logins(connection: psycopg.Connection, logins: Logins) -> None:
    """Make the three roles, or give them these passwords again."""
    for name, password in ((OWNER, logins.owner), (APP, logins.app), (KEEPER, logins.keeper)):
        ensure_login(connection, name, password)


def ensure_login(connection: psycopg.Connection, name: str, password: str) -> None:
    """Make a role that may sign in and nothing else. The server gets a SCRAM verifier, never the password."""
    verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    exists = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone() is not None
    verb = sql.SQL("ALTER" if exists else "CREATE")
    rights = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT")
    connection.execute(
        sql.SQL("{} ROLE {} {} PASSWORD {}").format(verb, sql.Identifier(name), rights, sql.Literal(verifier))
    )


def ensure_database(connection: psycopg.Connection, dbname: str) -> None:
    """Make the database if there is none."""
    if connection.execute("SELECT FROM pg_database WHERE datname = %s", [dbname]).fetchone() is None:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(dbname)))
    open_to_logins(connection, dbname)


def clone(connection: psycopg.Connection, template: str, dbname: str) -> None:
    """Copy a database that nobody is connected to. A copy does not inherit who may enter it."""
    command = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}")
    connection.execute(command.format(sql.Identifier(dbname), sql.Identifier(template), sql.Identifier("file_copy")))
    open_to_logins(connection, dbname)


def open_to_logins(connection: psycopg.Connection, dbname: str) -> None:
    """The three logins may enter, nobody else; nobody makes temporary tables, which could shadow real ones."""
    for command in (
        "ALTER DATABASE {db} OWNER TO {owner}",
        "REVOKE ALL ON DATABASE {db} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {db} TO {app}, {keeper}",
    ):
        names = {"db": dbname, "owner": OWNER, "app": APP, "keeper": KEEPER}
        connection.execute(sql.SQL(command).format(**{key: sql.Identifier(name) for key, name in names.items()}))


def drop(connection: psycopg.Connection, dbname: str) -> None:
    """Drop a copy, ending whatever session is left in it."""
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(dbname)))
