"""News about a person's accounts and duties, for whoever tells people of them: this part knows no messages."""

from django.dispatch import Signal

from breakglass.people.models import Person

# Arguments: person (whom it is about), by (who acted, as the log names them), said (one plain sentence).
changed = Signal()


def tell(*, person: Person, by: str, said: str) -> None:
    """Send the news inside the step's transaction, before its log entry; if it cannot be told, the step does not happen."""
    changed.send(sender=Person, person=person, by=by, said=said)
