"""Cuts backend log lines by time and request id, streaming. It never changes a line: what is kept is kept verbatim.

JSON lines, logfmt, common log format and plain text that begins with a time stamp. A line without a time of its own (a
stack trace) follows its head. Standard library only.
"""

import base64
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

LINE_CAP = 64 * 1024
FIELD_REGION = 8 * 1024  # no pattern looks further into a line: a hostile line must not cost more than a long one
HEAD_REGION = 256

TIME_KEYS = ("@timestamp", "timestamp", "time", "ts", "t", "asctime", "datetime", "date")
REQUEST_KEYS = (
    "request_id",
    "requestId",
    "req_id",
    "http.request.id",
    "correlation_id",
    "trace.id",
    "trace_id",
    "x-request-id",
)

_ISO = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:[.,](?P<part>\d{1,9}))?"
    r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?(?!\d)))?",
    re.ASCII,
)
_CLF = re.compile(r"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]", re.ASCII)
_EPOCH = re.compile(r"\d{9,19}(?:\.\d{1,9})?", re.ASCII)
_LOGFMT = re.compile(r'(?:^|(?<=\s))([A-Za-z_@][\w.@-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?=\s|$)', re.ASCII)
_REQUEST = re.compile(rf"(?:{'|'.join(map(re.escape, REQUEST_KEYS))})[=:\"' ]+([0-9A-Za-z][\w-]{{1,127}})", re.A | re.I)


@dataclass(frozen=True)
class Stamp:
    """A moment (aware UTC) and whether its zone was assumed, because the line names none."""

    at: datetime
    is_assumed: bool = False


@dataclass(frozen=True)
class Parsed:
    """What a line says of itself: format, moment, request id."""

    format: str
    stamp: Stamp | None
    request_id: str | None


@dataclass(frozen=True)
class Piece:
    """A physical line: its number from 1, its place in the file, its first 64 KiB and its whole size in bytes."""

    number: int
    offset: int
    raw: bytes
    size: int


