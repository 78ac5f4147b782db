"""One form for what is hashed: RFC 8785 (JSON Canonicalization Scheme). Nothing is ever re-serialised to verify it."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import rfc8785
from django.utils.functional import Promise

LARGEST_INTEGER = 2**53 - 1
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def moment(value: datetime) -> str:
    """An aware datetime as UTC with microseconds and Z. A naive one raises ValueError: nobody knows what it means."""
    if value.tzinfo is None:
        raise ValueError(f"a moment without time zone cannot be recorded: {value!r}")
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _text(value: str) -> str:
    return _UNSTORABLE.sub("\ufffd", str.__str__(value))


def _integer(value: int) -> int | str:
    return int(value) if abs(value) <= LARGEST_INTEGER else str(int(value))


def _mapping(value: dict[Any, Any]) -> dict[str, Any]:
    cleaned = {_text(key): clean(item) for key, item in value.items()}
    if len(cleaned) != len(value):
        raise ValueError("two keys become the same when they are written down")
    return cleaned


def clean(value: Any) -> Any:
    """The value with only what every JSON reader keeps: str, bool, None, int below 2**53, list, dict with str keys.

    NUL and lone surrogates become U+FFFD (PostgreSQL and UTF-8 refuse them); large integers, float, Decimal, UUID,
    dates and lengths of time become text. Any other type raises TypeError: bytes and objects are no facts.
    """
    if value is None or isinstance(value, bool):
        return value
    for kinds, write in _WRITERS:
        if isinstance(value, kinds):
            return write(value)
    raise TypeError(f"{type(value).__name__} cannot be recorded")


_WRITERS: tuple[tuple[Any, Any], ...] = (
    (str, _text),
    (int, _integer),
    (dict, _mapping),
    ((list, tuple), lambda items: [clean(item) for item in items]),
    (datetime, moment),
    ((float, Decimal, UUID, date, timedelta, Promise), lambda value: _text(str(value))),
)


def line(value: dict[str, Any]) -> str:
    """The one line that is stored, hashed and exported: RFC 8785 of the cleaned value."""
    return rfc8785.dumps(clean(value)).decode()
