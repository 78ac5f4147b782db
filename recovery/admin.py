"""Runs, accesses and the history of rows for the security team. It shows; nothing here can be changed."""

import json
from typing import Any

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
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
    list_display = ("incident", "kind", "platform", "state", "decided_by", "claimed_at", "decided_at", "operator")
    list_filter = ("state", "decided_by", "kind", "platform")
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
    history_list_display = ("moment", "row", "difference")

    def set_history_delta_changes(self, *args: Any, **options: Any) -> None:
        """Left out: a row is one text here, `difference` takes it apart."""

    @admin.display(description=_("row"))
    def row(self, record: Any) -> SafeString:
        """The whole row, a column a line."""
        lines = [(f"{name}: {_written(value)}",) for name, value in _columns(record).items()]
        return (
            format_html("<pre>{}</pre>", format_html_join("\n", "{}", lines))
            if lines
            else format_html("{}", _("no row"))
        )

    @admin.display(description=_("difference"))
    def difference(self, record: Any) -> SafeString:
        """What became of each column since the image before."""
        images = type(record).objects.filter(id=record.id, history_id__lt=record.history_id)
        earlier, now = _columns(images.order_by("-history_id").first()), _columns(record)
        changed = [name for name in now if earlier and earlier.get(name) != now[name]]
        lines = [(name, _written(earlier.get(name)), _written(now[name])) for name in changed]
        return format_html("<pre>{}</pre>", format_html_join("\n", "{}: {} → {}", lines)) if lines else format_html("–")


def _columns(record: Any) -> dict[str, Any]:
    return json.loads(record.image) if record is not None and record.image else {}


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


admin.site.register(AdminUser, RowImageAdmin)
admin.site.register(Tenant, RowImageAdmin)
