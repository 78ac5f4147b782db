"""Verifies an evidence bundle with the same single file that a stranger uses. Needs neither database nor settings' secrets."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from audit import verify


class Command(BaseCommand):
    help = "Verify an evidence bundle (zip or unpacked folder)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("bundle", help=_("the zip, or the folder that it was unpacked into"))

    def handle(self, *args: Any, **options: Any) -> None:
        report = verify.check(options["bundle"])
        self.stdout.write(report.text())
        if report.exit_code == 1:
            raise CommandError(_("The bundle is not intact. Do not rely on it."), returncode=1)
        if report.exit_code == 2:
            raise CommandError(_("The bundle is intact, but not complete."), returncode=2)
