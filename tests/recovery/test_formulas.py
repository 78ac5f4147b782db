"""Formulas of password schemes, judged by plain standard-library computations and libraries that did not make them."""

import base64
import hashlib
import hmac
import struct
import sys
import unicodedata

import bcrypt
import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis import strategies as st
from passlib import hash as foreign

from recovery.hashing import formulas
from recovery.hashing.formula_nodes import FormulaRefused, Given
from recovery.hashing.salts import salt_named

PASSWORD, SALT, PEPPER, LOGIN = "Correct horse ünï 1!", "0f3a9c", "p€pper", "Omar@Example.org"
P, S, X = PASSWORD.encode(), SALT.encode(), PEPPER.encode()
TEXT = Given(password=PASSWORD, salt=SALT, pepper=PEPPER, login=LOGIN, key="42")
RAW = bytes(range(16))


def hexed(digest: str, data: bytes) -> str:
    return hashlib.new(digest, data).hexdigest()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def symfony(rounds: int) -> str:
    salted = P + b"{" + S + b"}"
    value = hashlib.sha512(salted).digest()
    for _round in range(rounds - 1):
        value = hashlib.sha512(value + salted).digest()
    return b64(value)


# The same scheme as a formula, and as anybody would compute it.
SAME = {
    "hex(sha1(salt + hex(sha1(password))))": hexed("sha1", S + hexed("sha1", P).encode()),
    "hex(md5(hex(md5(password)) + salt))": hexed("md5", hexed("md5", P).encode() + S),
    "hex(md5(hex(md5(salt)) + hex(md5(password))))": hexed("md5", (hexed("md5", S) + hexed("md5", P)).encode()),
    "hex(sha1(lower(login) + password))": hexed("sha1", LOGIN.lower().encode() + P),
    "hex(md5(key + password))": hexed("md5", b"42" + P),
    "HEX(sha256(utf16le(password)))": hashlib.sha256(PASSWORD.encode("utf-16-le")).hexdigest().upper(),
    "'{SSHA}' + base64(sha1(password + salt) + salt)": "{SSHA}" + b64(hashlib.sha1(P + S).digest() + S),
    "base64(hmac(sha256, pepper, password))": b64(hmac.digest(X, P, "sha256")),
    "'md5$' + salt + '$' + hex(md5(salt + password))": f"md5${SALT}${hexed('md5', S + P)}",
    "base64(sha512(password), url, nopad)": base64.urlsafe_b64encode(hashlib.sha512(P).digest()).decode().rstrip("="),
    "base64(sha512(password), dot, nopad)": base64.b64encode(hashlib.sha512(P).digest(), b"./").decode().rstrip("="),
    "left(hex(sha1(password)), 10) + right(salt, 2)": hexed("sha1", P)[:10] + SALT[-2:],
    "'it''s ' + upper(hex(sha3_256(password)))": "it's " + hexed("sha3_256", P).upper(),
    "hex(sha1(unhex(salt) + password))": hexed("sha1", bytes.fromhex(SALT) + P),
    "hex(sha1(x'00ff' + int32le(258) + password))": hexed("sha1", b"\0\xff\x02\x01\0\0" + P),
    "base64(repeat(500, sha512(password + '{' + salt + '}'), sha512(it + password + '{' + salt + '}')))": symfony(501),
    "':pbkdf2:sha512:3000:64:' + base64(salt) + ':' + base64(pbkdf2(sha512, password, salt, 3000, 64))": (
        f":pbkdf2:sha512:3000:64:{b64(S)}:{b64(hashlib.pbkdf2_hmac('sha512', P, S, 3000, 64))}"
    ),
    "hex(scrypt(password, salt, n=1024, r=8, p=1, length=32))": hashlib.scrypt(
        P, salt=S, n=1024, r=8, p=1, dklen=32
    ).hex(),
}


@pytest.mark.parametrize("text", SAME)
def test_formula_gives_what_the_standard_library_gives(text: str) -> None:
    formula = formulas.read(text, salt=salt_named("hex6"))

    assert formula.make(TEXT) == SAME[text]
    assert formula.verify(SAME[text], TEXT)
    assert not formula.verify(SAME[text], Given("other", SALT, PEPPER, LOGIN, "42"))


