"""The stock Django admin behind the console's own sign-in: it shows; what it changes, it changes through the procedure's steps."""

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _


class ConsoleAdminSite(AdminSite):
    site_header = _("Breakglass")
    site_title = _("Breakglass")
    index_title = _("Security")

    def has_permission(self, request: HttpRequest) -> bool:
        """Security and compliance, signed in with both factors."""
        account = request.user
        return account.is_authenticated and account.is_verified() and account.is_staff

    def login(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """The admin has no form of its own: everybody passes the console's sign-in."""
        if self.has_permission(request):
            return redirect("admin:index")
        return redirect_to_login(request.GET.get("next", "/admin/"))
