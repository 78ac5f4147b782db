"""Time-based one-time codes (RFC 6238 over RFC 4226). Pure: knows neither a clock nor a database."""

import hmac
from datetime import datetime

STEP_SECONDS = 30
DIGITS = 6


def code(seed: bytes, step: int, *, digits: int = DIGITS, digest: str = "sha1") -> str:
    """The code of one time step (RFC 4226 section 5.3); authenticator apps know six digits and SHA-1."""
    mac = hmac.digest(seed, step.to_bytes(8, "big"), digest)
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"


def step_at(moment: datetime) -> int:
    """The number of the time step that an aware moment lies in (RFC 6238 section 4.2)."""
    return int(moment.timestamp()) // STEP_SECONDS
