"""The stock Django admin behind the console's own sign-in: it shows; what it changes, it changes through the procedure's steps."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _


class ConsoleAdminSite(AdminSite):
    site_header = _("Breakglass")
    site_title = _("Breakglass")
    index_title = _("Records of the procedure, to read")
    index_template = "admin/console/index.html"
    rooms = ("procedure", "recovery", "audit", "people")

    def has_permission(self, request: HttpRequest) -> bool:
        """Security and compliance, signed in with both factors."""
        account = request.user
        if not account.is_authenticated or not account.is_verified():
            return False
        prefetch_related_objects([account.person], "duties")  # read once: every link of a page asks for them again
        return account.is_staff

    def login(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """The admin has no form of its own: everybody passes the console's sign-in."""
        if self.has_permission(request):
            return redirect("admin:index")
        return redirect_to_login(request.GET.get("next", "/admin/"))

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Takes the console's own records only: groups and jobs of the packages below are nobody's business here."""
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        ours = [model for model in models if model._meta.app_label in self.rooms]
        super().register(ours, admin_class, **options)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list:
        """What matters most first."""
        listed = super().get_app_list(request, app_label)
        return sorted(listed, key=lambda app: self.rooms.index(app["app_label"]))