def read_time(value: Any) -> Stamp | None:
    """A time stamp in any of the known notations, or None: ISO 8601, CLF, seconds to nanoseconds since 1970."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | Decimal) or (isinstance(value, str) and _EPOCH.fullmatch(value)):
        return _epoch(value)
    if not isinstance(value, str):
        return None
    if found := _ISO.search(value):
        return _iso(found)
    found = _CLF.search(value)
    return _clf(found[1]) if found else None


def _epoch(value: int | Decimal | str) -> Stamp | None:
    try:
        seconds = Decimal(value)
        if not 0 <= seconds < 10**19:
            return None
        for unit in (10**9, 10**6, 10**3):
            if seconds >= unit * 10**8:
                seconds /= unit
                break
        return Stamp(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(seconds * 10**6)))
    except (ArithmeticError, ValueError):
        return None


def _iso(found: re.Match[str]) -> Stamp | None:
    part, zone = (found["part"] or "0")[:6].ljust(6, "0"), found["zone"] or ""
    offset = "+00:00" if zone in ("Z", "UTC", "GMT", "") else f"{zone[:3]}:{zone[3:].lstrip(':') or '00'}"
    try:
        at = datetime.fromisoformat(f"{found['day']}T{found['time']}.{part}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return Stamp(at, is_assumed=not zone)


def _clf(text: str) -> Stamp | None:
    try:
        return Stamp(datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z").astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def _pick(fields: dict[str, Any], keys: tuple[str, ...]) -> Any:
    """The first of the keys that is there, plain or as a path of nested objects."""
    for key in keys:
        value: Any = fields.get(key)
        if value is None:
            value = fields
            for part in key.split("."):
                value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            return value
    return None


def _as_id(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _json(text: str) -> Parsed | None:
    try:
        fields = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    return Parsed("json", read_time(_pick(fields, TIME_KEYS)), _as_id(_pick(fields, REQUEST_KEYS)))


def _logfmt(text: str) -> Parsed | None:
    fields = {key: value.strip('"') for key, value in _LOGFMT.findall(text[:FIELD_REGION])}
    stamp = read_time(_pick(fields, TIME_KEYS))
    return Parsed("logfmt", stamp, _as_id(_pick(fields, REQUEST_KEYS))) if len(fields) > 1 and stamp else None


def _plain(text: str) -> Parsed:
    found = _REQUEST.search(text[:FIELD_REGION])
    request_id = found[1] if found else None
    if text[:1].isspace():
        return Parsed("text", None, request_id)
    head = text[: FIELD_REGION if text.startswith("{") else HEAD_REGION]
    return Parsed("clf" if _CLF.search(head) and not _ISO.match(head) else "text", read_time(head), request_id)


def parse(raw: bytes) -> Parsed:
    """What one line (without its line feed) says of itself. Never raises, whatever the bytes are."""
    text = raw.decode("utf-8", "replace").removeprefix("\ufeff")
    if text.lstrip().startswith("{") and (parsed := _json(text)):
        return parsed
    return (None if text[:1].isspace() else _logfmt(text)) or _plain(text)


def split(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """The physical lines of a stream. Memory stays flat: of a line beyond 64 KiB only the beginning is held."""
    held, size, offset, number = bytearray(), 0, 0, 0
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            number += 1
            size += len(part)
            held += part[: max(0, LINE_CAP - len(held))]
            yield Piece(number, offset, bytes(held), size)
            offset += size + 1
            held, size = bytearray(), 0
        size += len(rest)
        held += rest[: max(0, LINE_CAP - len(held))]
    if size:
        yield Piece(number + 1, offset, bytes(held), size)


class Cut:
    """The lines of a stream in [start, end) that carry one of the request ids (all lines when none is given).

    Iterate once; it yields records ready for JSON. Afterwards it tells what it saw: `seen`, `kept`, `undated` lines,
    `bytes` and `sha256` of the whole source.
    """

    def __init__(
        self, chunks: Iterable[bytes], *, start: datetime, end: datetime, request_ids: Collection[str] = ()
    ) -> None:
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("the period needs time zones")
        self.start, self.end, self.request_ids = start, end, frozenset(request_ids)
        self.seen = self.kept = self.undated = self.bytes = 0
        self._chunks, self._digest = chunks, hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        head = Parsed("text", None, None)
        for piece in split(self._watched()):
            self.seen += 1
            own = parse(piece.raw)
            head = own if own.stamp else head
            if head.stamp is None:
                self.undated += 1
            elif self._takes(head, own):
                self.kept += 1
                yield _record(piece, head, own)

    def _watched(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._digest.update(chunk)
            self.bytes += len(chunk)
            yield chunk

    def _takes(self, head: Parsed, own: Parsed) -> bool:
        if not (head.stamp and self.start <= head.stamp.at < self.end):
            return False
        return not self.request_ids or not self.request_ids.isdisjoint({head.request_id, own.request_id})

    def jsonl(self) -> Iterator[bytes]:
        """The same records, each as one JSON line in UTF-8."""
        for record in self:
            yield json.dumps(record, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _record(piece: Piece, head: Parsed, own: Parsed) -> dict[str, Any]:
    assert head.stamp is not None  # only dated lines are kept
    record: dict[str, Any] = {
        "line": piece.number,
        "offset": piece.offset,
        "format": own.format if own.stamp else "continuation",
        "time": head.stamp.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "request_id": own.request_id or head.request_id,
    }
    if head.stamp.is_assumed:
        record["tz"] = "assumed"
    if piece.size > len(piece.raw):
        record["truncated_from"] = piece.size
    try:
        return {**record, "raw": piece.raw.decode()}
    except UnicodeDecodeError:
        return {**record, "raw_base64": base64.b64encode(piece.raw).decode()}
