"""The one form of what is hashed, against hypothesis and against the verifier's own reading of RFC 8785."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection
from django.utils.translation import gettext_lazy
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import canonical, verify

KEPT = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_characters="\0")), KEPT, max_size=5))
def test_line_says_what_the_cleaned_value_says(value: dict):
    assert json.loads(canonical.line(value)) == canonical.clean(value)


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_characters="\0")), KEPT, max_size=5))
def test_verifier_takes_every_line_as_canonical(value: dict):
    line = canonical.line(value)

    assert json.dumps(verify._sorted(json.loads(line)), ensure_ascii=False, separators=(",", ":")) == line


@settings(deadline=None)
@given(ANY_TEXT)
def test_any_text_becomes_one_line_that_utf8_and_jsonb_take(text: str):
    line = canonical.line({"text": text})

    assert "\n" not in line
    assert "\r" not in line
    assert "\\u0000" not in line
    line.encode()


@pytest.mark.usefixtures("console")
def test_database_takes_every_character():
    text = "".join(map(chr, [*range(0x3000), 0xD800, 0xDFFF, 0xFEFF, 0xFFFF, 0x1F600, 0x10FFFF]))
    line = canonical.line({"text": text})

    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb ->> 'text'", [line])
        stored = cursor.fetchone()[0]

    assert stored == canonical.clean(text)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a\0b", "a\ufffdb"),
        ("\ud800", "\ufffd"),
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (-(2**53), "-9007199254740992"),
        (True, True),
        (0.1, "0.1"),
        (float("nan"), "nan"),
        (Decimal("12.5000"), "12.5000"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (date(2026, 11, 22), "2026-11-22"),
        (timedelta(minutes=30), "0:30:00"),
        (datetime(2026, 11, 22, 9, tzinfo=UTC), "2026-11-22T09:00:00.000000Z"),
        (datetime(2026, 11, 22, 9, 0, 0, 1, timezone(timedelta(hours=1))), "2026-11-22T08:00:00.000001Z"),
        (gettext_lazy("window"), "window"),
        (("a", ["b"]), ["a", ["b"]]),
        ({"a\0": None}, {"a\ufffd": None}),
    ],
)
def test_value_is_written_as(value: object, written: object):
    assert canonical.clean(value) == written


@pytest.mark.parametrize("value", [b"bytes", object(), {"a", "b"}])
def test_what_is_no_fact_is_refused(value: object):
    with pytest.raises(TypeError):
        canonical.clean({"fact": value})


def test_moment_without_zone_is_refused():
    with pytest.raises(ValueError, match="without time zone"):
        canonical.clean(datetime(2026, 11, 22, 9))  # noqa: DTZ001  the fault under test


def test_two_keys_that_become_one_are_refused():
    with pytest.raises(ValueError, match="two keys"):
        canonical.clean({"a\0": 1, "a\ufffd": 2})


def test_keys_are_sorted_by_utf16_units():
    assert canonical.line({"\uffff": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\uffff":1}'
