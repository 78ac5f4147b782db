"""Runs, accesses and the history of rows for the security team. It shows; nothing here can be changed."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin

from audit.admin import ReadOnlyAdmin

from .models import Access, AdminUser, Run, Tenant


class AccessInline(admin.TabularInline):
    model = Access
    extra = 0
    fields = ("role_name", "requested_at", "opened_at", "closed_at", "proven_at", "until")
    readonly_fields = fields
    verbose_name_plural = _("temporary logins of this run")
    has_view_permission = ReadOnlyAdmin.has_view_permission
    has_change_permission = has_delete_permission = ReadOnlyAdmin.has_change_permission

    def has_add_permission(self, request: object, obj: object = None) -> bool:
        return False


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = ("incident", "kind", "platform", "state", "claimed_at", "decided_at", "operator", "beneficiary")
    list_filter = ("state", "kind", "platform")
    list_per_page = 50
    search_fields = ("incident", "platform", "operator")
    exclude = ("fence",)
    inlines = (AccessInline,)


@admin.register(Access)
class AccessAdmin(ReadOnlyAdmin):
    list_display = ("role_name", "platform", "run", "requested_at", "opened_at", "closed_at", "proven_at")
    list_filter = ("platform",)
    list_per_page = 50
    list_select_related = ("run",)
    search_fields = ("role_name", "run__incident")


class RowImageAdmin(ReadOnlyAdmin, SimpleHistoryAdmin):
    """One row of a platform, with its history: once before and once after each run."""

    list_display = ("label", "table_name", "row_key", "platform", "moment", "run", "at")
    list_filter = ("platform", "table_name", "moment")
    list_per_page = 50
    list_select_related = ("run",)
    search_fields = ("label", "row_key", "run__incident")
    history_list_display = ("moment", "image")


admin.site.register(AdminUser, RowImageAdmin)
admin.site.register(Tenant, RowImageAdmin)
