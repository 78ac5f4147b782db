"""What a declared sign-in may say, and what is refused by its key before anything is sent."""

import re
import tomllib
from pathlib import Path

import pytest

from recovery.language import login_rule
from recovery.language.login_rule import LoginCheck
from recovery.language.sections import Section
from recovery.refusals import ProfileRefused

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "profiles.md").read_text()
GOOD = """
[[login_check.step]]
name = "sign in"
method = "POST"
path = "/sign-in"
json = { email = "%(login)s", password = "%(password)s" }
[[login_check.step]]
name = "owner"
path = "/owner"
owner = true
"""


def parsed(text: str) -> LoginCheck:
    return login_rule.parse(Section(tomllib.loads(text), "mine.toml", "", ProfileRefused).below("login_check"))


def refused(text: str) -> str:
    """The key that is refused."""
    with pytest.raises(ProfileRefused) as caught:
        parsed(text)
    return caught.value.facts["key"]


def test_a_sign_in_and_an_owners_action_are_a_check():
    check = parsed(GOOD)

    assert [(step.name, step.sends_password, step.is_owner) for step in check.steps] == [
        ("sign in", True, False),
        ("owner", False, True),
    ]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('path = "/owner"', 'path = "/owner?p=%(password)s"', "path"),
        ('path = "/owner"', 'path = "/owner"\nheaders = { X-Password = "%(password)s" }', "headers"),
        ('path = "/owner"', 'path = "/owner"\ncontains = "%(password)s"', "contains"),
        ('path = "/owner"', 'path = "/owner"\nequals = { a = "%(password)s" }', "equals"),
        ('path = "/owner"', 'path = "/%(token)s"', "path"),
        ('path = "/owner"', 'path = "/100%"', "path"),
        ('path = "/owner"', 'path = "//evil.example/"', "path"),
        ('path = "/owner"', 'path = "https://evil.example/"', "path"),
        ('path = "/owner"', 'path = "/a b"', "path"),
        ('path = "/owner"', 'path = "/owner"\nmethod = "DELETE"', "method"),
        ('path = "/owner"', 'path = "/owner"\njson = { a = 1 }', "method"),
        ('path = "/owner"', 'path = "/owner"\nmethod = "PUT"\njson = { a = 1 }\nform = { a = "1" }', "form"),
        ('path = "/owner"', 'path = "/owner"\nmethod = "PUT"\njson = { a = 2026-01-01 }', "json"),
        ('path = "/owner"', 'path = "/owner"\nstatus = true', "status"),
        ('path = "/owner"', 'path = "/owner"\nstatus = [200, 999]', "status"),
        ('path = "/owner"', 'path = "/owner"\nheaders = { Host = "evil.example" }', "headers.Host"),
        ('path = "/owner"', 'path = "/owner"\nheaders = { Cookie = "a=b" }', "headers.Cookie"),
        ('path = "/owner"', 'path = "/owner"\nheaders = { A = "a\\r\\nB: c" }', "headers.A"),
        ('path = "/owner"', "path = '/owner'\nkeep = { a = { pattern = '(' } }", "keep.a.pattern"),
        ('path = "/owner"', "path = '/owner'\nkeep = { a = { pattern = 'a' } }", "keep.a.pattern"),
        ('path = "/owner"', "path = '/owner'\nkeep = { a = { header = 'a', cookie = 'b' } }", "keep.a"),
        ('path = "/owner"', "path = '/owner'\nkeep = { password = 'a' }", "keep.password"),
        ('path = "/owner"', "path = '/owner'\nequals = { a = [1] }", "equals.a"),
        ('path = "/owner"', 'path = "/owner"\nbody = "x"', "body"),
        ('name = "owner"', 'name = "sign in"', "name"),
    ],
)
def test_a_step_that_breaks_a_rule_is_refused_by_its_key(old, new, key):
    text = GOOD.replace(old, new)

    assert refused(text) == f"login_check.step 2.{key}"


def test_a_check_without_an_owners_action_is_refused():
    assert refused(GOOD.replace("owner = true", "")) == "login_check.step"


def test_an_owners_action_before_the_password_is_refused():
    assert refused(GOOD.replace('name = "sign in"', 'name = "sign in"\nowner = true')) == "login_check.step 1.owner"


def test_more_steps_than_ten_are_refused():
    more = "".join(f'[[login_check.step]]\nname = "{number}"\npath = "/"\n' for number in range(9))

    assert refused(GOOD + more) == "login_check.step"


def test_a_kept_value_is_known_to_later_steps_only():
    keeping = GOOD.replace('path = "/sign-in"', 'path = "/sign-in"\nkeep = { token = "a.b" }')

    assert parsed(keeping.replace('"/owner"', '"/owner/%(token)s"')).steps[1].path == "/owner/%(token)s"
    assert refused(keeping.replace('"/sign-in"', '"/sign-in/%(token)s"')) == "login_check.step 1.path"


def test_what_is_wanted_is_told_as_the_profile_has_it():
    step = parsed(GOOD.replace('"/owner"', '"/owner"\nnot_at = "/sign-in"\nequals = { email = "%(login)s" }')).steps[1]

    assert step.wanted == '200, not_at /sign-in, email = "%(login)s"'


def test_the_guides_second_example_is_a_check():
    text = next(part for part in re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL) if "login_check" in part)

    check = parsed(text)

    assert check.steps[0].json["auth"]["scope"] == {"system": {"all": True}}
