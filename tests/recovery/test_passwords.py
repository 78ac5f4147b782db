"""Password hashes in other platforms' forms, judged by vectors and libraries that did not make them."""

import base64
import hmac
import secrets
import subprocess

import bcrypt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    BCryptPasswordHasher,
    BCryptSHA256PasswordHasher,
    PBKDF2PasswordHasher,
    PBKDF2SHA1PasswordHasher,
    ScryptPasswordHasher,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from passlib import hash as foreign

from recovery.hashing import passwords
from recovery.language import profiles
from recovery.language.password_rule import PasswordRule
from recovery.refusals import PasswordRefused, SchemeUnknown

PASSWORD = "Correct horse ünï 1!"
PREFIXES = [
    "$argon2id$v=19$m=19456,t=2,p=1$",
    "argon2$argon2id$v=19$m=8192,t=2,p=8$",
    "$2a$04$",
    "$2b$04$",
    "$2y$05$",
    "bcrypt$$2b$04$",
    "bcrypt_sha256$$2b$04$",
    "pbkdf2_sha256$1000$",
    "pbkdf2_sha1$1000$",
    "scrypt$1024$$8$5$",
    "scrypt:1024:8:1$",
    "pbkdf2:sha256:1000$",
    "$6$",
    "$6$rounds=6000$",
    "$P$8",
    "$H$9",
    "$pbkdf2-sha256$1000$",
    "$pbkdf2-sha512$1000$",
    "$pbkdf2-sha256$i=1000,l=32$",
    "$pbkdf2-sha512$i=1000$",
    "$pbkdf2-sha1$i=1000$",
    "$scrypt$ln=8,r=8,p=1$",
    "$bcrypt-sha256$v=2,t=2b,r=4$",
    "$5$",
    "$5$rounds=6000$",
    "$argon2i$v=19$m=1024,t=2,p=1$",
    "$S$7",
    "{CRYPT}$2y$05$",
    "{BCRYPT}$2b$04$",
    "{bcrypt}$2a$04$",
    "{CRYPT}$6$",
    "{SHA512-CRYPT}$6$rounds=6000$",
    "{CRYPT}$5$",
    "{ARGON2ID}$argon2id$v=19$m=1024,t=2,p=1$",
]


