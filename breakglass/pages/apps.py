"""The Django app of breakglass.pages."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "breakglass.pages"
