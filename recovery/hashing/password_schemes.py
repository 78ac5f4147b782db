"""How other platforms write password hashes: one family per written form, each with how it is made and how it is verified.

Pure. The libraries that define a form make it; what is written by hand here is only the form around a standard function.
"""

import base64
import hashlib
import hmac

import argon2
import bcrypt
from argon2.exceptions import VerificationError
from passlib import hash as foreign

from .password_families import ARGON2_MOST, BCRYPT_MOST, ROUNDS_MOST, SCRYPT_MOST, Found, family, new_salt, number
from .phc_schemes import ARGON2_TAGS, PHC

ITOA64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ARGON2_COST = r"\$v=\d+\$m=(?P<m>\d+),t=(?P<t>\d+),p=(?P<p>\d+)\$"


def make_argon2(password: str, found: Found) -> str:
    hasher = argon2.PasswordHasher(
        time_cost=number(found, "t"), memory_cost=number(found, "m"), parallelism=number(found, "p")
    )
    return hasher.hash(password)


def verify_argon2(password: str, written: str) -> bool:
    try:
        return argon2.PasswordHasher().verify(written, password)
    except VerificationError:
        return False


def make_django_argon2(password: str, found: Found) -> str:
    return "argon2" + make_argon2(password, found)


def verify_django_argon2(password: str, written: str) -> bool:
    return verify_argon2(password, written.removeprefix("argon2"))


def make_bcrypt(password: str, found: Found) -> str:
    made = bcrypt.hashpw(password.encode(), bcrypt.gensalt(number(found, "rounds"))).decode()
    return f"${found['variant']}${made[4:]}"  # 2a, 2b and 2y differ in name only since 2011


def verify_bcrypt(password: str, written: str) -> bool:
    return bcrypt.checkpw(password.encode(), written.encode())


def make_django_bcrypt(password: str, found: Found) -> str:
    return "bcrypt$" + make_bcrypt(password, found)


def verify_django_bcrypt(password: str, written: str) -> bool:
    return verify_bcrypt(password, written.removeprefix("bcrypt$"))


