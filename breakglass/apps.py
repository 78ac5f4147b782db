"""The Django admin with the console's own site in front; the rights of the logins follow every migration."""

from django.contrib.admin.apps import AdminConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate

from breakglass import checks, grants


class ConsoleAdminConfig(AdminConfig):
    default_site = "breakglass.admin.ConsoleAdminSite"

    def ready(self) -> None:
        super().ready()
        register(checks.settings_fit, Tags.security)
        register(checks.app_login_is_weak, Tags.database)
        post_migrate.connect(grants.after_migrate, sender=self, dispatch_uid="console grants")
