"""Plays a whole recovery on a sandbox platform, through the pages of a running console, and verifies the bundle of it."""

import time
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from audit import verify
from audit.refusals import Refused
from breakglass.people import factors
from breakglass.people.models import Account
from breakglass.practice import cast
from breakglass.practice.browser import Browser, PageSaysNo
from breakglass.practice.drill import WITH_PASSWORD, Cast, Colleague, Drill, DrillFailed, Scene, Story
from breakglass.practice.home import Home
from breakglass.practice.people import DANA, DANA_LOGIN
from recovery import platforms
from recovery.models import AccessMode, RunKind
from recovery.platforms import Platform

OUTCOMES = (RunKind.CREATE, RunKind.RESET, RunKind.ENABLE)
ROLES = ("olivia", "omar", "erin", "simone", "sam")
NEXT_CODE = 65  # seconds: two steps of an authenticator, and a little


class Command(BaseCommand):
    help = "Play a whole recovery on a sandbox platform. It really changes the platform."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--platform", default="acme", help=_("its name in the platform file"))
        parser.add_argument("--outcome", choices=[str(kind) for kind in OUTCOMES], default=str(RunKind.RESET))
        parser.add_argument("--login", default=DANA_LOGIN, help=_("the account to create, reset or enable"))
        parser.add_argument(
            "--password-file", type=Path, help=_("holds the new password, or for enable the one it has")
        )
        parser.add_argument(
            "--restart", default="", help=_("a command that restarts the platform, if its profile asks for it")
        )
        parser.add_argument("--base-url", default=settings.BASE_URL, help=_("where the console's pages are"))
        parser.add_argument("--bundle", type=Path, help=_("where the evidence bundle is written"))

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        try:
            platform = _sandbox(options["platform"])
            drill = Drill(
                _cast(options["base_url"]), _story(platform, options), base=options["base_url"], tell=self._tell
            )
            bundle = drill.play()
        except (Refused, PageSaysNo, DrillFailed, requests.RequestException) as error:
            raise CommandError(_("The drill did not end well. {why}").format(why=error)) from error
        self._tell(Scene(_("all of it"), timedelta(seconds=time.monotonic() - started), drill.reference))
        self._verify(bundle, options["bundle"] or Home.from_environment() / f"{drill.reference}.zip")

    def _tell(self, scene: Scene) -> None:
        self.stdout.write(f"{scene.took.total_seconds():7.1f} s  {scene.title:<42} {scene.told}")
        self.stdout.flush()

    def _verify(self, bundle: bytes, file: Path) -> None:
        file.write_bytes(bundle)
        report = verify.check(file)
        self.stdout.write(report.text())
        self.stdout.write(str(file))
        if report.exit_code:
            raise CommandError(_("The bundle does not hold."), returncode=report.exit_code)


def _sandbox(name: str) -> Platform:
    platform = platforms.get(name)
    if not platform.sandbox:
        raise DrillFailed(
            _(
                "A drill really changes the platform, and {name} is not marked with sandbox = true in the platform file. "
                "Nothing was done."
            ).format(name=name)
        )
    if platform.mode != AccessMode.DOORS:
        what = _("A drill plays without a database administrator, and {name} needs one by hand. Nothing was done.")
        raise DrillFailed(what.format(name=name))
    return platform


def _story(platform: Platform, options: dict[str, Any]) -> Story:
    outcome, login = RunKind(options["outcome"]), options["login"]
    beneficiary = DANA if login == DANA_LOGIN else f"Holder of {login}"
    password = _password(options["password_file"], outcome)
    given = {} if password is None else {"password": password}
    return Story(platform, outcome, login, beneficiary, restart=options["restart"], **given)


def _password(file: Path | None, outcome: RunKind) -> str | None:
    """What the file holds; without one a random password where one is set, and none where it stays as it is."""
    if file is None:
        return None if outcome in WITH_PASSWORD else ""
    return file.read_text().rstrip("\r\n")


def _cast(base: str) -> Cast:
    """Who plays, with the passwords of the practice set-up that BREAKGLASS_HOME names. Raises DrillFailed."""
    file = Home.from_environment() / cast.FILE
    if not file.exists():
        raise DrillFailed(
            _("There are no practice people in {folder}. Start a set-up with: make run").format(folder=file.parent)
        )
    members = {member.username: member for member in cast.read(file)}
    players = [Colleague(name, members[name].password, _codes(name), Browser(base)) for name in ROLES]
    return Cast(*players)


def _codes(username: str) -> Any:
    """Fresh codes of one person: as the app shows them, waiting for the next one when the present ones are spent."""

    def code() -> str:
        account = Account.objects.get(username=username)
        for _second in range(NEXT_CODE):
            if found := factors.unspent_code(account):
                return found
            time.sleep(1)
        raise DrillFailed(f"{username}'s authenticator shows no new code.")

    return code
