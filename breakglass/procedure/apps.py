"""The Django app of breakglass.procedure."""

from importlib import import_module

from django.apps import AppConfig


class ProcedureConfig(AppConfig):
    name = "breakglass.procedure"

    def ready(self) -> None:
        """Listen to the news of people from the start, in every process."""
        import_module("breakglass.procedure.account_news")
