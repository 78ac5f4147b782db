"""A practice console of its own for the real platforms: its platform file, its doors on each, and drills through its pages."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import requests

from breakglass.practice.cluster import Cluster
from breakglass.practice.home import Home
from breakglass.practice.preparation import ROOT
from recovery.doors import grants, mandates
from recovery.language import profiles
from recovery.language.rights import BROKER, READER
from tests.platforms.place import free_port, session, work
from tests.platforms.software import Software
from tests.platforms.words import Broken, Variant

FIRST_PAGE = 120.0  # seconds
PATIENCE = 60.0  # seconds to an orderly end
START_LOG = "console.log"
LAST_WORDS = 2000  # characters
DRILL = 900  # seconds: a drill waits for fresh one-time codes
PLATFORM = """\
[platform.{name}]
title = "{title}"
profile = "{profile}"
practice = true
sandbox = true
ticket_pattern = "OPS-[0-9]{{1,6}}"
ticket_example = "OPS-3311"
sign_in_url = "{url}"
reader_file = "{name}-reader"
broker_file = "{name}-broker"

"""


@dataclass(frozen=True)
class Drilled:
    """How a drill ended. told: everything that it printed."""

    is_recovered: bool
    seconds: float
    told: str


class Console:
    """One practice set-up for one software, thrown away at the end."""

    def __init__(self, software: Software) -> None:
        self.software = software
        self.folder = work() / f"console-{software.name}"
        self.port = free_port()
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        """A fresh set-up, and its keeper's key in the doors of the software's database. Raises Broken."""
        self._clear()
        self.folder.mkdir(mode=0o711)
        self._write_platforms()
        with (self.folder / START_LOG).open("w") as log:
            command = [sys.executable, "-m", "breakglass.practice", "run"]
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._wait()
        self._install_doors()

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        self._clear()

    def drill(self, variant: Variant, password: str) -> Drilled:
        """Play the recovery of this variant through the console's pages."""
        started = time.monotonic()
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(password)
            file.flush()
            asked = ["--platform", self.software.name, "--outcome", variant.outcome, "--login", variant.login]
            done = self._on_console("drill", *asked, "--password-file", file.name)
        seconds = time.monotonic() - started
        told = done.stdout if done.returncode == 0 else f"{done.stdout}\n{self._last_words(self._logs)}"
        return Drilled(done.returncode == 0, seconds, told)

    def check(self) -> str:
        """What is missing for the platform, empty when nothing is."""
        done = self._on_console("manage", "platform", "check", self.software.name)
        return done.stdout if done.returncode else ""

    @property
    def reader(self) -> str:
        """The connection of the console's reader."""
        return self.software.place.cluster.url(READER, self.passwords[READER], self.software.name)

    def _on_console(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "breakglass.practice", *arguments],
            check=False,
            cwd=ROOT,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DRILL,
        )

    def _environment(self) -> dict[str, str]:
        ours = {"BREAKGLASS_HOME": self._home.folder, "BREAKGLASS_PLATFORMS": self._file, "PORT": self.port}
        return dict(os.environ) | {name: str(value) for name, value in ours.items()}

    @property
    def _home(self) -> Home:
        return Home(self.folder / "home")

    @property
    def _file(self) -> Path:
        return self.folder / "platforms.toml"

    def _write_platforms(self) -> None:
        named, cluster = self.software, self.software.place.cluster
        self._file.write_text(
            PLATFORM.format(name=named.name, title=named.title, profile=named.profile, url=named.place.url)
        )
        self.passwords = {role: secrets.token_urlsafe(24) for role in (READER, BROKER)}
        for login, role in (("reader", READER), ("broker", BROKER)):
            file = self.folder / f"{named.name}-{login}"
            file.touch(mode=0o600)
            file.write_text(cluster.url(role, self.passwords[role], named.name))

    def _install_doors(self) -> None:
        master = bytes.fromhex(self._home.secrets().keeper_key)
        with self.software.place.connect() as dba:
            (identifier,) = dba.execute("SELECT system_identifier::text FROM pg_control_system()").fetchone()
            place = {"system_identifier": identifier, "database_name": self.software.name}
            grants.install(
                dba,
                profiles.load(self.software.profile),
                reader_password=self.passwords[READER],
                broker_password=self.passwords[BROKER],
                door_key=mandates.door_key(master, **place),
            )

    def _wait(self) -> None:
        deadline = time.monotonic() + FIRST_PAGE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Broken(
                    f"The console of {self.software.name} does not start: {self._last_words([self.folder / START_LOG, *self._logs])}"
                )
            time.sleep(0.5)

    @property
    def _logs(self) -> list[Path]:
        """Of the console's processes. What it says at its start is not among them: there stand the passwords of its people."""
        return sorted((self._home / "logs").glob("*.log"))

    @staticmethod
    def _last_words(logs: list[Path]) -> str:
        """The ends of logs that are thrown away with the console."""
        ends = {log.name: log.read_text(errors="replace")[-LAST_WORDS:].strip() for log in logs if log.exists()}
        return "\n".join(f"{name}: {end}" for name, end in ends.items() if end)

    def _answers(self) -> bool:
        try:
            with session() as browser:
                return browser.get(f"http://127.0.0.1:{self.port}/healthz", timeout=5).ok
        except requests.RequestException:
            return False

    def _clear(self) -> None:
        """Whatever an earlier set-up left here."""
        for name in ("console", "platform"):
            if (self._home / name).exists():
                Cluster(self._home / name).remove()
        shutil.rmtree(self.folder, ignore_errors=True)
