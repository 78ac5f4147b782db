"""The Django app of breakglass.people."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "breakglass.people"
