"""One-time codes of an authenticator app (TOTP, RFC 6238), for practice people and the practice platform only."""

import base64
import hashlib
import hmac
import struct

STEP = 30  # seconds
DIGITS = 6


def code_at(secret: str, moment: float) -> str:
    """The code of a base32 seed at a moment in seconds since 1970 (RFC 6238 section 4, RFC 4226 section 5.3)."""
    key = base64.b32decode(secret, casefold=True)
    digest = hmac.digest(key, struct.pack("!Q", int(moment) // STEP), hashlib.sha1)
    offset = digest[-1] & 0x0F
    number = struct.unpack_from("!I", digest, offset)[0] & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def fits(secret: str, code: str, moment: float) -> bool:
    """Whether the code is that of the moment, or of one step before or after it."""
    return any(hmac.compare_digest(code_at(secret, moment + drift * STEP), code) for drift in (-1, 0, 1))
