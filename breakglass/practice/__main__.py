"""The practice set-up from the command line. Works before any setting exists.

python -m breakglass.practice run | stop | status | code NAME | drill ARGUMENTS... | manage ARGUMENTS...
"""

import os
import signal
import sys
import time

import segno

from breakglass.practice import cast, launch, platform
from breakglass.practice.children import GaveUp
from breakglass.practice.cluster import ServerFailed
from breakglass.practice.home import CannotRun, Home
from breakglass.practice.preparation import Practice, manage

PATIENCE = 30  # seconds
NOT_THERE = "There is no practice set-up in {}. Start one with: make run"


def main(arguments: list[str]) -> int:
    commands = {"run": run, "stop": stop, "status": status, "code": code, "drill": drill, "manage": on_console}
    if not arguments or arguments[0] not in commands:
        sys.exit(__doc__)
    try:
        return commands[arguments[0]](Home.from_environment(), arguments[1:])
    except (CannotRun, GaveUp, ServerFailed, PermissionError, FileNotFoundError) as error:
        sys.exit(str(error))


def run(home: Home, _arguments: list[str]) -> int:
    return launch.run(home, _port())


def stop(home: Home, _arguments: list[str]) -> int:
    """Ask the running set-up to end, and wait for it."""
    runner = home.runner()
    if runner is None:
        print("Nothing runs here.")
        return 0
    os.kill(runner, signal.SIGTERM)
    for _second in range(PATIENCE * 5):
        if home.runner() is None:
            return 0
        time.sleep(0.2)
    raise CannotRun(f"Process {runner} does not end. Look at {home / 'logs'}.")


def status(home: Home, _arguments: list[str]) -> int:
    """0 when it runs, 3 when not, as init scripts have it."""
    runner = home.runner()
    print(f"runs (process {runner})" if runner else "does not run")
    return 0 if runner else 3


def code(home: Home, arguments: list[str]) -> int:
    """The present one-time code of a practice person, and a QR code for an authenticator app."""
    if not (home / cast.FILE).exists():
        raise CannotRun(NOT_THERE.format(home.folder))
    members = {member.username: member for member in cast.read(home / cast.FILE)}
    who = arguments[0] if arguments else ""
    if who not in members:
        raise CannotRun(f"Say whose code: make code WHO=olivia. There are {', '.join(members)}.")
    member = members[who]
    if sys.stdout.isatty():
        segno.make(member.address).terminal(compact=True)
        print(f"{who}  {member.duty}  password {member.password}  code, for {cast.seconds_left()} seconds:")
    print(member.code)
    return 0


def drill(home: Home, arguments: list[str]) -> int:
    """Play a whole recovery on the set-up that runs, or on one that is started for it and stopped afterwards."""

    def play(practice: Practice) -> int:
        with practice.platform.connect(platform.DBNAME) as dba:
            is_elsewhere = any(argument.startswith("--platform") for argument in arguments)
            if not is_elsewhere and not platform.is_locked_out(dba):
                print("Somebody can sign in to Acme: it is locked out again for this drill.", flush=True)
                platform.lock_out(dba, practice.secrets.passwords)
        return manage(practice.environment(), "drill", *arguments)

    if home.runner() is None:
        return launch.run(home, _port(), errand=play)
    return play(_running(home))


def on_console(home: Home, arguments: list[str]) -> int:
    """Run a manage.py command as the web processes would."""
    if arguments[:1] == ["platform"]:
        return _on_platform(home, arguments)
    return manage(_running(home).environment(), *arguments)


def _on_platform(home: Home, arguments: list[str]) -> int:
    """`platform` asks a platform and no console, so nothing has to run. Only `platform key` sees the keeper's key."""
    home.make()
    practice = Practice(home, _port())
    wants_key = arguments[1:2] == ["key"]
    return manage(practice.keeper_environment() if wants_key else practice.environment(), *arguments)


def _running(home: Home) -> Practice:
    if home.runner() is None:
        raise CannotRun("The practice set-up does not run. Start it with: make run")
    return Practice(home, int((home / launch.PORT_FILE).read_text()))


def _port() -> int:
    given = os.environ.get("PORT") or "8000"
    if not given.isdigit() or not 1024 <= int(given) <= 65534:
        raise CannotRun(f"PORT must be a number from 1024 to 65534, not {given!r}.")
    return int(given)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
