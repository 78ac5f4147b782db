"""What one written form of password hashes is: how it is found, made and verified, and the most that it may cost. Pure."""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
NO_PASSWORD = r"^(?:|!.*|\*|x|\*LK\*)$"  # what software writes where a password is, and there is none
TAG = re.compile(r"\{[A-Za-z0-9-]+\}")

Found = Mapping[str, str]
Make = Callable[[str, Found], str]
Verify = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Family:
    """One written form. pattern finds it at the start of a hash; its named groups are variant and cost.

    prefix: the same as a regular expression that PostgreSQL and Python read alike; its groups joined are the part of a
    hash that holds no salt. most: the largest cost that the console agrees to spend, by group. tags: words in braces that
    some software puts before this form.
    """

    name: str
    pattern: re.Pattern[str]
    prefix: str
    make: Make
    verify: Verify
    most: Mapping[str, int]
    longest_password: int = 1024
    tags: tuple[str, ...] = ()


def family(
    name: str,
    pattern: str,
    prefix: str,
    make: Make,
    verify: Verify,
    most: Mapping[str, int],
    longest: int = 1024,
    tags: tuple[str, ...] = (),
) -> Family:
    """A family from the texts of its regular expressions; a tag before the form is kept as it was found."""
    if tags:
        word = "|".join(tags)
        pattern = rf"(?P<tag>\{{(?:{word})\}})?{pattern}"
        prefix = rf"^((?:\{{(?:{word})\}})?)" + prefix.removeprefix("^")
        make, verify = _with_tag(make), _without_tag(verify)
    return Family(name, re.compile(pattern), prefix, make, verify, MappingProxyType(dict(most)), longest, tags)


def _with_tag(make: Make) -> Make:
    return lambda password, found: found.get("tag", "") + make(password, found)


def _without_tag(verify: Verify) -> Verify:
    return lambda password, written: verify(password, TAG.sub("", written, count=1) if written[:1] == "{" else written)


def new_salt(length: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(length))


def number(found: Found, name: str) -> int:
    return int(found[name])


ARGON2_MOST = {"m": 2 * 1024 * 1024, "t": 64, "p": 64}
BCRYPT_MOST = {"rounds": 16}
ROUNDS_MOST = {"rounds": 10_000_000}
SCRYPT_MOST = {"n": 2**20, "r": 32, "p": 16}
