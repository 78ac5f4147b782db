"""The log in the admin: to read, with no button that changes anything."""

import pytest
from django.contrib import admin
from django.test import RequestFactory

from audit.models import Blob, Entry


class Passing:
    """Somebody whom the site lets in and who is allowed everything."""

    is_active = is_staff = is_superuser = is_authenticated = True

    def is_verified(self) -> bool:
        return True

    def has_perm(self, *names: object) -> bool:
        return True


@pytest.mark.parametrize("model", [Entry, Blob])
def test_nobody_adds_changes_or_deletes(rf: RequestFactory, model: type):
    shown = admin.site.get_model_admin(model)
    request = rf.get("/admin/")
    request.user = Passing()

    assert shown.has_view_permission(request)
    assert not shown.has_add_permission(request)
    assert not shown.has_change_permission(request)
    assert not shown.has_delete_permission(request)
    assert shown.get_actions(request) == {}