def test_binary_layout_of_aspnet_identity_3() -> None:
    text = "base64(x'01' + int32(1) + int32(1000) + int32(16) + salt + pbkdf2(sha256, password, salt, 1000, 32))"

    made = formulas.read(text, salt=salt_named("bytes16")).make(Given(PASSWORD, salt=RAW))

    key = hashlib.pbkdf2_hmac("sha256", P, RAW, 1000, 32)
    assert base64.b64decode(made) == b"\x01" + struct.pack(">III", 1, 1000, 16) + RAW + key


def test_bcrypt_with_pepper_is_accepted_by_bcrypt() -> None:
    made = formulas.read("bcrypt(password + pepper, 4, '2y')").make(TEXT)

    assert made.startswith("$2y$04$")
    assert bcrypt.checkpw(P + X, made.encode())


@pytest.mark.parametrize(("name", "form"), [("nfc", "NFC"), ("nfkc", "NFKC")])
@pytest.mark.parametrize("typed", ["u\u0308nï", "ﬁve ½ ①", "Ⅷ ＡＢ", "\u1e9b\u0323", "가", "\ufdfa"])
def test_normal_form_is_that_of_unicode(name: str, form: str, typed: str) -> None:
    made = formulas.read(f"hex(sha256({name}(password) + pepper))").make(Given(typed, pepper=PEPPER))

    assert made == hexed("sha256", unicodedata.normalize(form, typed).encode() + X)


@pytest.mark.parametrize(("name", "form", "times"), [("nfc", "NFC", 3), ("nfkc", "NFKC", 11)])
def test_no_character_outgrows_the_length_that_its_normal_form_is_given(name: str, form: str, times: int) -> None:
    every = (chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000)

    longest = max(len(unicodedata.normalize(form, one).encode()) / len(one.encode()) for one in every)

    assert longest == times


def test_trim_takes_every_space_of_unicode_from_both_ends_and_none_within() -> None:
    every = map(chr, range(sys.maxunicode + 1))
    spaces = "".join(
        one for one in every if unicodedata.category(one) == "Zs" or unicodedata.bidirectional(one) in {"WS", "B", "S"}
    )

    made = formulas.read("hex(sha1(trim(password)))").make(Given(f"{spaces}two words{spaces}"))

    assert made == hexed("sha1", b"two words")


def test_synapse_normalises_the_password_before_the_pepper() -> None:
    made = formulas.read("bcrypt(nfkc(password) + pepper, 4)").make(Given("ﬁve ½ ①", pepper=PEPPER))

    assert bcrypt.checkpw("five 1⁄2 1".encode() + X, made.encode())


def test_wordpress_6_8_is_bcrypt_over_a_digest() -> None:
    made = formulas.read("'$wp' + bcrypt(base64(hmac(sha384, 'wp-sha384', password)), 4, '2y')").make(TEXT)

    pre = base64.b64encode(hmac.digest(b"wp-sha384", P, "sha384"))
    assert bcrypt.checkpw(pre, made.removeprefix("$wp").encode())


def test_typed_argon2_is_accepted_by_argon2() -> None:
    made = formulas.read("'3|' + argon2id(password, m=1024, t=2, p=1)").make(TEXT)

    assert made.startswith("3|$argon2id$v=19$m=1024,t=2,p=1$")
    assert PasswordHasher().verify(made.removeprefix("3|"), PASSWORD)


@pytest.mark.parametrize(
    ("text", "judge"),
    [
        ("sha512crypt(password)", foreign.sha512_crypt),
        ("sha256crypt(password, 1000)", foreign.sha256_crypt),
        ("phpass(password, 8)", foreign.phpass),
        ("phpass(password, 7, H)", foreign.phpass),
    ],
)
def test_crypt_forms_are_accepted_by_passlib(text: str, judge: object) -> None:
    formula = formulas.read(text)

    made = formula.make(TEXT)

    assert judge.verify(PASSWORD, made)  # type: ignore[attr-defined]
    assert formula.verify(made, TEXT)
    assert formula.make(TEXT) != made


def test_published_drupal_7_hash_is_verified() -> None:  # from hashcat's list of example hashes, mode 7900
    formula = formulas.read("drupal7(password, 14)")

    assert formula.verify("$S$C33783772bRXEx1aCsvY.dqgaaSu76XmVlKrW9Qu8IQlvxHlmzLf", Given("hashcat"))


