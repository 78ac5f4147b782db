"""The Django admin with the console's own site in front."""

from django.contrib.admin.apps import AdminConfig


class ConsoleAdminConfig(AdminConfig):
    default_site = "breakglass.admin.ConsoleAdminSite"
