"""Tells on the channels what changed about accounts and duties, so that nobody can change them quietly."""

from typing import Any

from django.dispatch import receiver
from django.utils.translation import gettext as _

from breakglass.people import news
from breakglass.people.models import Person
from breakglass.procedure import messages


@receiver(news.changed)
def tell(*, person: Person, by: str, said: str, **_others: Any) -> None:
    """One message in the transaction of the change: rolled back, nobody is told."""
    body = _("{said} Person: {person} ({contact}). Done by: {by}. If this surprises you, call Security at once.")
    messages.tell(
        messages.Kind.ACCOUNT_CHANGED,
        incident=None,
        subject=_("{person}: account or duty changed").format(person=person.name),
        body=body.format(said=said, person=person.name, contact=person.contact, by=by),
    )
