"""New password hashes in the platform's own form, at the platform's own cost. No password is ever kept, logged or shown."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from argon2.exceptions import HashingError
from django.utils.translation import gettext as _

from ..language.password_rule import PasswordRule
from ..refusals import PasswordRefused, SchemeUnknown
from .password_families import Family
from .password_schemes import FAMILIES


@dataclass(frozen=True, slots=True)
class Scheme:
    """A written form with its cost, as a hash or its beginning names them. cost is made for reading: `m=65536,t=3,p=4`.

    prefix: the text that named them.
    """

    name: str
    cost: str
    family: Family = field(repr=False)
    found: Mapping[str, str] = field(repr=False)
    prefix: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.name} ({self.cost})" if self.cost else self.name


def describe(hash_or_prefix: str) -> Scheme:
    """The form and cost that a hash, or its beginning as the reader's view gives it, was made with.

    Raises SchemeUnknown for a form that the console cannot make, and for a cost that it will not spend.
    """
    for family in FAMILIES:
        match = family.pattern.match(hash_or_prefix)
        if match is None:
            continue
        found = {name: value or "" for name, value in match.groupdict().items()}
        if any(int(found[name] or 0) > most for name, most in family.most.items()):
            break
        cost = ",".join(f"{name}={value}" for name, value in found.items() if value and name != "tag")
        return Scheme(family.name, cost, family, found, hash_or_prefix)
    raise SchemeUnknown(prefix=_beginning(hash_or_prefix))


def choose(rule: PasswordRule, prefix: str | None) -> Scheme:
    """The scheme for a new password: as the replaced row has it, or the profile's default.

    prefix is what the profile's `current` query gave: None for no row or no password, empty for an unknown form.
    Raises SchemeUnknown: a platform may not read the default, where its own rows look otherwise.
    """
    if rule.scheme != "row" or prefix is None:
        return describe(rule.default)
    if not prefix:
        raise SchemeUnknown(prefix=_("the hash of this account begins like none that it knows"))
    return describe(prefix)


def check(password: str, *, longest: int, shortest: int = 1) -> None:
    """Raises PasswordRefused for what the platform would cut, misread or never accept. longest: bytes."""
    if "\0" in password or not password.isprintable():
        raise PasswordRefused(reason=_("it contains a character that cannot be typed at a sign-in"))
    if len(password) < shortest:
        raise PasswordRefused(reason=_("it needs at least {shortest} characters").format(shortest=shortest))
    if len(password.encode()) > longest:
        reason = _("this platform takes at most {longest} bytes; letters with accents count as two").format(
            longest=longest
        )
        raise PasswordRefused(reason=reason)


def make(password: str, scheme: Scheme, *, shortest: int = 1, longest_hash: int | None = None) -> str:
    """A new hash of the password, already verified by the same scheme. Costs what the platform's own hashing costs.

    longest_hash: characters that the platform's column takes. Raises PasswordRefused.
    """
    check(password, longest=scheme.family.longest_password, shortest=shortest)
    try:
        made = scheme.family.make(password, scheme.found)
    except (ValueError, HashingError) as error:  # a cost that no library accepts, such as bcrypt with 3 rounds
        raise SchemeUnknown(prefix=str(scheme)) from error
    require_written(made, fits=verify(password, made), longest=longest_hash)
    return made


def require_written(made: str, *, fits: bool, longest: int | None) -> None:
    """A hash that the platform's column takes, and that the same scheme verifies. Raises PasswordRefused."""
    if longest is not None and len(made) > longest:
        reason = _("its hash has {length} characters, the platform's column takes {most}")
        raise PasswordRefused(reason=reason.format(length=len(made), most=longest))
    if not fits:
        raise PasswordRefused(reason=_("its hash could not be verified after it was made"))


def verify(password: str, written: str) -> bool:
    """Whether the password fits the hash. Raises SchemeUnknown."""
    return describe(written).family.verify(password, written)


def stamp(secret: str | None) -> str | None:
    """What the reader's view shows of a secret column: the first 16 hex digits of its SHA-256. It only tells a change."""
    return None if secret is None else hashlib.sha256(secret.encode()).hexdigest()[:16]


def fingerprint(value: str, key: bytes) -> str:
    """A secret as the console may keep it: equal values give equal fingerprints under one key, and nothing can be guessed."""
    return "hmac:" + hmac.digest(key, value.encode(), hashlib.sha256).hex()


def _beginning(text: str) -> str:
    """A few characters for a sentence, never enough to be a secret."""
    return text[:7] + "..." if text else _("an empty text")
