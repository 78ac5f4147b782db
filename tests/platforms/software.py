"""One software to recover: what every one of them can do. A new one is a subclass; the runner knows nothing else of it."""

import os
import subprocess
import sys
import venv
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg

from tests import postgres
from tests.platforms.place import Place
from tests.platforms.words import Broken, SignIn, Variant

PASSWORD_OF_OWNER, PASSWORD_OF_MEMBER = "Owner-pass-1!x", "Alice-pass-1!x"


class Software(ABC):
    """Answers of the class: name (also of its database), title, package, requirements, profile, variants, own_writes."""

    name: str
    title: str
    package: str  # whose version is recorded
    requirements: tuple[str, ...]  # what pip installs
    program: str  # in the virtual environment; if it is there, nothing is installed again
    profile: str  # a shipped profile's name
    ready: str  # the path that answers once it runs
    owner: SignIn
    member: SignIn  # an ordinary user of a tenant
    variants: tuple[Variant, ...]
    other_owners: tuple[str, ...] = ()  # logins that are listed as owners as well, whatever the variant
    # What it writes by itself when somebody signs in: table -> columns; without columns: it adds rows there.
    own_writes: Mapping[str, frozenset[str]] = {}
    major = postgres.NEWEST  # of PostgreSQL; older ones come with the extensions that some software asks for
    caches = False  # it keeps accounts in memory and must be restarted when rows change behind its back

    def __init__(self) -> None:
        self.place = Place(self.name, postgres.binaries(self.major))

    @property
    def folder(self) -> Path:
        return self.place.folder

    @property
    def bin(self) -> Path:
        return self.folder / "venv" / "bin"

    def install(self) -> None:
        """Bring it from the package registry into the work folder, unless it is there. Raises Broken."""
        if not (self.bin / self.program).exists():
            venv.create(self.folder / "venv", with_pip=True)
            self.call([self.bin / "python", "-m", "pip", "install", "-q", *self.requirements], dict(os.environ))

    def version(self) -> str:
        asked = f"import importlib.metadata as m; print(m.version({self.package!r}))"
        done = subprocess.run([self.bin / "python", "-c", asked], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def start(self) -> None:
        """Server, database and process. The first time it also makes owner, member and tenant, and keeps that as pristine."""
        self.place.cluster.start()
        if not self.place.is_prepared():
            self.place.make_database()
            self.prepare()
            self.run()
            self.populate()
            self.place.end()
            self.place.save()
        self.run()

    def run(self) -> None:
        self.place.run(self.command(), self.environment(), self.ready)

    def restart(self) -> None:
        self.place.end()
        self.run()

    def stop(self) -> None:
        self.place.end()
        self.place.cluster.stop()

    def forget(self) -> None:
        """Throw its database away: the next start begins anew."""
        self.place.end()
        self.place.cluster.remove()

    def call(self, command: Sequence[object], environment: Mapping[str, str]) -> None:
        """One command to its end, its output in setup.log. Raises Broken."""
        log = self.folder / "setup.log"
        with log.open("a") as output:
            words = [str(part) for part in command]
            done = subprocess.run(words, check=False, cwd=self.folder, env=environment, stdout=output, stderr=output)
        if done.returncode:
            raise Broken(f"{self.name}: {words[0]} failed; its last words are in {log}")

    def environment(self) -> dict[str, str]:
        """Of the software's processes: nothing of ours but the path."""
        return {
            "PATH": f"{self.bin}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "PYTHONWARNINGS": "ignore",
        }

    @abstractmethod
    def prepare(self) -> None:
        """Configuration, schema and first owner, before it runs for the first time."""

    @abstractmethod
    def command(self) -> Sequence[object]:
        """What runs it in the foreground on self.place.port."""

    @abstractmethod
    def populate(self) -> None:
        """The tenant and the member, through its own API, while it runs."""

    @abstractmethod
    def lock_out(self, variant: str, dba: psycopg.Connection) -> None:
        """Make it so that nobody can administer it, over a superuser's connection to the pristine database."""

    @abstractmethod
    def check_login(self, who: SignIn) -> None:
        """Sign in by its own way and do what only an owner may. Raises NotAccepted."""

    @abstractmethod
    def check_member(self) -> None:
        """The member signs in and sees what is theirs. Raises NotAccepted."""

    @abstractmethod
    def create_user(self, owner: SignIn, login: str) -> None:
        """The owner adds an ordinary user through its own API. Raises NotAccepted."""


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
