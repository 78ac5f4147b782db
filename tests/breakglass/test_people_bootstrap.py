"""The first people: by humans at a terminal, once. Played through a real pseudo-terminal."""

import base64
import io
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from audit import clock
from audit.models import Entry
from breakglass.people import factors, founders, totp
from breakglass.people.founders import Founder
from breakglass.people.models import Account, Duty, Person
from breakglass.people.refusals import PersonsExist, SecurityPairNeeded
from tests import cast

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "a quiet harbour at dawn"


class Terminal:
    """A command at a pseudo-terminal: waits for a question, types an answer. A question that never comes ends the test."""

    def __init__(self, *command: str, env: dict[str, str]) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", *command], stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, env=env
        )
        os.close(slave)
        self.seen, self.read = b"", 0

    def answer(self, question: str, answer: str) -> None:
        self.until(question)
        os.write(self.master, answer.encode() + b"\n")

    def until(self, question: str) -> bytes:
        while (found := self.seen.find(question.encode(), self.read)) < 0:
            part = self._read()
            assert part, f"{question!r} was never asked: {self.seen.decode(errors='replace')}"
            self.seen += part
        said, self.read = self.seen[self.read : found], found + len(question.encode())
        return said

    def end(self) -> str:
        while part := self._read():
            self.seen += part
        os.close(self.master)
        self.process.wait()
        return self.seen.decode(errors="replace")

    def _read(self) -> bytes:
        try:
            return os.read(self.master, 4096)
        except OSError:  # Linux says EIO when the other end is closed
            return b""


@pytest.fixture
def env(console: str) -> Iterator[dict[str, str]]:
    """The environment that leads a process of its own to this test's console."""
    facts = connections["default"].settings_dict
    url = re.sub(r"/[^/?]+(\?|$)", rf"/{facts['NAME']}\1", os.environ["DATABASE_URL"])
    yield {**os.environ, "DATABASE_URL": url, "DATABASE_OWNER_URL": "", "PYTHONWARNINGS": "ignore", "TERM": "dumb"}


def founder(username: str, *names: str) -> Founder:
    return Founder(username, username.title(), f"{username}@example.org", names, PASSWORD, factors.new_seed())


def play(terminal: Terminal, name: str, duties: str) -> None:
    terminal.answer("Full name: ", name)
    terminal.answer("telephone): ", f"{name}@example.org")
    terminal.answer("Username: ", name)
    terminal.answer("or empty): ", duties)
    terminal.answer("not shown): ", "short")
    terminal.answer("again: ", "short")
    terminal.answer("not shown): ", PASSWORD)
    terminal.answer("again: ", PASSWORD)
    terminal.until("type this key into it: ")
    key = terminal.until("\r\n").decode()
    terminal.answer("shows now: ", "000000")
    seed = base64.b32decode(key + "=" * (-len(key) % 8))
    terminal.answer("shows now: ", totp.code(seed, totp.step_at(clock.now())))


def test_two_people_are_made_at_a_terminal(env):
    terminal = Terminal("bootstrap", env=env)
    play(terminal, "ada", "ops")
    play(terminal, "ben", "")
    said = terminal.end()

    assert terminal.process.returncode == 0, said
    assert PASSWORD not in said
    accounts = {account.username: account for account in Account.objects.all()}
    assert all(account.check_password(PASSWORD) and factors.live(account) for account in accounts.values())
    assert sorted((duty.person.name, duty.name) for duty in Duty.objects.all() if duty.is_live) == [
        ("ada", "ops"),
        ("ada", "security"),
        ("ben", "security"),
    ]
    assert not Person.objects.filter(practice=True).exists()
    assert Entry.objects.filter(by="bootstrap").count() == 2


def test_bootstrap_refuses_without_a_terminal(console, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))

    with pytest.raises(CommandError, match="made by humans at a terminal"):
        call_command("bootstrap")

    assert not Person.objects.exists()


@pytest.mark.parametrize("practice", [True, False])
def test_bootstrap_refuses_once_a_person_exists(env, practice):
    cast.person("olivia", ["ops"], practice=practice)

    terminal = Terminal("bootstrap", env=env)
    said = terminal.end()

    assert terminal.process.returncode == 1
    assert "There are people in this console already." in said


def test_founders_refuse_once_a_person_exists(console):
    cast.person("olivia")

    with pytest.raises(PersonsExist):
        founders.found([founder("ada", "security"), founder("ben", "security")])


def test_founders_are_at_least_two_of_security(console):
    with pytest.raises(SecurityPairNeeded):
        founders.found([founder("ada", "security"), founder("ben", "ops")])

    assert not Person.objects.exists()


def test_code_is_shown_for_practice_people_only(console, settings):
    settings.PRACTICE = True
    sam, pete = cast.person("sam"), cast.person("pete", practice=True)
    for account in (pete, sam):
        cast.authenticator_of(account)
    out = io.StringIO()

    call_command("code", "pete", stdout=out)
    with pytest.raises(CommandError, match="practice people"):
        call_command("code", "sam")
    settings.PRACTICE = False
    with pytest.raises(CommandError, match="practice people"):
        call_command("code", "pete")

    assert factors.verify(pete, out.getvalue().strip())
