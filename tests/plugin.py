"""One throw-away PostgreSQL for the whole test run, started before Django reads its settings; xdist workers inherit it."""

import fcntl
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from breakglass.practice import console
from breakglass.practice.cluster import Cluster

ROOT = Path(__file__).resolve().parent.parent
DISK, MEMORY = Path("/tmp"), Path("/dev/shm")
ENOUGH = 2**30  # bytes
PREFIX = "bg-test-"
TEMPLATE = "console_template"
NOWHERE = "no_console_fixture_used"  # what Django's aliases point at while a test has not asked for a console


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        _sweep()
        _start(_place() / f"{PREFIX}{os.getpid()}")


def pytest_unconfigure() -> None:
    for run in _runs():
        if run.name == f"{PREFIX}{os.getpid()}":
            _remove(run)


def _place() -> Path:
    """Where the servers' files go: a clone costs 0.03 s in memory, and up to a second on a busy disk. `make bench` wants a disk."""
    if "BREAKGLASS_TEST_ON_DISK" in os.environ:
        return DISK
    has_room = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH
    return MEMORY if has_room else DISK


def _runs() -> list[Path]:
    return [run for place in (DISK, MEMORY) for run in place.glob(f"{PREFIX}*")]


def _start(run: Path) -> None:
    run.mkdir(mode=0o711)
    cluster = Cluster(run / "console", durable=False).start()
    logins = console.ConsoleLogins(*(secrets.token_urlsafe(16) for _ in range(3)))
    with cluster.connect() as connection:
        console.ensure(connection, logins, TEMPLATE)
    os.environ |= _environment(run) | logins.urls(cluster, TEMPLATE)
    migrate = [sys.executable, "manage.py", "migrate", "--database", "owner", "--verbosity", "0", "--skip-checks"]
    subprocess.run(migrate, check=True, cwd=ROOT)
    os.environ |= logins.urls(cluster, NOWHERE)


def _environment(run: Path) -> dict[str, str]:
    return {
        "BREAKGLASS_TEST_RUN": str(run),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "KEEPER_KEY": secrets.token_hex(32),
        "BREAKGLASS_PLATFORMS": str(run / "platforms.toml"),
        "BREAKGLASS_PRACTICE": "true",
        "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
        "BASE_URL": "http://testserver",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",  # playwright's loop runs in the test's thread
    }


def _sweep() -> None:
    """Remove what runs that were killed left behind; the folder's name carries the process id of its run."""
    with (DISK / f"bg-test.{os.geteuid()}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for run in _own_runs():
            if not _lives(int(run.name.removeprefix(PREFIX))):
                _remove(run)


def _own_runs() -> Iterator[Path]:
    for run in _runs():
        with suppress(FileNotFoundError):  # another run, which ends at this moment
            if run.stat().st_uid == os.geteuid():
                yield run


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _remove(run: Path) -> None:
    for folder in [path for path in run.iterdir() if path.is_dir()]:
        Cluster(folder, durable=False).remove()
    for left in run.iterdir():
        left.unlink()
    run.rmdir()
