"""The app's place: its tables begin with staff_."""

from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "tests.platforms.django_site.staff"
    label = "staff"
