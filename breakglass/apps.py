"""The Django admin with the console's own site in front; the rights of the logins follow every migration."""

from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate

from breakglass import grants


class ConsoleAdminConfig(AdminConfig):
    default_site = "breakglass.admin.ConsoleAdminSite"

    def ready(self) -> None:
        super().ready()
        post_migrate.connect(grants.after_migrate, sender=self, dispatch_uid="console grants")
