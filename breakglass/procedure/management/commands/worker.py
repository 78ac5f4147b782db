"""Run the worker until SIGTERM or Ctrl-C."""

import signal
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from breakglass.procedure.worker import Worker


class Command(BaseCommand):
    help = _("Ticks the clock, closes left-over access, settles runs and delivers messages.")
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        worker = Worker()
        signal.signal(signal.SIGTERM, worker.stop)
        signal.signal(signal.SIGINT, worker.stop)
        self.stdout.write(_("The worker is waiting for jobs."))
        self.stdout.flush()
        worker.run()
