"""The functions that a formula may use. Pure; the libraries that define a form make it, and each knows what it costs."""

import base64
import binascii
import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import argon2
import bcrypt
from argon2.low_level import hash_secret, hash_secret_raw
from django.utils.translation import gettext_lazy as _
from passlib import hash as foreign
from passlib.utils.binary import h64

from .formula_nodes import BYTES, TEXT, FormulaRefused, Given, Node, Own, call

ANY, TEXT_ONLY, DIGEST, NUMBER, CHOICE, WORDS = "any", "text", "digest", "number", "choice", "words"
DIGESTS = {name: hashlib.new(name).digest_size for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")}
DIGESTS |= {name: hashlib.new(name).digest_size for name in ("sha3_256", "sha3_512", "blake2b")}
ENCODINGS = ("url", "dot", "nopad")
CRYPT = "./0-9A-Za-z"
LETTERS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
MOST_MEMORY = 2 * 1024 * 1024  # KiB


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument. kind: ANY value, TEXT_ONLY, a DIGEST's name, a NUMBER, one CHOICE of texts, or WORDS to the end."""

    name: str
    kind: str
    least: int = 1
    most: int = 2**31 - 1
    default: Any = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language. build gets place and the arguments by name."""

    parameters: tuple[Parameter, ...]
    build: Callable[..., Node]


def _value(name: str = "value") -> Parameter:
    return Parameter(name, ANY)


def _number(name: str, least: int, most: int, default: int | None = None) -> Parameter:
    return Parameter(name, NUMBER, least, most, default)


def _digest(name: str) -> Function:
    def build(place: int, value: Node) -> Node:
        def run(given: Given) -> bytes:
            return hashlib.new(name, value.data(given)).digest()

        return call(BYTES, run, [value], place=place, longest=DIGESTS[name], is_fixed=True, work=8)

    return Function((_value(),), build)


def _hmac(place: int, digest: str, key: Node, message: Node) -> Node:
    def run(given: Given) -> bytes:
        return hmac.digest(key.data(given), message.data(given), digest)

    return call(BYTES, run, [key, message], place=place, longest=DIGESTS[digest], is_fixed=True, work=12)


def _pbkdf2(place: int, digest: str, password: Node, salt: Node, rounds: int, length: int) -> Node:
    def run(given: Given) -> bytes:
        return hashlib.pbkdf2_hmac(digest, password.data(given), salt.data(given), rounds, length)

    work = rounds * -(-length // DIGESTS[digest])
    return call(BYTES, run, [password, salt], place=place, longest=length, is_fixed=True, work=work)


def _scrypt(place: int, password: Node, salt: Node, n: int, r: int, p: int, length: int) -> Node:
    memory = 132 * n * r * p
    if n & (n - 1) or memory > MOST_MEMORY * 1024:
        raise FormulaRefused(_("n is a power of two, and all of it takes at most 2 GiB"), place=place)

    def run(given: Given) -> bytes:
        return hashlib.scrypt(password.data(given), salt=salt.data(given), n=n, r=r, p=p, maxmem=memory, dklen=length)

    return call(BYTES, run, [password, salt], place=place, longest=length, is_fixed=True, work=n * r * p // 2)


def _argon2_raw(place: int, password: Node, salt: Node, m: int, t: int, p: int, length: int) -> Node:
    def run(given: Given) -> bytes:
        return hash_secret_raw(password.data(given), salt.data(given), t, m, p, length, argon2.Type.ID)

    return call(BYTES, run, [password, salt], place=place, longest=length, is_fixed=True, work=m * t)


def _own(place: int, of: Node, run: Callable[[Given], str], own: Own, longest: int, work: int) -> Node:
    facts = {"is_fixed": True, "work": work, "own": own, "salted": of.salted + 1}
    return call(TEXT, run, [of], place=place, longest=longest, **facts)


def _argon2id(place: int, password: Node, m: int, t: int, p: int, length: int) -> Node:
    def run(given: Given) -> str:
        salt = base64.b64decode(given.inner + "==")
        return hash_secret(password.data(given), salt, t, m, p, length, argon2.Type.ID).decode()

    pattern = rf"\$argon2id\$v=19\$m={m},t={t},p={p}\$([A-Za-z0-9+/]+)\$[A-Za-z0-9+/]+"
    own = Own(lambda: base64.b64encode(secrets.token_bytes(16)).decode().rstrip("="), pattern)
    return _own(place, password, run, own, 100 + 2 * length, m * t)


def _bcrypt(place: int, password: Node, rounds: int, variant: str) -> Node:
    if password.kind != TEXT:
        raise FormulaRefused(
            _("bcrypt stops at a zero byte: write its bytes as hex() or base64()"), place=password.place
        )

    def run(given: Given) -> str:
        data = password.data(given)
        if len(data) > 72 and not password.is_fixed:
            most = 72 - len(password.data(replace(given, password="")))
            raise FormulaRefused(
                _("this platform takes at most {longest} bytes; letters with accents count as two"), longest=most
            )
        made = bcrypt.hashpw(data[:72], f"$2b${rounds:02}${given.inner}".encode()).decode()
        return f"${variant}${made[4:]}"

    own = Own(lambda: bcrypt.gensalt(4).decode()[7:], rf"\${variant}\${rounds:02}\$([{CRYPT}]{{22}})[{CRYPT}]{{31}}")
    return _own(place, password, run, own, 60, 2**rounds * 60)


def _crypt(hasher: Any, letter: str, length: int) -> Callable[..., Node]:
    def build(place: int, password: Node, rounds: int) -> Node:
        def run(given: Given) -> str:
            return hasher.using(rounds=rounds, salt=given.inner).hash(password.data(given))

        pattern = rf"\${letter}\$(?:rounds={rounds}\$)?([{CRYPT}]{{1,16}})\$[{CRYPT}]{{{length}}}"
        return _own(place, password, run, Own(lambda: _letters(16), pattern), 40 + length, rounds * 3)

    return build


def _phpass(place: int, password: Node, log2: int, letter: str) -> Node:
    def run(given: Given) -> str:
        return foreign.phpass.using(rounds=log2, salt=given.inner, ident=f"${letter}$").hash(password.data(given))

    pattern = rf"\${letter}\${LETTERS[log2]}([{CRYPT}]{{8}})[{CRYPT}]{{22}}"
    return _own(place, password, run, Own(lambda: _letters(8), pattern), 34, 2**log2)


def drupal7(password: bytes, salt: str, log2: int) -> str:
    """`$S$`: phpass with SHA-512, cut at 55 characters. See includes/password.inc of Drupal 7."""
    digest = hashlib.sha512(salt.encode() + password).digest()
    for _round in range(2**log2):
        digest = hashlib.sha512(digest + password).digest()
    return (f"$S${LETTERS[log2]}{salt}" + h64.encode_bytes(digest).decode())[:55]


def _drupal7(place: int, password: Node, log2: int) -> Node:
    def run(given: Given) -> str:
        return drupal7(password.data(given), given.inner, log2)

    pattern = rf"\$S\${LETTERS[log2]}([{CRYPT}]{{8}})[{CRYPT}]{{43}}"
    return _own(place, password, run, Own(lambda: _letters(8), pattern), 55, 2**log2)


def _letters(count: int) -> str:
    return "".join(secrets.choice(LETTERS) for _n in range(count))


def _hex(*, large: bool) -> Callable[..., Node]:
    def build(place: int, value: Node) -> Node:
        def run(given: Given) -> str:
            text = value.data(given).hex()
            return text.upper() if large else text

        return call(TEXT, run, [value], place=place, longest=2 * value.longest, shows=True)

    return build


def _base64(place: int, value: Node, words: tuple[str, ...]) -> Node:
    letters = b"-_" if "url" in words else b"./" if "dot" in words else None

    def run(given: Given) -> str:
        text = base64.b64encode(value.data(given), altchars=letters).decode()
        return text.rstrip("=") if "nopad" in words else text

    return call(TEXT, run, [value], place=place, longest=4 * -(-value.longest // 3), shows=True)


def _decoded(decode: Callable[[str], bytes], said: Any) -> Callable[..., Node]:
    def build(place: int, text: Node) -> Node:
        def run(given: Given) -> bytes:
            try:
                return decode(str(text.run(given)))
            except (ValueError, binascii.Error) as error:
                raise FormulaRefused(said, place=place) from error

        return call(BYTES, run, [text], place=place, longest=text.longest, shows=True)

    return build


def _unbase64(text: str) -> bytes:
    standard = text.replace("-", "+").replace("_", "/").rstrip("=")
    return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)


def _recoded(kind: str, change: Callable[[str], str | bytes], times: int) -> Callable[..., Node]:
    def build(place: int, text: Node) -> Node:
        run = lambda given: change(str(text.run(given)))  # noqa: E731
        return call(kind, run, [text], place=place, longest=times * text.longest, shows=True)

    return build


def _cut(*, end: bool) -> Callable[..., Node]:
    def build(place: int, value: Node, length: int) -> Node:
        def run(given: Given) -> str | bytes:
            whole = value.run(given)
            return whole[-length:] if end else whole[:length]

        longest = min(value.longest, length * (4 if value.kind == TEXT else 1))
        return call(value.kind, run, [value], place=place, longest=longest, shows=True)

    return build


def _int32(order: Any) -> Callable[..., Node]:
    def build(place: int, number: int) -> Node:
        return call(BYTES, lambda _given: number.to_bytes(4, order), [], place=place, longest=4, is_fixed=True)

    return build


HASHED = _value("password")
SALT = _value("salt")
TEXT_VALUE = Parameter("text", TEXT_ONLY)
LENGTH = _number("length", 1, 512)
ARGON2 = (_number("m", 8, MOST_MEMORY), _number("t", 1, 64), _number("p", 1, 64))
SCRYPT = (_number("n", 2, 2**20), _number("r", 1, 32), _number("p", 1, 16))
VARIANT = Parameter("variant", CHOICE, default="2b", choices=("2a", "2b", "2y"))
CRYPT_ROUNDS = _number("rounds", 1000, 5_000_000, 5000)

FUNCTIONS = {name: _digest(name) for name in DIGESTS} | {
    "hmac": Function((Parameter("digest", DIGEST), _value("key"), _value("message")), _hmac),
    "pbkdf2": Function((Parameter("digest", DIGEST), HASHED, SALT, _number("rounds", 1, 10_000_000), LENGTH), _pbkdf2),
    "scrypt": Function((HASHED, SALT, *SCRYPT, LENGTH), _scrypt),
    "argon2id_raw": Function((HASHED, SALT, *ARGON2, _number("length", 4, 512)), _argon2_raw),
    "argon2id": Function((HASHED, *ARGON2, _number("length", 4, 512, 32)), _argon2id),
    "bcrypt": Function((HASHED, _number("rounds", 4, 16), VARIANT), _bcrypt),
    "sha256crypt": Function((HASHED, CRYPT_ROUNDS), _crypt(foreign.sha256_crypt, "5", 43)),
    "sha512crypt": Function((HASHED, CRYPT_ROUNDS), _crypt(foreign.sha512_crypt, "6", 86)),
    "phpass": Function(
        (HASHED, _number("log2", 7, 22), Parameter("letter", CHOICE, default="P", choices=("P", "H"))), _phpass
    ),
    "drupal7": Function((HASHED, _number("log2", 7, 22)), _drupal7),
    "hex": Function((_value(),), _hex(large=False)),
    "HEX": Function((_value(),), _hex(large=True)),
    "base64": Function((_value(), Parameter("words", WORDS, choices=ENCODINGS)), _base64),
    "unhex": Function((TEXT_VALUE,), _decoded(bytes.fromhex, _("this is no hexadecimal text"))),
    "unbase64": Function((TEXT_VALUE,), _decoded(_unbase64, _("this is no base64"))),
    "utf16le": Function((TEXT_VALUE,), _recoded(BYTES, lambda text: text.encode("utf-16-le"), 2)),
    "lower": Function((TEXT_VALUE,), _recoded(TEXT, str.lower, 2)),
    "upper": Function((TEXT_VALUE,), _recoded(TEXT, str.upper, 3)),
    "nfc": Function((TEXT_VALUE,), _recoded(TEXT, partial(unicodedata.normalize, "NFC"), 3)),
    "nfkc": Function((TEXT_VALUE,), _recoded(TEXT, partial(unicodedata.normalize, "NFKC"), 11)),
    "trim": Function((TEXT_VALUE,), _recoded(TEXT, str.strip, 1)),
    "left": Function((_value(), LENGTH), _cut(end=False)),
    "right": Function((_value(), LENGTH), _cut(end=True)),
    "int32": Function((_number("number", 0, 2**31 - 1),), _int32("big")),
    "int32le": Function((_number("number", 0, 2**31 - 1),), _int32("little")),
}
