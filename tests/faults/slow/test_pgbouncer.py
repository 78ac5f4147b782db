"""Directly, never through a pooler: PgBouncer itself between the console and a platform is found out and refused."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from breakglass.practice import place
from breakglass.practice.cluster import PORT
from breakglass.practice.platform import READER
from recovery import database, platforms, readiness
from recovery.platform_refusals import PoolerBetween
from tests import postgres
from tests.acme import LOGINS, Acme
from tests.recovery.doors import furnish

PAUSE = 0.02
SETTINGS = """\
[databases]
{dbname} = host={server} port={port} user={user} password={password}

[pgbouncer]
listen_port = {port}
unix_socket_dir = {folder}
auth_type = any
pool_mode = {mode}
ignore_startup_parameters = extra_float_digits{ignored}
"""


@contextmanager
def pooler(acme: Acme, mode: str, ignored: str) -> Iterator[str]:
    """A connection string that leads through a running PgBouncer."""
    (found,) = acme.rows("SHOW unix_socket_directories")
    with TemporaryDirectory(prefix="bg-pooler-") as name:
        folder = place.own_folder(Path(name, "socket"))
        Path(name).chmod(0o711)
        facts = {"dbname": acme.dbname, "server": found["unix_socket_directories"], "port": PORT, "folder": folder}
        login = {"user": READER, "password": LOGINS.reader, "mode": mode, "ignored": ignored}
        file = Path(name, "pgbouncer.ini")
        file.write_text(SETTINGS.format(**facts, **login))
        command = [postgres.pgbouncer(), "--quiet", file]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **place.run_as()
        ) as process:
            while not (folder / f".s.PGSQL.{PORT}").exists():
                assert process.poll() is None, "PgBouncer does not start"
                time.sleep(PAUSE)
            try:
                yield f"host={folder} port={PORT} dbname={acme.dbname} user={READER}"
            finally:
                process.terminate()


@pytest.mark.parametrize("mode", ["transaction", "session", "statement"])
@pytest.mark.parametrize("ignored", ["", ", options"], ids=["as it comes", "settings ignored"])
def test_pgbouncer_is_refused(platform: Acme, mode: str, ignored: str) -> None:
    with (
        pooler(platform, mode, ignored) as conninfo,
        pytest.raises(PoolerBetween, match="leads to a connection pooler"),
        database.connect(conninfo, purpose="read", reading=True),
    ):
        pass


def test_pgbouncer_lets_others_through(platform: Acme) -> None:
    with pooler(platform, "transaction", "") as conninfo, psycopg.connect(conninfo) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (READER,)


def test_platform_behind_pgbouncer_is_not_ready_and_says_why(platform: Acme) -> None:
    furnish(platform)

    with pooler(platform, "transaction", ", options") as conninfo:
        (platform.file.parent / "acme-reader").write_text(conninfo)
        found = readiness.look(platforms.get(platform.name))

    assert any("leads to a connection pooler" in sentence for sentence in found.missing)
