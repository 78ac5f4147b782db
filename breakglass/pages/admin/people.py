"""People in the admin: who there is, with which duties, and what changed when. Changes are made on the People page, by two."""

from django.contrib import admin
from simple_history.admin import SimpleHistoryAdmin

from audit.admin import ReadOnlyAdmin
from breakglass.people.models import Account, Authenticator, Duty, Person


@admin.register(Person)
class PersonAdmin(ReadOnlyAdmin, SimpleHistoryAdmin):
    list_display = ("name", "contact", "practice", "created_at")
    list_filter = ("practice",)
    search_fields = ("name",)


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("username", "person", "is_active", "last_login")
    list_filter = ("is_active",)
    list_select_related = ("person",)
    fields = ("username", "person", "is_active", "last_login", "created_at")
    search_fields = ("username",)


@admin.register(Duty)
class DutyAdmin(ReadOnlyAdmin, SimpleHistoryAdmin):
    list_display = ("person", "name", "proposed_by", "confirmed_by", "confirmed_at", "ended_at")
    list_filter = ("name",)
    list_select_related = ("person", "proposed_by", "confirmed_by")


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Which second factors exist. The sealed seed is never shown."""

    list_display = ("user", "name", "confirmed", "created_at")
    list_select_related = ("user",)
    fields = ("user", "name", "confirmed", "created_at")
