"""`make platform`: what a person asks about a platform of his own before any console runs."""

import os
import pty
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from breakglass.practice.home import Home
from breakglass.practice.preparation import Practice
from recovery.doors.mandates import door_key
from tests.acme import Acme
from tests.test_house import ROOT

COMMAND = [sys.executable, "-m", "breakglass.practice", "manage", "platform"]


@pytest.fixture
def home(platform: Acme, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """An empty folder for a practice set-up that never ran, and a platform file of one's own."""
    monkeypatch.setenv("BREAKGLASS_PLATFORMS", str(platform.file))
    with tempfile.TemporaryDirectory(prefix="bg") as folder:
        monkeypatch.setenv("BREAKGLASS_HOME", folder)
        yield Home(Path(folder))


def told_on_a_terminal(*arguments: str) -> str:
    terminal, side = pty.openpty()
    done = subprocess.run([*COMMAND, *arguments], cwd=ROOT, stdout=side, stderr=subprocess.STDOUT, check=False)
    os.close(side)
    told = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert done.returncode == 0, told
    return told


def test_profile_is_shown_without_anything_running(home):
    assert "set the password and clear the failed sign-ins" in told_on_a_terminal("show", "acme")


def test_key_that_a_drill_needs_is_shown_on_a_terminal(home, platform):
    told = told_on_a_terminal("key", "acme")

    row = platform.rows(
        "SELECT system_identifier::text AS system, current_database() AS name FROM pg_control_system()"
    )[0]
    place = {"system_identifier": row["system"], "database_name": row["name"]}
    wanted = door_key(bytes.fromhex(home.secrets().keeper_key), **place).hex()
    assert re.search(r"\b[0-9a-f]{64}\b", told)[0] == wanted


def test_key_goes_into_no_pipe(home):
    done = subprocess.run([*COMMAND, "key", "acme"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert "on a terminal only" in done.stderr


def test_web_processes_never_see_the_keepers_key(home):
    home.make()

    environment = Practice(home, 8000).environment()

    assert "KEEPER_KEY" not in environment
    assert home.secrets().keeper_key not in environment.values()
