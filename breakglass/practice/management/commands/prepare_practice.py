"""The part of the practice set-up that needs the console's own code: tables, rights, doors and people."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from breakglass.practice import cast, doors, people


class Command(BaseCommand):
    """May be run again. Environment: PRACTICE_DBA_URL (Acme's superuser) and PRACTICE_KEEPER_KEY, for this command alone."""

    help = "Prepares the practice set-up's databases. Called by `make run`."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("people", type=Path, help="the 0600 file with the practice people")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.PRACTICE:
            raise CommandError(
                "This console is not for practice. Nothing was changed. Use manage.py bootstrap instead."
            )
        call_command("migrate", database="owner", verbosity=0, interactive=False)
        with psycopg.connect(os.environ["PRACTICE_DBA_URL"], autocommit=True) as dba:
            doors.install(dba, master_key=bytes.fromhex(os.environ["PRACTICE_KEEPER_KEY"]))
        people.ensure(cast.read(options["people"]))
