"""What a profile may say of a password scheme of its own, and every way in which the loader refuses it."""

import hashlib
import re
from pathlib import Path

import pytest

from recovery.language import profiles
from recovery.language.profile import Profile
from recovery.refusals import ProfileRefused

EXAMPLE = (Path(__file__).resolve().parents[2] / "docs" / "example-profile.toml").read_text()
BEFORE, _OLD, AFTER = re.split(r"(?ms)^(\[password\]\n.*?)(?=^# Step 5)", EXAMPLE)
HASH = hashlib.sha1(b"0f3a" + b"tea", usedforsecurity=False).hexdigest()
SECTION = f"""[password]
column = "member.pass"
scheme = "declared"
formula = "'s$' + salt + '$' + hex(sha1(salt + password))"
salt = "hex4"
longest = 60

[password.example]
password = "tea"
salt = "0f3a"
hash = "s$0f3a${HASH}"

"""
BARE = SECTION.replace("'s$' + salt + '$' + ", "").replace("s$0f3a$", "")


def load(folder: Path, section: str, *, old: str = "", new: str = "") -> Profile:
    path = folder / "mine.toml"
    text = BEFORE + section + AFTER
    assert old in text
    path.write_text(text.replace(old, new) if old else text)
    return profiles.load(str(path))


def refusal(folder: Path, old: str, new: str, section: str = SECTION) -> tuple[str, str]:
    with pytest.raises(ProfileRefused) as caught:
        load(folder, section, old=old, new=new)
    return caught.value.facts["key"], str(caught.value.facts["reason"])


def test_declared_scheme_with_a_known_answer_is_a_profile(tmp_path: Path) -> None:
    rule = load(tmp_path, SECTION).password

    assert rule.formula is not None
    assert rule.formula.names == {"password", "salt"}
    assert not rule.has_salt_column


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [
        ("sha1(salt + password)", "sha1(password + salt)", "password.example.hash", "gives another hash"),
        ('password = "tea"', 'password = "coffee"', "password.example.hash", "gives another hash"),
        ('password = "tea"', 'password = "tea"\nlogin = "omar"', "password.example.login", "known are password, salt"),
        ('salt = "0f3a"\n', "", "password.example.salt", "it is missing"),
        ("[password.example]", "[password.known]", "password.known", "it is not known here"),
        (SECTION.partition("[password.example]")[2], "\n", "password.example.password", "it is missing"),
        ("hex(sha1", "hex(sha9", "password.formula", "at character 25: sha9 is no function"),
        ('salt = "hex4"', 'salt = "dice"', "password.salt", "it must be one of base64_N, bytesN"),
        ('salt = "hex4"\n', "", "password.formula", "salt = 'hex32'"),
        ("longest = 60", "longest = 40", "password.example.hash", "longer than the 40 characters"),
        ("longest = 60", 'default = "$2b$12$"', "password.default", "no meaning with scheme = declared"),
        ('scheme = "declared"', 'scheme = "default"', "password.example", "no meaning with scheme = default"),
        ('scheme = "declared"', 'scheme = "mine"', "password.scheme", "one of row, default, declared"),
        ("longest = 60", 'pepper = "SELECT title AS pepper FROM company"', "password.pepper", "does not name it"),
    ],
)
def test_declared_scheme_is_refused_by_file_key_and_reason(
    tmp_path: Path, old: str, new: str, key: str, reason: str
) -> None:
    found = refusal(tmp_path, old, new)

    assert found[0] == key
    assert reason in found[1]


def test_pepper_query_has_one_column_of_that_name(tmp_path: Path) -> None:
    section = SECTION.replace("sha1(salt", "sha1(pepper + salt").replace('salt = "0f3a"', 'salt = "0f3a"\npepper = ""')

    found = refusal(tmp_path, "longest = 60", 'pepper = "SELECT title FROM company"', section)

    assert found == ("password.pepper", "its columns must be pepper, in this order")


def test_salt_that_the_hash_does_not_show_must_be_written_as_well(tmp_path: Path) -> None:
    found = refusal(tmp_path, "", "", BARE)

    assert found[0] == "outcome.create.statement"
    assert "%(salt)s" in found[1]


def test_salt_is_written_only_where_it_is_secret(tmp_path: Path) -> None:
    salted = AFTER.replace('"password_hash"]', '"password_hash", "salt"]').replace(
        "pass = %(password_hash)s,", "pass = %(password_hash)s, blocked_note = %(salt)s,"
    )
    salted = salted.replace("otp", "otp").replace(
        "pass, status, public_code", "pass, blocked_note, status, public_code"
    )
    salted = salted.replace("%(password_hash)s, 'active'", "%(password_hash)s, %(salt)s, 'active'")
    path = tmp_path / "mine.toml"
    path.write_text(BEFORE + BARE + salted)

    with pytest.raises(ProfileRefused) as caught:
        profiles.load(str(path))

    assert (
        caught.value.facts["reason"]
        == "salt is written to harbour.member.blocked_note, which its table does not list as secret"
    )


def test_salt_input_needs_a_declared_salt(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = EXAMPLE.replace('"password_hash"]', '"password_hash", "salt"]').replace(
        "SET pass = %(password_hash)s,", "SET pass = %(password_hash)s, otp_seed = %(salt)s,"
    )
    path.write_text(text)

    with pytest.raises(ProfileRefused) as caught:
        profiles.load(str(path))

    assert caught.value.facts["key"] == "outcome.reset.inputs"


def test_key_of_the_account_is_no_ingredient_of_a_new_account(tmp_path: Path) -> None:
    known = hashlib.sha1(b"7tea", usedforsecurity=False).hexdigest()
    section = SECTION.replace("'s$' + salt + '$' + hex(sha1(salt", "hex(sha1(key").replace('salt = "hex4"\n', "")
    section = section.replace('salt = "0f3a"', 'key = "7"').replace(f"s$0f3a${HASH}", known)

    found = refusal(tmp_path, "", "", section)

    assert found[0] == "outcome.create.statement"
    assert "does not have yet" in found[1]
