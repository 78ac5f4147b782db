"""The folder that one practice set-up lives in: its secrets, its files, and the lock that says it is running."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from breakglass.practice.console import ConsoleLogins
from breakglass.practice.platform import PlatformLogins, PlatformPasswords

DEFAULT = ".breakglass"


class CannotRun(Exception):
    """The set-up cannot go on; the message says why and what to do, in a sentence."""


@dataclass(frozen=True)
class Secrets:
    """Everything random about a set-up, made once."""

    secret_key: str
    keeper_key: str
    console: ConsoleLogins
    platform: PlatformLogins
    passwords: PlatformPasswords

    @classmethod
    def new(cls) -> "Secrets":
        token = secrets.token_urlsafe
        return cls(
            secret_key=token(48),
            keeper_key=secrets.token_hex(32),
            console=ConsoleLogins(owner=token(24), app=token(24), keeper=token(24)),
            platform=PlatformLogins(app=token(24), reader=token(24), broker=token(24)),
            passwords=PlatformPasswords(root=token(12), member=token(12)),
        )

    @classmethod
    def from_json(cls, text: str) -> "Secrets":
        told = json.loads(text)
        parts = {"console": ConsoleLogins, "platform": PlatformLogins, "passwords": PlatformPasswords}
        return cls(**told | {name: kind(**told[name]) for name, kind in parts.items()})


class Home:
    """Paths below BREAKGLASS_HOME. Files with secrets have mode 0600; the folder lets others pass, since as root the servers
    run under a user of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    @classmethod
    def from_environment(cls) -> "Home":
        return cls(Path(os.environ.get("BREAKGLASS_HOME") or DEFAULT))

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def make(self) -> None:
        """Raises CannotRun when the folder cannot be made or written."""
        try:
            self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
            (self / "logs").mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            reason = f"The folder {self.folder} cannot be written ({error.strerror})."
            raise CannotRun(f"{reason} Name another one: make run BREAKGLASS_HOME=/some/where") from error

    def secrets(self) -> Secrets:
        """The set-up's secrets, made at the first call."""
        file = self / "secrets.json"
        if not file.exists():
            write_secret(file, json.dumps(asdict(Secrets.new()), indent=2))
        return Secrets.from_json(file.read_text())

    @contextmanager
    def running(self) -> Iterator[TextIO]:
        """Hold the lock that only one set-up per folder can hold. Raises CannotRun."""
        with (self / "running").open("a+") as lock:
            if not _locked(lock):
                lock.seek(0)
                raise CannotRun(
                    f"This practice set-up runs already (process {lock.read().strip()}). Stop it with: make stop, "
                    "or start a second one: make run BREAKGLASS_HOME=.breakglass-2 PORT=8100"
                )
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield lock

    def runner(self) -> int | None:
        """The process that runs this set-up, None when nobody does."""
        with suppress(FileNotFoundError), (self / "running").open("r+") as lock:
            if not _locked(lock):
                return int(lock.read())
        return None


def _locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_secret(file: Path, text: str) -> None:
    """Write the whole file or nothing, readable by us alone from its first moment."""
    draft = file.with_name(f"{file.name}.draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.rename(file)
