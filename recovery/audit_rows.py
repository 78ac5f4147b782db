"""The platform's own audit log between two moments, as its profile asks for it. It only reads, through the reader."""

import json
from datetime import datetime

from . import database
from .platforms import Platform


def has_query(platform: Platform) -> bool:
    """Whether the profile says how the platform's audit log is read."""
    return platform.profile.audit is not None


def lines(platform: Platform, *, since: datetime, until: datetime) -> bytes:
    """The entries of [since, until) as JSON lines in UTF-8, each with `id`, `at` and the platform's `line` as it wrote it.

    Raises kinds of PlatformRefused; ValueError when the profile has no such query.
    """
    profile = platform.profile
    if profile.audit is None:
        raise ValueError("the profile does not say how the audit log is read")
    with database.reading(platform, profile) as session:
        rows = session.execute(profile.audit.sql, {"since": since.isoformat(), "until": until.isoformat()}).fetchall()
    return b"".join(_line(*row) for row in rows)


def _line(number: str, at: str, line: str) -> bytes:
    return json.dumps({"id": number, "at": at, "line": line}, ensure_ascii=False).encode() + b"\n"
