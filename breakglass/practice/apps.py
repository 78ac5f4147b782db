"""The Django app of breakglass.practice."""

from django.apps import AppConfig


class PracticeConfig(AppConfig):
    name = "breakglass.practice"
