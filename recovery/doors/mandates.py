"""What a mandate says and how it is signed. Pure: the keeper signs with it, a platform's door checks the same in SQL.

HMAC-SHA256 (RFC 2104) over lines that name every part of one opening. No part may hold a line break, so no two mandates
have the same text.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

VERSION = "breakglass-mandate-v1"
PARTS = {
    "kind": re.compile(r"create|reset|enable|disable|restore"),
    "incident": re.compile(r"[A-Za-z0-9._-]{1,64}"),
    "digest": re.compile(r"[0-9a-f]{64}"),
    "verifier_sha256": re.compile(r"[0-9a-f]{64}"),
    "nonce": re.compile(r"[A-Za-z0-9_-]{16,64}"),
    "system_identifier": re.compile(r"[0-9]{1,20}"),
    "database_name": re.compile(r"[^\x00\n\r]{1,63}"),
}


@dataclass(frozen=True, slots=True)
class Mandate:
    """One opening of one door. digest and verifier_sha256 are SHA-256 in hex, until is aware."""

    access_id: UUID
    kind: str
    incident: str
    digest: str
    verifier_sha256: str
    until: datetime
    nonce: str
    system_identifier: str
    database_name: str

    def __post_init__(self) -> None:
        for name, pattern in PARTS.items():
            if not pattern.fullmatch(getattr(self, name)):
                raise ValueError(f"a mandate cannot have this {name}: {getattr(self, name)!r}")
        if self.until.tzinfo is None:
            raise ValueError("a mandate's end needs a time zone")

    @property
    def message(self) -> bytes:
        """The exact bytes that are signed; doors.sql builds the same."""
        until = self.until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        lines = (
            *(VERSION, str(self.access_id), self.kind, self.incident, self.digest, self.verifier_sha256),
            *(until, self.nonce, self.system_identifier, self.database_name),
        )
        return "\n".join(lines).encode()


def door_key(master: bytes, *, system_identifier: str, database_name: str) -> bytes:
    """The key of one platform's door (32 bytes), derived from the keeper's master key; the master never leaves the keeper."""
    place = f"door\n{system_identifier}\n{database_name}".encode()
    return hmac.digest(master, place, hashlib.sha256)


def sign(mandate: Mandate, key: bytes) -> bytes:
    """The signature (32 bytes) that opens the door once."""
    return hmac.digest(key, mandate.message, hashlib.sha256)


def verifier_digest(verifier: str) -> str:
    return hashlib.sha256(verifier.encode()).hexdigest()


def key_stamp(key: bytes) -> str:
    """What a door tells of its key, to compare: 16 hex digits of its SHA-256."""
    return hashlib.sha256(key).hexdigest()[:16]
