"""Shows a code that will be taken now, for practice people on a practice console only."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from breakglass.people import factors
from breakglass.people.models import Account
from breakglass.people.refusals import PracticeOnly


class Command(BaseCommand):
    help = "Show a practice person's one-time code. Codes of real people are shown by their authenticators alone."
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *, username: str, **_options: Any) -> None:
        account = Account.objects.select_related("person").filter(username=username).first()
        if not settings.PRACTICE or account is None or not account.person.practice:
            raise CommandError(PracticeOnly().sentence)
        code = factors.unspent_code(account)
        if code is None:
            raise CommandError(f"All codes of this moment are used. Ask again in {factors.totp.STEP_SECONDS} seconds.")
        self.stdout.write(code)
