"""The log and the kept files for Security in the admin: to read, never to edit."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from audit.models import Blob, Entry


class ReadOnlyAdmin(admin.ModelAdmin):
    """Shows; has no button that changes anything. Who may look is decided by the site."""

    actions = None
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.admin_site.has_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ("seq", "moment", "event", "by", "incident")
    list_display_links = ("seq", "event")
    list_per_page = 50
    search_fields = ("=incident", "=by", "=event")
    search_help_text = _("An incident's reference, a person's account or an event, written in full.")
    fields = ("seq", "moment", "event", "by", "incident", "entry")

    @admin.display(description=_("at"))
    def moment(self, entry: Entry) -> Any:
        return entry.at


@admin.register(Blob)
class BlobAdmin(ReadOnlyAdmin):
    list_display = ("name", "media_type", "bytes", "at", "sha256")
    list_per_page = 50
    search_fields = ("=sha256",)
    search_help_text = _("The SHA-256 of the file, written in full.")
    fields = ("name", "media_type", "bytes", "at", "sha256")
