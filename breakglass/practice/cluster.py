"""A PostgreSQL 18 server of our own for practice and tests, on a private socket. Never meant for real incidents."""

import contextlib
import fcntl
import os
import secrets
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg

from breakglass.practice import place

SUPERUSER = "postgres"
PORT = 5432  # part of the socket's name only: the server does not listen on TCP
ATTEMPTS = 5
BUILTIN_LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # the one question that a server answers to strangers without logging it


class ServerFailed(RuntimeError):
    """The server did not do what it was told; the message carries its own last words."""


class Cluster:
    """One server below `root`: SCRAM for everybody, a random superuser password in a 0600 file, a socket in a 0700 folder.

    `durable=False` turns fsync off, for tests that throw the cluster away. `binaries`: the bin folder of another PostgreSQL.
    """

    def __init__(self, root: Path, *, durable: bool = True, binaries: Path | None = None) -> None:
        self.root = Path(root).resolve()
        self.durable = durable
        self._binaries = binaries

    def start(self) -> "Cluster":
        """Make the cluster if there is none, start it if it does not run. Safe to call from several processes."""
        with self._locked():
            if not (self._data / "PG_VERSION").exists():
                self._make()
            if not self.running():
                self._forget_stale_pid()
                self._configure()
                self._launch()
        return self

    def stop(self) -> None:
        """Stop the server, ending sessions. Nothing happens when it does not run."""
        with self._locked():
            if self.running():
                self._run("pg_ctl", "-D", self._data, "-m", "fast", "-w", "-t", "60", "stop")

    def remove(self) -> None:
        """Stop the server and delete all that belongs to it."""
        self.stop()
        for folder in (self._socket, self._place, self.root):
            shutil.rmtree(folder, ignore_errors=True)

    def running(self) -> bool:
        """Whether a server answers on our socket; a noted process id may be stale or somebody else's by now."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(10)
            try:
                probe.connect(str(self._socket / f".s.PGSQL.{PORT}"))
                probe.sendall(SSL_REQUEST)
                return probe.recv(1) != b""
            except TimeoutError:
                return True  # it listens, but is too busy to answer
            except OSError:
                return False

    def url(self, user: str, password: str, dbname: str) -> str:
        """A connection URL over the private socket, as libpq and Django read it."""
        parts = (quote(part, safe="") for part in (user, password, str(self._socket)))
        return "postgresql://{}:{}@{}:{}/{}".format(*parts, PORT, quote(dbname, safe=""))

    def superuser_url(self, dbname: str = "postgres") -> str:
        return self.url(SUPERUSER, (self.root / "password").read_text(), dbname)

    def connect(self, dbname: str = "postgres") -> psycopg.Connection:
        """A superuser's connection in autocommit mode."""
        return psycopg.connect(self.superuser_url(dbname), autocommit=True)

    @property
    def log_file(self) -> Path:
        return self._place / "log"

    @property
    def _place(self) -> Path:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o711)
        return place.data_place(self.root)

    @property
    def _data(self) -> Path:
        return self._place / "data"

    @property
    def _socket(self) -> Path:
        return place.socket_folder(self._place)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o711)  # a user of its own passes through as root's server
        with (self.root / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make(self) -> None:
        password_file = self.root / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_urlsafe(32))
        if self._data.exists():  # an initdb that was killed half way
            shutil.rmtree(self._data)
        with self._readable_by_server(password_file) as copy:
            self._run(
                *("initdb", "-D", self._data, "-U", SUPERUSER, "--pwfile", copy, "--auth=scram-sha-256"),
                *("--encoding=UTF8", "--locale=C"),
                *(BUILTIN_LOCALE if self._binaries is None else ()),  # which only 17 and newer have
                *(() if self.durable else ("--no-sync",)),
            )
        with (self._data / "postgresql.conf").open("a") as conf:
            conf.write("include 'breakglass.conf'\n")

    @contextlib.contextmanager
    def _readable_by_server(self, secret: Path) -> Iterator[Path]:
        copy = self._place / "initial-password"
        copy.touch(mode=0o600)
        copy.write_text(secret.read_text())
        self._give(copy)
        try:
            yield copy
        finally:
            copy.unlink()

    def _give(self, path: Path) -> None:
        if user := place.os_user():
            os.chown(path, user.pw_uid, user.pw_gid)

    def _configure(self) -> None:
        folder = str(self._socket).replace("'", "''")
        settings = {
            "listen_addresses": "''",
            "port": str(PORT),
            "unix_socket_directories": f"'{folder}'",
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_checkpoints": "off",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        conf = self._data / "breakglass.conf"
        conf.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        self._give(conf)

    def _forget_stale_pid(self) -> None:
        """After a kill -9 and a reboot the noted process id may belong to somebody else, which PostgreSQL takes for itself."""
        note = self._data / "postmaster.pid"
        if not note.exists():
            return
        process = Path("/proc") / note.read_text().split("\n", 1)[0].strip() / "comm"
        if process.exists() and process.read_text().strip() != "postgres":
            note.unlink()

    def _launch(self) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._run("pg_ctl", "-D", self._data, "-w", "-t", "60", "-l", self.log_file, "-s", "start")
                return
            except ServerFailed:
                # After a kill -9 the old server's children hold its shared memory for a moment longer.
                if attempt == ATTEMPTS:
                    raise
                time.sleep(1)

    def _run(self, program: str, *arguments: object) -> None:
        command = [str((self._binaries or place.binaries()) / program), *map(str, arguments)]
        words = self.root / "last-words"
        # A file, not a pipe: the server inherits it, and would hold a pipe open for as long as it lives.
        with words.open("w") as output:
            done = subprocess.run(
                command, check=False, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **place.run_as()
            )
        if done.returncode:
            raise ServerFailed(f"{program} failed: {self._last_words(words)}")

    def _last_words(self, words: Path) -> str:
        told = [file.read_text(errors="replace")[-2000:] for file in (words, self.log_file) if file.exists()]
        return "\n".join(told)