def _unbased(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


def phc_pbkdf2(password: str, written: str) -> bool:
    """By cryptography's own PBKDF2, from the PHC string format's specification."""
    _empty, name, cost, salt, value = written.split("$")
    rounds = int(cost.split(",")[0].removeprefix("i="))
    digest = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha512": hashes.SHA512()}[name.removeprefix("pbkdf2-")]
    wanted = _unbased(value)
    return PBKDF2HMAC(digest, len(wanted), _unbased(salt), rounds).derive(password.encode()) == wanted


def phc_scrypt(password: str, written: str) -> bool:
    _empty, _name, cost, salt, value = written.split("$")
    ln, r, p = (int(part.split("=")[1]) for part in cost.split(","))
    return Scrypt(_unbased(salt), len(_unbased(value)), 2**ln, r, p).derive(password.encode()) == _unbased(value)


def bcrypt_over_hmac(password: str, written: str) -> bool:
    """passlib's documented construction: bcrypt over base64 of HMAC-SHA256 keyed with the salt."""
    _empty, _name, _cost, salt, value = written.split("$")
    pre = base64.b64encode(hmac.digest(salt.encode(), password.encode(), "sha256"))
    return bcrypt.hashpw(pre, f"$2b$04${salt}".encode()).decode() == f"$2b$04${salt}{value}"


def django_argon2(password: str, written: str) -> bool:
    return Argon2PasswordHasher().verify(password, f"argon2{written}")


def openssl(password: str, written: str) -> bool:
    """The system's own SHA-crypt."""
    *_rest, salt, _value = written.split("$")
    setting = f"{written[3:].split('$')[0]}$" if "rounds=" in written else ""
    command = ["openssl", "passwd", "-5", "-salt", f"{setting}{salt}", "-stdin"]
    made = subprocess.run(command, input=password.encode(), capture_output=True, check=True).stdout.decode().strip()
    return made == written


JUDGES = {
    "argon2$argon2id$v=19$m=8192,t=2,p=8$": Argon2PasswordHasher().verify,
    "bcrypt$$2b$04$": BCryptPasswordHasher().verify,
    "bcrypt_sha256$$2b$04$": BCryptSHA256PasswordHasher().verify,
    "pbkdf2_sha256$1000$": PBKDF2PasswordHasher().verify,
    "pbkdf2_sha1$1000$": PBKDF2SHA1PasswordHasher().verify,
    "scrypt$1024$$8$5$": ScryptPasswordHasher().verify,
    "$argon2id$v=19$m=19456,t=2,p=1$": foreign.argon2.verify,
    "$2y$05$": foreign.bcrypt.verify,
    "$pbkdf2-sha256$i=1000,l=32$": phc_pbkdf2,
    "$pbkdf2-sha512$i=1000$": phc_pbkdf2,
    "$pbkdf2-sha1$i=1000$": phc_pbkdf2,
    "$scrypt$ln=8,r=8,p=1$": phc_scrypt,
    "$bcrypt-sha256$v=2,t=2b,r=4$": bcrypt_over_hmac,
    "$5$rounds=6000$": openssl,
    "$5$": openssl,
    "$argon2i$v=19$m=1024,t=2,p=1$": django_argon2,
    "{CRYPT}$2y$05$": foreign.ldap_bcrypt.verify,
    "{CRYPT}$6$": foreign.ldap_sha512_crypt.verify,
    "{CRYPT}$5$": foreign.ldap_sha256_crypt.verify,
}
VECTORS = {
    # Drepper's SHA-crypt paper, RFC 6070 in PHC spelling
    "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5": "Hello world!",
    "$pbkdf2-sha1$i=4096,l=20$c2FsdA$SwB5AbdlSJq+rUnZJvch0GWkKcE": "password",
    # Openwall crypt_blowfish, Drepper's SHA-crypt paper (openssl passwd -6), phpass test, RFC 7914 sections 11 and 12
    "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW": "U*U",
    "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1": "Hello world!",
    "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0": "test12345",
    "scrypt:16384:8:1$SodiumChloride$7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887": "pleaseletmein",
    "pbkdf2:sha256:1$salt$55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc": "passwd",
}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_new_hash_has_the_scheme_and_cost_of_the_row(prefix: str) -> None:
    scheme = passwords.describe(prefix)

    made = passwords.make(PASSWORD, scheme)

    assert str(passwords.describe(made)) == str(scheme)
    assert passwords.verify(PASSWORD, made)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_wrong_password_does_not_fit(prefix: str) -> None:
    made = passwords.make(PASSWORD, passwords.describe(prefix))

    assert not passwords.verify(PASSWORD[:-1], made)


@pytest.mark.parametrize("prefix", JUDGES)
def test_platforms_own_library_accepts_the_hash(prefix: str) -> None:
    made = passwords.make(PASSWORD, passwords.describe(prefix))

    assert JUDGES[prefix](PASSWORD, made)


@pytest.mark.parametrize("written", VECTORS)
def test_published_vector_is_verified(written: str) -> None:
    assert passwords.verify(VECTORS[written], written)
    assert not passwords.verify(VECTORS[written] + "x", written)


def test_two_hashes_of_one_password_differ() -> None:
    scheme = passwords.describe("$argon2id$v=19$m=8192,t=1,p=1$")

    assert passwords.make("a" * 12, scheme) != passwords.make("a" * 12, scheme)


def test_bcrypt_refuses_what_it_would_cut_at_72_bytes() -> None:
    with pytest.raises(PasswordRefused, match="72 bytes"):
        passwords.make("é" * 37, passwords.describe("$2b$04$"))


def test_bcrypt_takes_exactly_72_bytes() -> None:
    made = passwords.make("é" * 36, passwords.describe("$2b$04$"))

    assert passwords.verify("é" * 36, made)


@pytest.mark.parametrize(
    "password", ["a long\0password", "a long\ud800password", "a long\npassword", "a long\u202epassword"]
)
def test_character_that_nobody_can_type_is_refused(password: str) -> None:
    with pytest.raises(PasswordRefused, match="cannot be typed"):
        passwords.make(password, passwords.describe("$6$"))


@pytest.mark.parametrize("password", ["", "short"])
def test_password_that_is_too_short_is_refused(password: str) -> None:
    with pytest.raises(PasswordRefused, match="at least 12"):
        passwords.make(password, passwords.describe("$6$"), shortest=12)


def test_ten_megabytes_are_refused_before_they_are_hashed() -> None:
    with pytest.raises(PasswordRefused, match="1024 bytes"):
        passwords.make("x" * 10_000_000, passwords.describe("$6$"))


def test_hash_that_the_column_would_cut_is_refused() -> None:
    with pytest.raises(PasswordRefused, match="the platform's column takes 60"):
        passwords.make(PASSWORD, passwords.describe("$6$"), longest_hash=60)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "md5:900150983cd24fb0d6963f7d28e17f72",
        "$1$salt$hash",
        "{SSHA}abc",
        "argon2id",
        "$argon2d$v=19$m=8,t=1,p=1$",
        "{NOOP}$2b$04$",
    ],
)
def test_form_that_the_console_cannot_make_is_refused(written: str) -> None:
    with pytest.raises(SchemeUnknown):
        passwords.describe(written)