PLACES = [
    ("hex(sha1(password)", 19, "is missing"),
    ("hex(sha1(pasword))", 10, "pasword is no ingredient"),
    ("hex(sha9(password))", 5, "sha9 is no function"),
    ("sha1(password)", 1, "would be bytes"),
    ("hex(sha1(salt + password))", 10, "salt = 'hex32'"),
    ("hex(sha1('x'))", 1, "password is not in it"),
    ("'x' + password", 1, "password could be read back"),
    ("hex(utf16le(password))", 1, "password could be read back"),
    ("nfkc(trim(password))", 1, "password could be read back"),
    ("hex(md5(nfc(md5(password))))", 13, "a text is needed"),
    ("pepper + hex(sha1(password))", 1, "pepper could be read back"),
    ("bcrypt(sha256(password), 12)", 8, "zero byte"),
    ("bcrypt(password, 17)", 18, "from 4 to 16"),
    ("bcrypt(password, 12, '2x')", 22, "must be one of"),
    ("hex(pbkdf2(md9, password, 's', 1000, 32))", 12, "must be one of"),
    ("hex(pbkdf2(sha1, password, 's', 99999999, 32))", 33, "from 1 to 10000000"),
    ("hex(pbkdf2(sha1, password, 's', 10000000, 512))", 5, "costs more"),
    ("argon2id(password, m=2097152, t=64, p=1)", 1, "costs more"),
    ("hex(argon2id(password, m=1024, t=1, p=1))", 1, "inside no other function"),
    ("bcrypt(password, 4) + bcrypt(password, 4)", 1, "stands once"),
    ("hex(repeat(9, password, it))", 25, "each round"),
    ("hex(repeat(9, password, it + it))", 25, "each round"),
    ("hex(repeat(1000000, sha1(password), repeat(1000000, it, sha1(it))))", 5, "costs more"),
    ("unhex(sha1(password))", 7, "a text is needed"),
    ("hex(sha1(password)) hex", 21, "a \\+ or the end"),
    ("hex(sha1(password)) + ", 23, "is missing"),
    ("hex(sha1(password; drop))", 18, "cannot be read"),
    ("", 1, "is missing"),
    ("hex(" * 21 + "sha1(password)" + ")" * 21, 81, "deeper"),
]


@pytest.mark.parametrize(("text", "place", "reason"), PLACES)
def test_formula_that_cannot_be_used_is_refused_at_its_place(text: str, place: int, reason: str) -> None:
    with pytest.raises(FormulaRefused, match=reason) as caught:
        formulas.read(text)

    assert caught.value.place == place


def test_formula_may_not_be_longer_than_a_person_reads() -> None:
    with pytest.raises(FormulaRefused, match="longer than"):
        formulas.read("hex(sha1(password))" + " " * 600)


def test_bcrypt_refuses_what_it_would_cut_and_counts_the_pepper() -> None:
    with pytest.raises(FormulaRefused, match="at most 64 bytes"):
        formulas.read("bcrypt(password + pepper, 4)").make(Given("x" * 65, pepper="p" * 8))


def test_bcrypt_counts_the_pepper_and_not_what_normalising_adds() -> None:
    with pytest.raises(FormulaRefused, match="at most 64 bytes"):
        formulas.read("bcrypt(nfkc(password) + pepper, 4)").make(Given("\ufdfa" * 20, pepper="p" * 8))


def test_value_that_is_no_hexadecimal_text_is_refused() -> None:
    with pytest.raises(FormulaRefused, match="no hexadecimal"):
        formulas.read("hex(hmac(sha1, unhex(pepper), password))").make(Given(PASSWORD, pepper="secret"))


def test_refusal_of_a_library_quotes_no_password() -> None:
    with pytest.raises(FormulaRefused) as caught:
        formulas.read("sha512crypt(password)").make(Given("s3cret\0word"))

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("name", ["hex31", "text16", "crypt8", "base64_16", "bytes16", "uuid"])
def test_salt_is_new_each_time_and_as_long_as_it_says(name: str) -> None:
    salt = salt_named(name)
    assert salt is not None

    one, other = salt.new(), salt.new()

    assert one != other
    assert len(one) == len(other) == salt.length


@pytest.mark.parametrize("name", ["", "hex", "hex0", "hex129", "dice6", "bytes-1"])
def test_salt_of_another_name_is_none(name: str) -> None:
    assert salt_named(name) is None


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="hexsa1(password)+' ,x0123.it=$", max_size=60))
def test_any_text_is_a_formula_or_refused(text: str) -> None:
    try:
        assert formulas.read(text).names
    except FormulaRefused as refusal:
        assert str(refusal)
