"""How a declared scheme gets its salt: which letters, how many. Pure apart from the randomness."""

import base64
import re
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from .formula_nodes import BYTES, TEXT, Value

LETTERS = string.ascii_letters + string.digits
CRYPT = "./" + LETTERS
KIND = re.compile(r"(hex|text|crypt|base64_|bytes)([1-9][0-9]{0,2})|uuid")
MOST = 128


@dataclass(frozen=True, slots=True)
class Salt:
    """A new salt for each hash. name: as the profile writes it. length: characters, or bytes where kind is BYTES."""

    name: str
    kind: str
    length: int
    new: Callable[[], Value] = field(repr=False, compare=False)


# By the beginning of the name: what a number behind it counts.
SALTS = {
    "hex": "hexadecimal digits",
    "text": "letters and digits",
    "crypt": "letters, digits, point and slash",
    "base64_": "random bytes, written as base64",
    "bytes": "random bytes",
    "uuid": "a random UUID with hyphens",
}


def salt_named(name: str) -> Salt | None:
    """The salt of a name such as `hex32`, None for a name that is none."""
    match = KIND.fullmatch(name)
    if match is None:
        return None
    if name == "uuid":
        return Salt(name, TEXT, 36, lambda: str(uuid4()))
    count = int(match[2])
    if count > MOST:
        return None
    return _counted(name, match[1], count)


def _counted(name: str, letters: str, count: int) -> Salt:
    if letters == "bytes":
        return Salt(name, BYTES, count, lambda: secrets.token_bytes(count))
    if letters == "base64_":
        return Salt(name, TEXT, 4 * -(-count // 3), lambda: base64.b64encode(secrets.token_bytes(count)).decode())
    if letters == "hex":
        return Salt(name, TEXT, count, lambda: secrets.token_hex((count + 1) // 2)[:count])
    chosen = CRYPT if letters == "crypt" else LETTERS
    return Salt(name, TEXT, count, lambda: "".join(secrets.choice(chosen) for _n in range(count)))
