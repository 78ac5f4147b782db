"""The console's database on a practice server: its three logins and one database that only they may enter."""

from dataclasses import dataclass

import psycopg
from psycopg import sql

from breakglass.practice import databases
from breakglass.practice.cluster import Cluster

OWNER, APP, KEEPER = "breakglass_owner", "breakglass_app", "breakglass_keeper"


@dataclass(frozen=True)
class ConsoleLogins:
    """Their passwords: the owner migrates, the app serves pages and jobs, the keeper makes mandates."""

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


def ensure(connection: psycopg.Connection, logins: ConsoleLogins, dbname: str) -> None:
    """Make the roles and the empty database, or give the roles these passwords again."""
    for name, password in ((OWNER, logins.owner), (APP, logins.app), (KEEPER, logins.keeper)):
        databases.ensure_login(connection, name, password)
    if not databases.exists(connection, dbname):
        databases.create(connection, dbname)
    _hand_over(connection, dbname)


def clone(connection: psycopg.Connection, template: str, dbname: str) -> None:
    """A copy of a console database, with the same owner and the same logins admitted."""
    databases.create(connection, dbname, template=template)
    _hand_over(connection, dbname)


def _hand_over(connection: psycopg.Connection, dbname: str) -> None:
    names = (sql.Identifier(dbname), sql.Identifier(OWNER))
    connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(*names))
    databases.admit(connection, dbname, APP, KEEPER)
