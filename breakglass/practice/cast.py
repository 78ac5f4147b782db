"""The practice people: who they are, and their passwords and seeds, which stand in one 0600 file of the set-up and nowhere else."""

import base64
import json
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from breakglass.practice.codes import STEP, code_at
from breakglass.practice.home import Home, write_secret

FILE = "people.json"
SYLLABLES = [f"{consonant}{vowel}" for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
PEOPLE = {
    "olivia": ("Olivia Ortiz", "ops"),
    "omar": ("Omar Okafor", "ops"),
    "sam": ("Sam Sato", "security"),
    "simone": ("Simone Silva", "security"),
    "erin": ("Erin Eriksen", "engineering"),
    "connie": ("Connie Chen", "compliance"),
}


@dataclass(frozen=True)
class Member:
    """One practice person with an account. seed is base32."""

    username: str
    name: str
    duty: str
    password: str
    seed: str

    @property
    def seed_bytes(self) -> bytes:
        return base64.b32decode(self.seed)

    @property
    def code(self) -> str:
        """The code that the person's app shows now."""
        return code_at(self.seed, time.time())

    @property
    def address(self) -> str:
        """What the QR code says to an authenticator app."""
        return f"otpauth://totp/Breakglass:{quote(self.username)}?secret={self.seed}&issuer=Breakglass"


def ensure(home: Home) -> list[Member]:
    """The cast of this set-up, made at the first call."""
    if not (home / FILE).exists():
        members = [_new(username, name, duty) for username, (name, duty) in PEOPLE.items()]
        write_secret(home / FILE, json.dumps([asdict(member) for member in members], indent=2))
    return read(home / FILE)


def read(file: Path) -> list[Member]:
    return [Member(**told) for told in json.loads(file.read_text())]


def seconds_left() -> int:
    """How long the present codes live."""
    return STEP - int(time.time()) % STEP


def _new(username: str, name: str, duty: str) -> Member:
    seed = base64.b32encode(secrets.token_bytes(20)).decode()
    return Member(username, name, duty, _password(), seed)


def _password() -> str:
    """Twelve letters and three digits that can be typed from another screen (about 83 bits)."""
    groups = ["".join(secrets.choice(SYLLABLES) for _ in range(3)) for _ in range(4)]
    return "-".join([*groups, str(secrets.randbelow(900) + 100)])
