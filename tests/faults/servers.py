"""Servers that may crash: a console and a platform of their own, durable, whose superuser ends them as power cuts do."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from django.db import connections

from breakglass.practice.cluster import PORT, Cluster
from breakglass.practice.platform import build, ensure_logins
from tests import acme, postgres

PAUSE = 0.02


class Fragile(Cluster):
    """A durable server that can be crashed, copied and promoted."""

    def crash(self) -> None:
        """As a power cut: nothing is written any more, sessions end in the middle."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "-t", "60", "stop")

    def kill(self) -> None:
        """kill -9 of the server's first process; its children notice and go."""
        os.kill(self._process(), signal.SIGKILL)
        while self._children_live():
            time.sleep(PAUSE)

    def copy(self, root: Path) -> "Fragile":
        """The same physical database once more, with the same system identifier. This server is stopped meanwhile."""
        self.stop()
        other = Fragile(root, binaries=self._binaries)
        other.root.mkdir(mode=0o711, parents=True)
        shutil.copy(self.root / "password", other.root / "password")
        subprocess.run(["cp", "-a", self._data, other._data], check=True)  # keeps owners and modes
        self.start()
        return other

    def follow(self, primary: Cluster) -> "Fragile":
        """Become a standby of the server that this one is a copy of."""
        (self._data / "standby.signal").touch()
        self._give(self._data / "standby.signal")
        self.configure(primary_conninfo=primary.superuser_url("replication").replace("'", "''"))
        return self

    def promote(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-w", "-t", "60", "promote")

    def configure(self, **settings: str) -> None:
        """Write settings that outlive a restart; a running server reads them with `reload`."""
        with (self._data / "postgresql.auto.conf").open("a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def reload(self) -> None:
        self._run("pg_ctl", "-D", self._data, "reload")

    def _process(self) -> int:
        return int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])

    def _children_live(self) -> bool:
        """Whether a process still works in the data folder; the shared memory is free only when none does."""
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (process / "cwd").resolve() == self._data and (process / "stat").read_text().split(") ")[1][
                    0
                ] != "Z":
                    return True
        return False


def console_like(source: Cluster, root: Path) -> Fragile:
    """A console server with the same logins and template as the shared one."""
    made = Fragile(root)
    made.root.mkdir(mode=0o711, parents=True)
    shutil.copy(source.root / "password", made.root / "password")
    made._run("pg_basebackup", "-D", made._data, "-d", source.superuser_url(), "--checkpoint=fast")
    made.start()
    return made


def platform_server(root: Path) -> Fragile:
    """A platform server with the locked-out template in it."""
    made = Fragile(root, binaries=postgres.binaries(postgres.chosen()))
    made.start()
    with made.connect() as connection:
        ensure_logins(connection, acme.LOGINS)
    build(made, acme.TEMPLATE, acme.PASSWORDS)
    return made


def point_at(cluster: Cluster, name: str) -> None:
    """Django's aliases lead to this database of this server from now on; their passwords are the same everywhere."""
    connections.close_all()
    place = {"HOST": str(cluster._socket), "PORT": PORT, "NAME": name}
    for alias in connections:
        connections.databases[alias] |= place


def foreign_work(cluster: Cluster, dbname: str, *, times: int = 6) -> None:
    """What other people do after a crash: the server gives out the transaction ids that come next."""
    with cluster.connect(dbname) as connection:
        for _number in range(times):
            connection.execute("INSERT INTO audit_log (actor, action) VALUES ('somebody', 'something')")
