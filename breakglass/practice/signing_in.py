"""A drill's own look from outside: whether the platform lets the recovered person in, to what only an owner may do."""

import shlex
import subprocess
import time

from recovery.platforms import Platform
from recovery.sign_in import login_checks
from recovery.sign_in.login_checks import Result, Verdict

LOOKS_AFTER_RESTART = 30
PAUSE = 2  # seconds between them


class DrillFailed(Exception):
    """What should have held did not; the message says what."""


def look(platform: Platform, *, login: str, password: str, restart: str = "") -> str:
    """What shows that the account is in; "" where no sign-in is declared or no password is known.

    Args:
        restart: a command that restarts the platform. It runs once, if the platform says no and its profile has a `restart`.

    Raises:
        DrillFailed: the platform says no.
    """
    if not password or not login_checks.is_declared(platform):
        return ""
    result = login_checks.play(platform, login=login, password=password)
    if not result.is_recovered and restart and platform.profile.restart:
        subprocess.run(shlex.split(restart), check=True)
        result = _look_again(platform, login, password)
    if not result.is_recovered:
        raise DrillFailed(_told(platform, login, result))
    return f"{login} signed in and did what only an owner may."


def _look_again(platform: Platform, login: str, password: str) -> Result:
    """As soon as the platform answers again."""
    for _look in range(LOOKS_AFTER_RESTART):
        result = login_checks.play(platform, login=login, password=password)
        if result.verdict != Verdict.UNKNOWN:
            break
        time.sleep(PAUSE)
    return result


def _told(platform: Platform, login: str, result: Result) -> str:
    told = [f"{login} on {platform.name}: {result.sentence}"]
    if failed := result.failed:
        status = f" ({failed.status})" if failed.status else ""
        told.append(f"{failed.name}: {failed.sentence}{status}.")
    if platform.profile.restart:
        told.append(f"{platform.profile.restart} Then sign in yourself, or let the drill do it: --restart COMMAND.")
    return " ".join(told)
