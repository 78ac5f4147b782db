"""`make run` without make: starts from nothing, says how to get in, restarts what dies, and ends all of it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from breakglass.practice import cast
from breakglass.practice.children import MOST_RESTARTS, Child, GaveUp, end_all
from breakglass.practice.cluster import Cluster
from breakglass.practice.home import CannotRun, Home
from breakglass.practice.place import data_place

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 120  # seconds, for two cores that have other work


def two_free_ports() -> int:
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


class SetUp:
    """A practice set-up of its own, as somebody starts it in a terminal."""

    def __init__(self, folder: Path):
        self.home, self.port = Home(folder), two_free_ports()
        self.output = folder.with_name("output")

    def start(self) -> "SetUp":
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                self.command("run"), env=self.environment, cwd=ROOT, stdout=output, stderr=output
            )
        deadline = time.monotonic() + PATIENCE
        while "Stop with Ctrl-C" not in self.output.read_text():
            assert self.process.poll() is None and time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.1)
        return self

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "breakglass.practice", *arguments]

    def say(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(self.command(*arguments), env=self.environment, cwd=ROOT, capture_output=True, text=True)

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"BREAKGLASS_HOME": str(self.home.folder), "PORT": str(self.port)}

    def page(self, path: str, port: int | None = None) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=30) as answer:
            return answer.read().decode()

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@pytest.fixture
def set_up(tmp_path):
    started = SetUp(tmp_path / "home")
    yield started
    if started.process.poll() is None:
        started.end()
    for name in ("console", "platform"):
        Cluster(started.home / name).remove()  # as root they may lie outside the test's folder


def worker_of(process: int) -> int | None:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    commands = {int(child): Path(f"/proc/{child}/cmdline").read_text() for child in listed}
    return next((child for child, command in commands.items() if "manage.py\0worker" in command), None)


def test_set_up_runs_is_used_restarts_resumes_and_ends(set_up, tmp_path):
    set_up.start()

    assert "Sign in" in set_up.page("/")
    assert "Sign in" in set_up.page("/sign-in", set_up.port + 1)
    assert re.fullmatch(r"\d{6}\n", set_up.say("code", "sam").stdout)
    assert set_up.say("status").stdout.startswith("runs")
    assert "runs already" in set_up.say("run").stderr
    second = SetUp(tmp_path / "second")
    second.port = set_up.port
    assert "Choose another one" in second.say("run").stderr

    worker = worker_of(set_up.process.pid)
    os.kill(worker, signal.SIGKILL)
    while worker_of(set_up.process.pid) in (None, worker):
        time.sleep(0.1)

    people = (set_up.home / cast.FILE).read_text()
    assert set_up.end(signal.SIGINT) == 0
    assert set_up.say("status").stdout == "does not run\n"
    assert not list(data_place(set_up.home / "console").glob("data/postmaster.pid"))

    set_up.start()
    assert (set_up.home / cast.FILE).read_text() == people
    assert set_up.say("stop").returncode == 0
    assert set_up.process.wait(PATIENCE) == 0


def test_secrets_are_readable_by_their_owner_alone(tmp_path):
    home = Home(tmp_path / "home")
    home.make()

    home.secrets()
    cast.ensure(home)

    assert {(home / name).stat().st_mode & 0o777 for name in ("secrets.json", "people.json")} == {0o600}


def test_secrets_are_made_once(tmp_path):
    home = Home(tmp_path / "home")
    home.make()

    assert home.secrets() == home.secrets()


def test_only_one_set_up_runs_in_a_folder(tmp_path):
    home = Home(tmp_path / "home")
    home.make()

    with home.running(), pytest.raises(CannotRun, match=f"process {os.getpid()}"), home.running():
        pass


def test_every_duty_has_its_people(tmp_path):
    home = Home(tmp_path / "home")
    home.make()

    duties = [member.duty for member in cast.ensure(home)]

    assert duties == ["ops", "ops", "security", "security", "engineering", "compliance"]


def test_child_that_dies_is_started_again_until_it_is_hopeless(tmp_path):
    child = Child("worker", [sys.executable, "-c", "print('oh')"], dict(os.environ), tmp_path / "log", tmp_path)
    child.start()

    with pytest.raises(GaveUp, match="worker ended"):
        while True:
            child.process.wait()
            child.keep_alive()

    assert (tmp_path / "log").read_text() == "oh\n" * (MOST_RESTARTS + 1)


def test_child_that_does_not_listen_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("breakglass.practice.children.PATIENCE", 0.5)
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    child = Child("worker", [sys.executable, "-c", deaf], dict(os.environ), tmp_path / "log", tmp_path)
    child.start()
    while "deaf" not in (tmp_path / "log").read_text():
        time.sleep(0.05)

    end_all([child])

    assert child.process.returncode == -signal.SIGKILL


def test_code_for_nobody_names_the_people(tmp_path):
    home = Home(tmp_path / "home")
    home.make()
    cast.ensure(home)

    said = SetUp(home.folder).say("code", "mallory").stderr

    assert "make code WHO=olivia" in said
    assert "simone" in said


@pytest.mark.parametrize("port", ["80", "http", "65535"])
def test_port_that_cannot_be_is_refused_in_a_sentence(tmp_path, port):
    set_up = SetUp(tmp_path / "home")
    set_up.port = port

    assert "PORT must be a number" in set_up.say("run").stderr


def test_people_file_holds_what_signs_in(tmp_path):
    home = Home(tmp_path / "home")
    home.make()

    member = cast.ensure(home)[0]

    assert set(json.loads((home / cast.FILE).read_text())[0]) == {"username", "name", "duty", "password", "seed"}
    assert member.address.startswith("otpauth://totp/Breakglass:olivia?secret=")
