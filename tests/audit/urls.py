"""The console's addresses with the log's pages among them, wherever the site mounts its own."""

from django.urls import include, path

from breakglass.urls import urlpatterns as site

urlpatterns = [path("", include("audit.urls")), *site]