@pytest.mark.parametrize(
    "written", ["$argon2id$v=19$m=99999999,t=2,p=1$", "$2b$31$", "pbkdf2_sha256$99999999999$", "$scrypt$ln=21,r=8,p=1$"]
)
def test_cost_that_would_stop_the_console_is_refused(written: str) -> None:
    with pytest.raises(SchemeUnknown):
        passwords.describe(written)


@pytest.mark.parametrize("written", ["$2b$03$", "scrypt:1000:8:1$", "$argon2id$v=19$m=1,t=1,p=1$", "pbkdf2_sha256$0$"])
def test_cost_that_no_library_takes_is_refused(written: str) -> None:
    with pytest.raises(SchemeUnknown):
        passwords.make(PASSWORD, passwords.describe(written))


def test_refusal_shows_no_more_than_the_beginning_of_a_hash() -> None:
    with pytest.raises(SchemeUnknown) as caught:
        passwords.describe("unknown" + "s3cret" * 5)

    assert "s3cret" not in caught.value.sentence


@pytest.fixture
def rule() -> PasswordRule:
    return profiles.load("saas").password


def test_scheme_of_the_row_comes_before_the_profiles_default(rule: PasswordRule) -> None:
    assert passwords.choose(rule, "$2y$10$").name == "bcrypt"


def test_row_without_a_password_gets_the_profiles_default(rule: PasswordRule) -> None:
    assert passwords.choose(rule, None).name == "argon2id"


def test_row_whose_hash_has_an_unknown_form_is_refused(rule: PasswordRule) -> None:
    with pytest.raises(SchemeUnknown, match="declare its own"):
        passwords.choose(rule, "")


def test_fingerprint_tells_equal_values_under_one_key_only() -> None:
    one, other = secrets.token_bytes(32), secrets.token_bytes(32)

    assert passwords.fingerprint("hash", one) == passwords.fingerprint("hash", one)
    assert passwords.fingerprint("hash", one) != passwords.fingerprint("hash", other)
    assert passwords.fingerprint("hash", one).startswith("hmac:")


@settings(deadline=None, max_examples=100)
@given(st.text())
def test_any_text_in_place_of_a_hash_is_described_or_refused(text: str) -> None:
    try:
        assert passwords.describe(text).name
    except SchemeUnknown as refusal:
        assert refusal.sentence
