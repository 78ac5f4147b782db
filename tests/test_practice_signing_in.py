"""What a drill says of the platform's own sign-in: a no is a no, also where a restart may be what is missing."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from breakglass.practice import signing_in
from breakglass.practice.signing_in import DrillFailed
from recovery.platforms import Platform
from tests.recovery import sites
from tests.recovery.sites import Site

CHECK = """
[[login_check.step]]
name = "sign in"
method = "POST"
path = "/sign-in"
json = { email = "%(login)s", password = "%(password)s" }

[[login_check.step]]
name = "open the owner's page"
path = "/owner"
owner = true
"""
RESTART = 'restart = ""'
WHO = {"login": "dana@acme.example", "password": "a long new passphrase"}


@pytest.fixture
def site() -> Iterator[Site]:
    with sites.running() as found:
        found.replies_with("GET", "/owner")
        yield found


@pytest.fixture
def platform(tmp_path: Path, settings: Settings, site: Site) -> Platform:
    """A platform that caches its accounts."""
    settings.PLATFORMS_FILE = str(tmp_path / "platforms.toml")
    sites.platform_with(tmp_path, CHECK, url=site.url)
    profile = tmp_path / "foreign.toml"
    assert RESTART in profile.read_text()
    profile.write_text(profile.read_text().replace(RESTART, 'restart = "It keeps accounts in memory."'))
    return sites.platforms.get("foreign")


def test_person_who_is_in_is_told_as_such(platform: Platform, site: Site) -> None:
    site.replies_with("POST", "/sign-in")

    assert "did what only an owner may" in signing_in.look(platform, **WHO)


def test_refused_sign_in_fails_the_drill_although_a_restart_may_be_missing(platform: Platform, site: Site) -> None:
    site.replies_with("POST", "/sign-in", 403)

    with pytest.raises(DrillFailed, match=r"another status \(403\).*keeps accounts in memory.*--restart COMMAND"):
        signing_in.look(platform, **WHO)


def test_platform_is_asked_again_after_its_restart(platform: Platform, site: Site, tmp_path: Path) -> None:
    restarted = tmp_path / "restarted"
    site.replies["POST", "/sign-in"] = lambda handler, _asked: handler.send(200 if restarted.exists() else 401)
    command = f"{sys.executable} -c \"open('{restarted}', 'w')\""

    assert "did what only an owner may" in signing_in.look(platform, **WHO, restart=command)


def test_restart_that_does_not_help_is_a_no(platform: Platform, site: Site) -> None:
    site.replies_with("POST", "/sign-in", 401)

    with pytest.raises(DrillFailed, match="refused the sign-in"):
        signing_in.look(platform, **WHO, restart="true")


def test_without_a_password_nothing_is_tried(platform: Platform, site: Site) -> None:
    assert signing_in.look(platform, login=WHO["login"], password="") == ""
    assert site.asked == []
