"""The ground that all other tests stand on: clones of the console's database, seen as the app role."""

import pytest
from django.db import connection


@pytest.mark.django_db
def test_console_is_seen_as_the_app_role():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_database()")
        user, database = cursor.fetchone()

    assert user == "breakglass_app"
    assert database.startswith("console_")