def _sha256_hex(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def make_django_bcrypt_sha256(password: str, found: Found) -> str:
    return "bcrypt_sha256$" + make_bcrypt(_sha256_hex(password), found)


def verify_django_bcrypt_sha256(password: str, written: str) -> bool:
    return verify_bcrypt(_sha256_hex(password), written.removeprefix("bcrypt_sha256$"))


def _pbkdf2(digest: str, password: str, salt: str, rounds: int) -> bytes:
    return hashlib.pbkdf2_hmac(digest, password.encode(), salt.encode(), rounds)


def _django_pbkdf2(password: str, digest: str, rounds: str, salt: str) -> str:
    value = base64.b64encode(_pbkdf2(digest, password, salt, int(rounds))).decode()
    return f"pbkdf2_{digest}${rounds}${salt}${value}"


def make_django_pbkdf2(password: str, found: Found) -> str:
    return _django_pbkdf2(password, found["digest"], found["rounds"], new_salt(22))


def verify_django_pbkdf2(password: str, written: str) -> bool:
    name, rounds, salt, _value = written.split("$")
    again = _django_pbkdf2(password, name.removeprefix("pbkdf2_"), rounds, salt)
    return hmac.compare_digest(again, written)


def _scrypt(password: str, salt: str, *cost: str) -> bytes:
    n, r, p = map(int, cost)
    memory = 132 * n * r * p
    return hashlib.scrypt(password.encode(), salt=salt.encode(), n=n, r=r, p=p, maxmem=memory, dklen=64)


def _django_scrypt(password: str, salt: str, n: str, r: str, p: str) -> str:
    value = base64.b64encode(_scrypt(password, salt, n, r, p)).decode()
    return f"scrypt${n}${salt}${r}${p}${value}"


def make_django_scrypt(password: str, found: Found) -> str:
    return _django_scrypt(password, new_salt(22), found["n"], found["r"], found["p"])


def verify_django_scrypt(password: str, written: str) -> bool:
    _name, n, salt, r, p, _value = written.split("$")
    return hmac.compare_digest(_django_scrypt(password, salt, n, r, p), written)


def _werkzeug(method: str, salt: str, value: bytes) -> str:
    return f"{method}${salt}${value.hex()}"


def make_werkzeug_scrypt(password: str, found: Found) -> str:
    salt, cost = new_salt(16), (found["n"], found["r"], found["p"])
    return _werkzeug(":".join(("scrypt", *cost)), salt, _scrypt(password, salt, *cost))


def verify_werkzeug_scrypt(password: str, written: str) -> bool:
    method, salt, _value = written.split("$")
    again = _werkzeug(method, salt, _scrypt(password, salt, *method.split(":")[1:]))
    return hmac.compare_digest(again, written)


def make_werkzeug_pbkdf2(password: str, found: Found) -> str:
    salt, digest, rounds = new_salt(16), found["digest"], found["rounds"]
    return _werkzeug(f"pbkdf2:{digest}:{rounds}", salt, _pbkdf2(digest, password, salt, int(rounds)))


def verify_werkzeug_pbkdf2(password: str, written: str) -> bool:
    method, salt, _value = written.split("$")
    _name, digest, rounds = method.split(":")
    again = _werkzeug(method, salt, _pbkdf2(digest, password, salt, int(rounds)))
    return hmac.compare_digest(again, written)


def make_sha512_crypt(password: str, found: Found) -> str:
    return foreign.sha512_crypt.using(rounds=int(found["rounds"] or 5000)).hash(password)


def make_phpass(password: str, found: Found) -> str:
    rounds = ITOA64.index(found["rounds"])
    return foreign.phpass.using(rounds=rounds, ident=f"${found['variant']}$").hash(password)


def make_passlib_pbkdf2(password: str, found: Found) -> str:
    scheme = {"256": foreign.pbkdf2_sha256, "512": foreign.pbkdf2_sha512}[found["digest"]]
    return scheme.using(rounds=number(found, "rounds")).hash(password)


def verify_passlib_pbkdf2(password: str, written: str) -> bool:
    scheme = foreign.pbkdf2_sha256 if written.startswith("$pbkdf2-sha256$") else foreign.pbkdf2_sha512
    return scheme.verify(password, written)


BCRYPT = r"\$(?P<variant>2[aby])\$(?P<rounds>\d\d)\$"
PBKDF2_DIGEST = r"(?P<digest>sha1|sha256|sha512)"

FAMILIES = (
    family(
        name="argon2id",
        pattern=r"\$argon2id" + ARGON2_COST,
        prefix=r"^(\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$)",
        make=make_argon2,
        verify=verify_argon2,
        most=ARGON2_MOST,
        tags=ARGON2_TAGS,
    ),
    family(
        name="django argon2",
        pattern=r"argon2\$argon2id" + ARGON2_COST,
        prefix=r"^(argon2\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$)",
        make=make_django_argon2,
        verify=verify_django_argon2,
        most=ARGON2_MOST,
    ),
    family(
        name="bcrypt",
        pattern=BCRYPT,
        prefix=r"^(\$2[aby]\$\d\d\$)",
        make=make_bcrypt,
        verify=verify_bcrypt,
        most=BCRYPT_MOST,
        longest=72,
        tags=("BCRYPT", "BLF-CRYPT", "CRYPT", "bcrypt"),
    ),
    family(
        name="django bcrypt",
        pattern=r"bcrypt\$" + BCRYPT,
        prefix=r"^(bcrypt\$\$2[aby]\$\d\d\$)",
        make=make_django_bcrypt,
        verify=verify_django_bcrypt,
        most=BCRYPT_MOST,
        longest=72,
    ),
    family(
        name="django bcrypt_sha256",
        pattern=r"bcrypt_sha256\$" + BCRYPT,
        prefix=r"^(bcrypt_sha256\$\$2[aby]\$\d\d\$)",
        make=make_django_bcrypt_sha256,
        verify=verify_django_bcrypt_sha256,
        most=BCRYPT_MOST,
    ),
    family(
        name="django pbkdf2",
        pattern=rf"pbkdf2_{PBKDF2_DIGEST}\$(?P<rounds>\d+)\$",
        prefix=r"^(pbkdf2_sha(?:1|256|512)\$\d+\$)",
        make=make_django_pbkdf2,
        verify=verify_django_pbkdf2,
        most=ROUNDS_MOST,
    ),
    family(
        name="django scrypt",
        pattern=r"scrypt\$(?P<n>\d+)\$[^$]*\$(?P<r>\d+)\$(?P<p>\d+)\$",
        prefix=r"^(scrypt\$\d+\$)[^$]*(\$\d+\$\d+\$)",
        make=make_django_scrypt,
        verify=verify_django_scrypt,
        most=SCRYPT_MOST,
    ),
    family(
        name="werkzeug scrypt",
        pattern=r"scrypt:(?P<n>\d+):(?P<r>\d+):(?P<p>\d+)\$",
        prefix=r"^(scrypt:\d+:\d+:\d+\$)",
        make=make_werkzeug_scrypt,
        verify=verify_werkzeug_scrypt,
        most=SCRYPT_MOST,
    ),
    family(
        name="werkzeug pbkdf2",
        pattern=rf"pbkdf2:{PBKDF2_DIGEST}:(?P<rounds>\d+)\$",
        prefix=r"^(pbkdf2:sha(?:1|256|512):\d+\$)",
        make=make_werkzeug_pbkdf2,
        verify=verify_werkzeug_pbkdf2,
        most=ROUNDS_MOST,
    ),
    family(
        name="sha512-crypt",
        pattern=r"\$6\$(?:rounds=(?P<rounds>\d+)\$)?",
        prefix=r"^(\$6\$(?:rounds=\d+\$)?)",
        make=make_sha512_crypt,
        verify=foreign.sha512_crypt.verify,
        most=ROUNDS_MOST,
        tags=("CRYPT", "SHA512-CRYPT"),
    ),
    family(
        name="phpass",
        pattern=r"\$(?P<variant>[PH])\$(?P<rounds>[./0-9A-Za-z])",
        prefix=r"^(\$[PH]\$.)",
        make=make_phpass,
        verify=foreign.phpass.verify,
        most={},
    ),
    family(
        name="passlib pbkdf2",
        pattern=r"\$pbkdf2-sha(?P<digest>256|512)\$(?P<rounds>\d+)\$",
        prefix=r"^(\$pbkdf2-sha(?:256|512)\$\d+\$)",
        make=make_passlib_pbkdf2,
        verify=verify_passlib_pbkdf2,
        most=ROUNDS_MOST,
    ),
    *PHC,
)
