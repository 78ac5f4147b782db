"""The log in the admin: to read, with no button that changes anything."""

import pytest
from django.contrib import admin
from django.test import RequestFactory

from audit.models import Blob, Entry
from tests import cast


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Entry, Blob])
def test_nobody_adds_changes_or_deletes(rf: RequestFactory, model: type):
    shown = admin.site.get_model_admin(model)
    request = rf.get("/admin/")
    request.user = cast.person("sam", ["security"])
    request.user.is_verified = lambda: True  # as the second factor's middleware says it

    assert shown.has_view_permission(request)
    assert not shown.has_add_permission(request)
    assert not shown.has_change_permission(request)
    assert not shown.has_delete_permission(request)
    assert shown.get_actions(request) == {}
