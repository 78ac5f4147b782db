"""What a person typed, checked before it reaches a rule: it is text, there is some, and it is short enough to be kept."""

from unicodedata import normalize

from audit.refusals import Refused
from breakglass.procedure.refusals import TextMissing, TextTooLong, TextUnreadable

LONGEST = 10_000
LIMITS = {
    "platform": 64,
    "ticket": 64,
    "trigger": 16,
    "kind": 32,
    "outcome": 10,
    "target_key": 255,
    "login": 255,
    "display_name": 150,
    "beneficiary_name": 150,
    "beneficiary_contact": 255,
    "code": 64,
    "backlog_item": 255,
    "backlog_url": 500,
    "name": 150,
    "title": 255,
    "owner": 150,
}


def check(**fields: object) -> None:
    """Refuse a NUL, half a surrogate pair, or more characters than are kept. What is no str is left to others.

    Raises:
        TextUnreadable, TextTooLong: they name the field, never its content.
    """
    for field, value in fields.items():
        if isinstance(value, str) and (refusal := _refusal(field, value)):
            raise refusal


def require(**fields: str) -> None:
    """Refuse a field in which nothing but spaces was typed. Raises TextMissing."""
    for field, value in fields.items():
        if not value.strip():
            raise TextMissing(field=field)


def folded(text: str) -> str:
    """The text as it is compared with another spelling of it: letter case, composed marks and blanks make no difference."""
    return normalize("NFC", " ".join(normalize("NFC", text).casefold().split()))


def _refusal(field: str, value: str) -> Refused | None:
    limit = LIMITS.get(field, LONGEST)
    if len(value) > limit:
        return TextTooLong(field=field, length=len(value), limit=limit)
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        return TextUnreadable(field=field)
    return None
