"""Where one software lives on this machine: its folder, its database server, its process. It ends what it started by its own ids."""

import os
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psycopg
import requests
from psycopg.conninfo import conninfo_to_dict

from breakglass.practice import databases
from breakglass.practice.children import PATIENCE, Child
from breakglass.practice.cluster import Cluster
from tests.platforms import snapshot
from tests.platforms.words import Broken, NotAccepted

DEFAULT_WORK = Path("~/.cache/breakglass-platforms")
FIRST_ANSWER = 300.0  # seconds that a software may take to its first page
ANSWER = 60.0  # seconds for one page


def work() -> Path:
    """The folder that everything is installed in: PLATFORMS_WORK, or one in the user's cache."""
    folder = Path(os.environ.get("PLATFORMS_WORK") or DEFAULT_WORK).expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o711)  # the database server of root runs under another user
    return folder


def free_port() -> int:
    """A port that nobody uses now, and the next one neither: a practice console needs two in a row."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            with suppress(OSError, OverflowError):
                second.bind(("127.0.0.1", port + 1))
                return port


def session() -> requests.Session:
    """A browser's session without the proxies of the environment: everything here is near."""
    opened = requests.Session()
    opened.trust_env = False
    return opened


def wanted(answer: requests.Response, status: int) -> requests.Response:
    """The answer, if it is the one that is wanted. Raises NotAccepted."""
    if answer.status_code != status:
        told = answer.text[:150].replace("\n", " ")
        raise NotAccepted(f"{answer.request.method} {answer.request.path_url} answers {answer.status_code}: {told}")
    return answer


class Place:
    """The folder, the server and the process of one software. The database has the software's name, and so has its login."""

    def __init__(self, name: str, binaries: Path | None = None) -> None:
        self.name = name
        self.folder = work() / name
        self.folder.mkdir(exist_ok=True, mode=0o711)
        self.cluster = Cluster(self.folder / "cluster", durable=False, binaries=binaries)
        self.port = free_port()
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_folder(self) -> str:
        """What a driver takes as the host."""
        return conninfo_to_dict(self.cluster.superuser_url())["host"]

    @property
    def password(self) -> str:
        """Of the software's own database login, which is no superuser."""
        return f"{self.name}-login"

    def connect(self) -> psycopg.Connection:
        """A superuser's connection to the software's database."""
        return self.cluster.connect(self.name)

    def make_database(self) -> None:
        """An empty database that belongs to the software's login."""
        with self.cluster.connect() as dba:
            databases.ensure_login(dba, self.name, self.password)
            databases.drop(dba, self.name)
            databases.create(dba, self.name)
            dba.execute(f'ALTER DATABASE "{self.name}" OWNER TO "{self.name}"')

    def is_prepared(self) -> bool:
        with self.cluster.connect() as dba:
            return snapshot.is_there(dba, self.name)

    def save(self) -> None:
        """Keep the database as it is now; the software must be stopped."""
        with self.cluster.connect() as dba:
            snapshot.save(dba, self.name)

    def restore(self) -> None:
        """Every row and sequence of the software's tables as they were saved. The software may run meanwhile."""
        snapshot.restore(self.cluster, self.name)

    def run(self, command: Sequence[str], environment: Mapping[str, str], ready: str) -> None:
        """Start the software's process and wait until the page `ready` answers. Raises Broken."""
        log = self.folder / "server.log"
        self._child = Child(self.name, [str(part) for part in command], dict(environment), log, self.folder)
        self._child.start()
        deadline = time.monotonic() + FIRST_ANSWER
        while not self._answers(ready):
            if self._child.process.poll() is not None or time.monotonic() > deadline:
                self.end()
                raise Broken(f"{self.name} does not answer on {ready}; its last words are in {log}")
            time.sleep(0.5)

    def end(self) -> None:
        if self._child is not None:
            self._child.ask_to_end()
            self._child.end(time.monotonic() + PATIENCE)
            self._child = None

    def _answers(self, path: str) -> bool:
        try:
            with session() as browser:
                return browser.get(self.url + path, timeout=5).status_code < 500
        except requests.RequestException:
            return False
