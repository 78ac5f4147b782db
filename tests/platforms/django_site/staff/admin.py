"""Accounts in the admin, as the stock one shows them."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm

from tests.platforms.django_site.staff.models import Colleague


class NewColleague(AdminUserCreationForm):
    class Meta(AdminUserCreationForm.Meta):
        model = Colleague
        fields = ("email",)
        field_classes = {}


@admin.register(Colleague)
class ColleagueAdmin(UserAdmin):
    add_form = NewColleague
    ordering = ("email",)
    list_display = ("email", "full_name", "is_staff")
    search_fields = ("email", "full_name")
    fieldsets = (
        (None, {"fields": ("email", "full_name", "password")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "full_name", "usable_password", "password1", "password2")}),)
