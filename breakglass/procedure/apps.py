"""The Django app of breakglass.procedure."""

from django.apps import AppConfig


class ProcedureConfig(AppConfig):
    name = "breakglass.procedure"
