"""The memory of the console: clock, log, evidence. It must never know more of an incident than its reference."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("Audit")
