"""A made-up platform for tests: any schema, any profile, its DBA's set-up done, a stage to run on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_django.fixtures import Settings

from breakglass.practice import databases, platform_file
from breakglass.practice.cluster import Cluster
from breakglass.practice.platform import BROKER, READER
from tests import acme
from tests.recovery.doors import furnish
from tests.recovery.stage import Stage

RUN = Path(os.environ["BREAKGLASS_TEST_RUN"])


@contextmanager
def database(server: Cluster, name: str, *, sql: str) -> Iterator[str]:
    """A database of this name with these tables, dropped afterwards; its real name."""
    dbname = f"{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with acme.alone(RUN):
        with server.connect() as connection:
            databases.create(connection, dbname)
            databases.admit(connection, dbname, READER, BROKER)
        with server.connect(dbname) as connection, connection.transaction():
            connection.execute(sql.encode())
    try:
        yield dbname
    finally:
        acme.forget(RUN, server, dbname)


def write_platform(
    folder: Path, server: Cluster, dbname: str, settings: Settings, *, profile: str, extra: str = ""
) -> acme.Acme:
    """The platform file for this database, with the profile's text beside it; extra stands in the platform's section."""
    log = folder / "log"
    file = platform_file.write(folder, server, dbname, acme.LOGINS, sign_in_url="http://127.0.0.1:1/", log=log)
    path = folder / "made-up.toml"
    path.write_text(profile)
    text = file.read_text().replace('profile = "saas"', f'profile = "{path}"\n{extra}')
    file.write_text(text)
    settings.PLATFORMS_FILE = file
    return acme.Acme(server, dbname, file)


def furnished(place: acme.Acme, console: str) -> Stage:
    with acme.alone(RUN):
        return Stage(furnish(place), console)
