"""Loads the account of a session, its person in the same query. It is never asked for a password: that is sign_in's."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from breakglass.people.models import Account


class SessionAccounts(ModelBackend):
    """The account behind a session's number."""

    def get_user(self, user_id: Any) -> Account | None:
        """The account with its person; None if there is none or somebody has switched it off: that ends the session."""
        found = Account.objects.select_related("person").filter(pk=user_id).first()
        return found if found is not None and self.user_can_authenticate(found) else None
