"""The set-up that the journeys run against: the real processes of `make run`, in a folder and on ports of their own."""

import base64
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

from breakglass.practice import cast, platform
from breakglass.practice.children import Child
from breakglass.practice.cluster import Cluster
from breakglass.practice.codes import STEP, code_at
from breakglass.practice.home import Home
from breakglass.practice.preparation import ROOT, Practice

PATIENCE = 120  # seconds, for two cores that have other work
MORE_PHONES = 4
# Each step of 30 seconds counts once. -1 is left out: on its way to the server it may become -2.
STEPS = (0, 1)
ENROL = """
import base64, json, sys
from datetime import timedelta
from audit import clock
from breakglass.people import factors
from breakglass.people.models import Account
for username, seeds in json.loads({told!r}).items():
    for number, seed in enumerate(seeds):
        account = Account.objects.get(username=username)
        phone, _address = factors.enrol(account, name=f"phone {{number + 2}}", seed=base64.b32decode(seed))
        factors.confirm(phone, factors.code_at(phone, clock.now() - timedelta(seconds=30)))
"""


class Phones:
    """The authenticators of the practice people. Each has several, so that no journey waits for the next 30 seconds."""

    def __init__(self, seeds: dict[str, list[str]]) -> None:
        self.seeds, self.spent = seeds, set()

    def code(self, username: str) -> str:
        """A code that nobody has used; it waits for one only if all phones are used up."""
        deadline = time.monotonic() + 2 * STEP
        while time.monotonic() < deadline:
            for seed in self.seeds[username]:
                for ahead in STEPS:
                    step = int(time.time()) // STEP + ahead
                    if (seed, step) not in self.spent:
                        self.spent.add((seed, step))
                        return code_at(seed, step * STEP)
            time.sleep(0.5)
        raise AssertionError(f"All phones of {username} are used up.")


class Site:
    """The console, Acme and its people. `states` keeps the cookies of who has signed in already."""

    def __init__(self, folder: Path) -> None:
        self.home, self.port = Home(folder), _two_free_ports()
        self.base, self.acme = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.port + 1}"
        self.states: dict[str, dict] = {}
        self._said = folder.with_suffix(".log")
        environment = _plain() | {"BREAKGLASS_HOME": str(self.home.folder), "PORT": str(self.port)}
        command = (sys.executable, "-m", "breakglass.practice", "run")
        self._runner = Child("practice set-up", command, environment, self._said, ROOT)

    def start(self) -> "Site":
        """Returns when the first page answers, everybody has their phones and all processes are there."""
        self._runner.start()
        deadline = time.monotonic() + PATIENCE
        while "Stop with Ctrl-C" not in self._said.read_text():
            assert self._runner.process.poll() is None and time.monotonic() < deadline, self._said.read_text()
            time.sleep(0.1)
        self.practice = Practice(self.home, self.port)
        self.members = {member.username: member for member in cast.read(self.home / cast.FILE)}
        self.phones = self._enrolled()
        return self

    def _enrolled(self) -> Phones:
        more = {name: [_seed() for _ in range(MORE_PHONES)] for name in self.members}
        script = ENROL.format(told=json.dumps(more))
        command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", script]
        subprocess.run(command, check=True, cwd=ROOT, env=self.practice.environment())
        return Phones({name: [member.seed, *more[name]] for name, member in self.members.items()})

    def end(self) -> None:
        """Stops everything by its own process id, and removes the databases: as root they may lie outside our folder."""
        self._runner.ask_to_end()
        self._runner.end(time.monotonic() + PATIENCE)
        for name in ("console", "platform"):
            Cluster(self.home / name).remove()

    def lock_out(self) -> None:
        """Nobody can administer Acme any more."""
        with self.practice.platform.connect(platform.DBNAME) as dba:
            platform.lock_out(dba, self.practice.secrets.passwords)

    @property
    def root_password(self) -> str:
        """The password of root@acme.example, which lies in a safe: C gives the account back with it."""
        return self.practice.secrets.passwords.root


def _plain() -> dict[str, str]:
    """Our environment as a terminal has it: without what the other tests' console is told."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BREAKGLASS_")}


def _seed() -> str:
    return base64.b32encode(secrets.token_bytes(20)).decode()


def _two_free_ports() -> int:
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
