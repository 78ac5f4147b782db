"""The text of a mandate: every part counts, and no part can be moved into another."""

import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.doors.mandates import Mandate, door_key, sign

MOMENT = datetime(2026, 1, 4, 3, 0, tzinfo=UTC)
STANDARD: dict[str, Any] = {
    "access_id": uuid.UUID(int=1),
    "kind": "reset",
    "incident": "BG-2026-0001",
    "digest": "0" * 64,
    "verifier_sha256": "1" * 64,
    "until": MOMENT,
    "nonce": "n" * 24,
    "system_identifier": "7300000000000000001",
    "database_name": "acme",
}
OTHERS: dict[str, Any] = {
    "access_id": uuid.UUID(int=2),
    "kind": "create",
    "incident": "BG-2026-0002",
    "digest": "2" * 64,
    "verifier_sha256": "3" * 64,
    "until": MOMENT + timedelta(microseconds=1),
    "nonce": "m" * 24,
    "system_identifier": "7300000000000000002",
    "database_name": "acme2",
}


@pytest.mark.parametrize("part", OTHERS)
def test_every_part_changes_the_signature(part: str) -> None:
    key = b"k" * 32

    one, other = Mandate(**STANDARD), Mandate(**STANDARD | {part: OTHERS[part]})

    assert sign(one, key) != sign(other, key)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("kind", "drop"),
        ("kind", "reset\ncreate"),
        ("incident", "BG-1\nx"),
        ("incident", ""),
        ("digest", "0" * 63),
        ("nonce", "short"),
        ("database_name", "ac\nme"),
        ("database_name", "ac\0me"),
        ("until", datetime(2026, 1, 4)),  # noqa: DTZ001
    ],
)
def test_part_without_a_sound_form_is_refused(part: str, value: object) -> None:
    with pytest.raises(ValueError, match="mandate"):
        Mandate(**STANDARD | {part: value})


def test_same_moment_in_another_zone_is_the_same_mandate() -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=5)))

    assert Mandate(**STANDARD | {"until": elsewhere}).message == Mandate(**STANDARD).message


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_moves_from_one_line_to_the_next(incident: str, database_name: str) -> None:
    try:
        mandate = Mandate(**STANDARD | {"incident": incident, "database_name": database_name})
    except (ValueError, UnicodeEncodeError):
        return

    try:
        assert mandate.message.count(b"\n") == 9
    except UnicodeEncodeError:  # a lone surrogate cannot be signed at all
        assert any("\ud800" <= letter <= "\udfff" for letter in database_name)


def test_key_of_a_door_is_for_one_database_of_one_server() -> None:
    keys = {
        door_key(b"m" * 32, system_identifier=system, database_name=name)
        for system in ("1", "2")
        for name in ("acme", "acme2")
    }

    assert len(keys) == 4
