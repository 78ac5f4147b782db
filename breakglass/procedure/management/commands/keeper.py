"""Run the keeper until SIGTERM or Ctrl-C."""

import signal
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from breakglass.procedure.keeper import Keeper, key


class Command(BaseCommand):
    help = _("Signs mandates for approved runs. Needs KEEPER_KEY and the keeper's own DATABASE_URL.")
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        keeper = Keeper()
        signal.signal(signal.SIGTERM, keeper.stop)
        signal.signal(signal.SIGINT, keeper.stop)
        self.stdout.write(_("The keeper is waiting for requests."))
        self.stdout.flush()
        keeper.run()
