"""The Django app of the recovery room."""

from django.apps import AppConfig


class RecoveryConfig(AppConfig):
    name = "recovery"
