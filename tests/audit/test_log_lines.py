"""Cutting backend logs: formats, zones, hostile lines, and that nothing of what is kept is changed."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.log_lines import LINE_CAP, Cut, parse, read_time, split

START = datetime(2026, 11, 22, 9, tzinfo=UTC)
END = START + timedelta(minutes=30)
MOMENT = datetime(2026, 11, 22, 9, 9, 40, 500000, tzinfo=UTC)


def cut(text: bytes, *request_ids: str, size: int = 7) -> list[dict]:
    chunks = (text[at : at + size] for at in range(0, len(text), size))
    return list(Cut(chunks, start=START, end=END, request_ids=request_ids))


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-11-22T09:09:40.5Z",
        "2026-11-22 09:09:40,500 UTC",
        "2026-11-22T10:09:40.500000+01:00",
        "2026-11-22T04:09:40.500000000-0500",
        "2026-11-22T10:09:40.5+01",
        1795338580.5,
        "1795338580.5",
        1795338580500,
        "1795338580500000",
        1795338580500000000,
    ],
)
def test_time_stamp_is_read_to_the_microsecond(stamp: object):
    line = json.dumps({"ts": stamp}).encode()

    found = parse(line).stamp

    assert found is not None
    assert (found.at, found.is_assumed) == (MOMENT, False)


@pytest.mark.parametrize("stamp", ["2026-11-22T09:09:40.5", "2026-11-22 09:09:40.5 CET", "2026-11-22 09:09:40,500 PST"])
def test_stamp_without_a_numeric_zone_is_marked_as_assumed(stamp: str):
    found = read_time(stamp)

    assert found is not None
    assert (found.at, found.is_assumed) == (MOMENT, True)


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "10",
        "08-09-2026",
        True,
        None,
        [],
        -1,
        "2026-11-22T09:61:00Z",
    ],
)
def test_what_is_no_time_is_none(stamp: object):
    assert read_time(stamp) is None


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"time":"2026-11-22T09:09:40.5Z","request_id":"abc-1"}', "json"),
        (b'{"@timestamp":"2026-11-22T09:09:40.5Z","http":{"request":{"id":"abc-1"}}}', "json"),
        (b'time="2026-11-22 09:09:40.5Z" level=info msg="a \\" b" req_id=abc-1', "logfmt"),
        (b"2026-11-22 09:09:40,500Z ERROR [request_id=abc-1] boom", "text"),
        (b"\xef\xbb\xbf2026-11-22T09:09:40.5Z x-request-id: abc-1", "text"),
    ],
)
def test_line_of_each_format_is_read(line: bytes, kind: str):
    parsed = parse(line)

    assert parsed.stamp is not None
    assert (parsed.format, parsed.stamp.at, parsed.request_id) == (kind, MOMENT, "abc-1")


def test_common_log_format_is_read():
    parsed = parse(b'10.0.0.1 - bob [22/Nov/2026:10:09:40 +0100] "GET /?at=2026-01-01T00:00:00Z HTTP/1.1" 200 1')

    assert parsed.format == "clf"
    assert parsed.stamp is not None


def test_window_includes_its_start_and_not_its_end():
    text = b"2026-11-22T08:59:59.999999Z a\n2026-11-22T09:00:00Z b\n2026-11-22T09:29:59.999999Z c\n2026-11-22T09:30:00Z d\n"

    assert [record["raw"][-1] for record in cut(text)] == ["b", "c"]


def test_continuation_lines_follow_their_head():
    text = (
        b"2026-11-22T09:01:00Z request_id=abc-1 boom\nTraceback:\n  File 'x', 2026-11-22T10:00:00Z\n"
        b"2026-11-22T09:02:00Z request_id=abc-2 fine\n  more\n"
    )

    records = cut(text, "abc-1")

    assert [(record["line"], record["format"]) for record in records] == [
        (1, "text"),
        (2, "continuation"),
        (3, "continuation"),
    ]
    assert {record["request_id"] for record in records} == {"abc-1"}


def test_continuation_that_names_the_request_itself_is_kept():
    assert [record["line"] for record in cut(b"2026-11-22T09:01:00Z boom\nrequest_id=abc-1\nother\n", "abc-1")] == [2]


def test_lines_before_the_first_time_are_counted_not_kept():
    whole = Cut([b"banner\n\n2026-11-22T09:01:00Z a"], start=START, end=END)

    assert len(list(whole)) == 1
    assert (whole.seen, whole.kept, whole.undated) == (3, 1, 2)


def test_source_is_hashed_as_a_whole():
    text = b"2026-11-22T09:01:00Z a\r\nb\n"
    whole = Cut([text[:5], text[5:]], start=START, end=END)

    list(whole)

    assert (whole.bytes, whole.sha256) == (len(text), sha256(text).hexdigest())


def test_assumed_zone_is_marked_in_the_record():
    assert cut(b"2026-11-22 09:01:00 a\n")[0]["tz"] == "assumed"
    assert "tz" not in cut(b"2026-11-22 09:01:00Z a\n")[0]


def test_bytes_that_are_no_utf8_are_kept_as_base64():
    record = cut(b"2026-11-22T09:01:00Z \xff\xfe\n")[0]

    assert base64.b64decode(record["raw_base64"]) == b"2026-11-22T09:01:00Z \xff\xfe"


def test_line_beyond_the_cap_is_kept_from_its_beginning_and_marked():
    line = b"2026-11-22T09:01:00Z " + b"x" * (3 * LINE_CAP)

    record = cut(line + b"\n2026-11-22T09:02:00Z b\n", size=1000)[0]

    assert record["raw"].encode() == line[:LINE_CAP]
    assert record["truncated_from"] == len(line)


def test_long_line_is_never_held_whole():
    chunks = (b"x" * 65536 for _ in range(200))

    pieces = list(split(chunks))

    assert [(len(piece.raw), piece.size) for piece in pieces] == [(LINE_CAP, 200 * 65536)]


@pytest.mark.parametrize(
    "line",
    [
        b"{" * 60000,
        b'{"a":' * 12000,
        b'{"ts":1e999999999}',
        b'{"ts":NaN}',
        b'{"ts":' + b"9" * 5000 + b"}",
        b'a="\\" ' * 10000,
        b"request_id " * 5000,
        b"\0\xff" * 1000,
        b"[1,2]",
        b"",
    ],
)
def test_hostile_line_is_read_without_a_fault(line: bytes):
    assert parse(line).stamp is None


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(1, 20))
def test_pieces_are_the_source_however_it_is_chunked(text: bytes, size: int):
    pieces = list(split(text[at : at + size] for at in range(0, len(text), size)))

    expected = text.removesuffix(b"\n").split(b"\n") if text else []
    assert [piece.raw for piece in pieces] == expected
    assert all(text[piece.offset : piece.offset + piece.size] == piece.raw for piece in pieces)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_kept_lines_are_verbatim_whatever_they_hold(lines: list[bytes]):
    text = b"2026-11-22T09:01:00Z head\n" + b"\n".join(line.replace(b"\n", b"") for line in lines)

    for record in cut(text):
        raw = record["raw"].encode() if "raw" in record else base64.b64decode(record["raw_base64"])
        assert text[record["offset"] :].startswith(raw)


@settings(deadline=None)
@given(st.integers(86_400, 2**32), st.integers(0, 999_999), st.integers(-14 * 60, 14 * 60))
def test_any_iso_moment_is_read_in_any_zone(seconds: int, microseconds: int, offset: int):
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds, microseconds=microseconds)

    found = read_time(moment.astimezone(timezone(timedelta(minutes=offset))).isoformat())

    assert found is not None
    assert (found.at, found.is_assumed) == (moment, False)


def test_records_become_json_lines():
    whole = Cut([b"2026-11-22T09:01:00Z \xe2\x82\xac\n"], start=START, end=END)

    lines = list(whole.jsonl())

    assert [json.loads(line)["raw"] for line in lines] == ["2026-11-22T09:01:00Z \u20ac"]


def test_period_without_zone_is_a_fault():
    with pytest.raises(ValueError, match="time zones"):
        Cut([], start=START.replace(tzinfo=None), end=END)
