"""Typed forms: the PHC string format (`$name$cost$salt$value`), modular crypt, and what Drupal made of phpass. Pure.

See the PHC string format specification and Drepper's paper on SHA-crypt; each is made by a library where one makes it.
"""

import base64
import hashlib
import hmac
import secrets

import argon2
from argon2.exceptions import VerificationError
from passlib import hash as foreign

from .formula_functions import LETTERS, drupal7
from .password_families import ARGON2_MOST, BCRYPT_MOST, ROUNDS_MOST, Found, family, number

ARGON2_TAGS = ("ARGON2", "ARGON2I", "ARGON2ID", "argon2", "CRYPT")


def make_argon2i(password: str, found: Found) -> str:
    t, m, p = (number(found, name) for name in "tmp")
    return argon2.PasswordHasher(t, m, p, type=argon2.Type.I).hash(password)


def verify_argon2i(password: str, written: str) -> bool:
    try:
        return argon2.PasswordHasher(type=argon2.Type.I).verify(written, password)
    except VerificationError:
        return False


def _bare(value: bytes) -> str:
    return base64.b64encode(value).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _phc_pbkdf2(password: str, digest: str, cost: str, salt: str) -> str:
    named = dict(part.split("=") for part in cost.split(","))
    length = int(named.get("l", hashlib.new(digest).digest_size))
    value = hashlib.pbkdf2_hmac(digest, password.encode(), _bytes(salt), int(named["i"]), length)
    return f"$pbkdf2-{digest}${cost}${salt}${_bare(value)}"


def make_phc_pbkdf2(password: str, found: Found) -> str:
    cost = f"i={found['i']}" + (f",l={found['l']}" if found["l"] else "")
    return _phc_pbkdf2(password, f"sha{found['digest']}", cost, _bare(secrets.token_bytes(16)))


def verify_phc_pbkdf2(password: str, written: str) -> bool:
    _empty, name, cost, salt, _value = written.split("$")
    return hmac.compare_digest(_phc_pbkdf2(password, name.removeprefix("pbkdf2-"), cost, salt), written)


def make_phc_scrypt(password: str, found: Found) -> str:
    cost = {"rounds": number(found, "ln"), "block_size": number(found, "r"), "parallelism": number(found, "p")}
    return foreign.scrypt.using(**cost).hash(password)


def make_passlib_bcrypt_sha256(password: str, found: Found) -> str:
    return foreign.bcrypt_sha256.using(rounds=number(found, "rounds")).hash(password)


def make_sha256_crypt(password: str, found: Found) -> str:
    return foreign.sha256_crypt.using(rounds=int(found["rounds"] or 5000)).hash(password)


def make_drupal7(password: str, found: Found) -> str:
    salt = "".join(secrets.choice(LETTERS) for _n in range(8))
    return drupal7(password.encode(), salt, LETTERS.index(found["rounds"]))


def verify_drupal7(password: str, written: str) -> bool:
    again = drupal7(password.encode(), written[4:12], LETTERS.index(written[3]))
    return hmac.compare_digest(again, written)


PHC = (
    family(
        name="argon2i",
        pattern=r"\$argon2i\$v=\d+\$m=(?P<m>\d+),t=(?P<t>\d+),p=(?P<p>\d+)\$",
        prefix=r"^(\$argon2i\$v=\d+\$m=\d+,t=\d+,p=\d+\$)",
        make=make_argon2i,
        verify=verify_argon2i,
        most=ARGON2_MOST,
        tags=ARGON2_TAGS,
    ),
    family(
        name="phc pbkdf2",
        pattern=r"\$pbkdf2-sha(?P<digest>1|256|512)\$i=(?P<i>\d+)(?:,l=(?P<l>\d+))?\$",
        prefix=r"^(\$pbkdf2-sha(?:1|256|512)\$i=\d+(?:,l=\d+)?\$)",
        make=make_phc_pbkdf2,
        verify=verify_phc_pbkdf2,
        most={"i": ROUNDS_MOST["rounds"], "l": 64},
    ),
    family(
        name="phc scrypt",
        pattern=r"\$scrypt\$ln=(?P<ln>\d+),r=(?P<r>\d+),p=(?P<p>\d+)\$",
        prefix=r"^(\$scrypt\$ln=\d+,r=\d+,p=\d+\$)",
        make=make_phc_scrypt,
        verify=foreign.scrypt.verify,
        most={"ln": 20, "r": 32, "p": 16},
    ),
    family(
        name="passlib bcrypt_sha256",
        pattern=r"\$bcrypt-sha256\$v=2,t=2b,r=(?P<rounds>\d+)\$",
        prefix=r"^(\$bcrypt-sha256\$v=2,t=2b,r=\d+\$)",
        make=make_passlib_bcrypt_sha256,
        verify=foreign.bcrypt_sha256.verify,
        most=BCRYPT_MOST,
    ),
    family(
        name="sha256-crypt",
        pattern=r"\$5\$(?:rounds=(?P<rounds>\d+)\$)?",
        prefix=r"^(\$5\$(?:rounds=\d+\$)?)",
        make=make_sha256_crypt,
        verify=foreign.sha256_crypt.verify,
        most=ROUNDS_MOST,
        tags=("CRYPT", "SHA256-CRYPT"),
    ),
    family(
        name="drupal 7",
        pattern=r"\$S\$(?P<rounds>[5-9A-K])",
        prefix=r"^(\$S\$[5-9A-K])",
        make=make_drupal7,
        verify=verify_drupal7,
        most={},
    ),
)
