"""Addresses of the log's pages. Who may read them is decided where they are mounted."""

from django.urls import path

from audit import views

app_name = "audit"
urlpatterns = [
    path("log/", views.log_page, name="log"),
    path("log/<int:seq>/", views.entry_page, name="entry"),
    path("log/blob/<str:sha256>/", views.blob_download, name="blob"),
]
