"""Every address of the console. Guards stand in breakglass/middleware.py: a page is closed unless it is listed there."""

from django.contrib import admin
from django.urls import include, path

from breakglass.health import health

handler500 = "breakglass.failed.server_error"

urlpatterns = [
    path("healthz", health, name="health"),
    path("admin/", admin.site.urls),
    path("", include("breakglass.pages.people_urls")),
    path("", include("breakglass.pages.urls")),
]
