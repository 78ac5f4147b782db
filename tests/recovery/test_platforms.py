"""What the platform file may say, and how its connections are kept from other eyes."""

import os
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from recovery import platforms
from recovery.connections import Pepper
from recovery.refusals import (
    ConnectionMissing,
    PepperFileOpen,
    PlatformFileBroken,
    ProfileRefused,
    SecretFileOpen,
    TicketRefused,
    UnknownPlatform,
)

TEXT = """
[platform.acme]
title = "Acme"
profile = "saas"
sandbox = true
ticket_pattern = "OPS-[0-9]{1,6}"
ticket_example = "OPS-3311"
ticket_url = "https://tickets.example/{ticket}"
sign_in_url = "https://acme.example/sign-in"
owner_notice = ["owners@acme.example"]
reader_env = "ACME_READER"
broker_file = "broker"

[[platform.acme.network]]
title = "Bastion rule"
owner = "Network on call"

[[platform.acme.secret]]
title = "Broker password"
owner = "Database team"

[[platform.acme.source]]
kind = "log"
title = "Backend log"
where = "/var/log/acme"
"""


@pytest.fixture
def folder(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.PLATFORMS_FILE = str(tmp_path / "platforms.toml")
    monkeypatch.setenv("ACME_READER", "postgresql://reader:secret@db.example/acme")
    (tmp_path / "platforms.toml").write_text(TEXT)
    broker = tmp_path / "broker"
    broker.touch(mode=0o600)
    broker.write_text("host=db.example port=5433 dbname=acme user=broker password=secret\n")
    return tmp_path


def rewrite(folder: Path, old: str, new: str) -> None:
    assert old in TEXT
    (folder / "platforms.toml").write_text(TEXT.replace(old, new, 1))


def test_platform_says_what_belongs_to_its_recovery(folder: Path) -> None:
    acme = platforms.get("acme")

    assert (acme.title, acme.profile.name, acme.sandbox, acme.practice) == ("Acme", "saas", True, False)
    assert [item.title for item in (*acme.network, *acme.secrets)] == ["Bastion rule", "Broker password"]
    assert [source.kind for source in acme.sources] == ["log"]
    assert len(acme.digest) == 64


def test_all_platforms_are_listed_in_the_order_of_the_file(folder: Path) -> None:
    (folder / "platforms.toml").write_text(TEXT.replace("acme", "zeta") + TEXT)

    assert [platform.name for platform in platforms.all()] == ["zeta", "acme"]


def test_changed_file_counts_at_the_next_use(folder: Path) -> None:
    before = platforms.get("acme").digest

    rewrite(folder, 'title = "Acme"', 'title = "Acme two"')

    assert platforms.get("acme").title == "Acme two"
    assert platforms.get("acme").digest != before


def test_unknown_platform_is_refused_with_the_known_ones(folder: Path) -> None:
    with pytest.raises(UnknownPlatform, match="Known are: acme"):
        platforms.get("emca")


def test_connections_come_from_variable_and_file(folder: Path) -> None:
    acme = platforms.get("acme")

    assert acme.conninfo("reader") == "postgresql://reader:secret@db.example/acme"
    assert acme.conninfo("broker").startswith("host=db.example")


def test_temporary_login_goes_where_the_broker_goes(folder: Path) -> None:
    conninfo = platforms.get("acme").conninfo_of("bg_1", "one time")

    assert "host=db.example" in conninfo
    assert "port=5433" in conninfo
    assert "user=bg_1" in conninfo
    assert "secret" not in conninfo


def test_platform_never_shows_a_connection(folder: Path) -> None:
    assert "secret@" not in repr(platforms.get("acme"))


def test_variable_that_is_not_set_is_refused_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME_READER")

    with pytest.raises(ConnectionMissing, match="ACME_READER"):
        platforms.get("acme").conninfo("reader")


def test_variable_that_is_no_connection_is_refused_without_showing_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_READER", "s3cret and nonsense")

    with pytest.raises(ConnectionMissing) as caught:
        platforms.get("acme").conninfo("reader")

    assert "s3cret" not in caught.value.sentence


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_secret_file_that_others_can_read_is_refused(folder: Path, mode: int) -> None:
    (folder / "broker").chmod(mode)

    with pytest.raises(SecretFileOpen, match="lets others in"):
        platforms.get("acme").conninfo("broker")


def test_secret_file_of_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = (folder / "broker").stat().st_uid
    if owner == 0:
        os.chown(folder / "broker", 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)

    with pytest.raises(SecretFileOpen, match="another user"):
        platforms.get("acme").conninfo("broker")


def test_pepper_file_that_others_can_read_is_refused_and_the_pepper_kept(folder: Path) -> None:
    file = folder / "pepper"
    file.write_text("pepper")
    file.chmod(0o644)

    with pytest.raises(PepperFileOpen, match="lets others in") as caught:
        Pepper("pepper", "acme", "", file).secret()

    assert "Do not change the pepper itself" in caught.value.sentence


def test_secret_file_that_is_missing_is_refused(folder: Path) -> None:
    (folder / "broker").unlink()

    with pytest.raises(ConnectionMissing, match="cannot be read"):
        platforms.get("acme").conninfo("broker")


def test_ticket_of_the_platforms_form_is_linked(folder: Path) -> None:
    acme = platforms.get("acme")
    acme.check_ticket("OPS-12")

    assert acme.ticket_url("OPS-12") == "https://tickets.example/OPS-12"


@pytest.mark.parametrize("ticket", ["", "OPS-", "ops-12", "OPS-12 ", "OPS-12\n", "xOPS-12", "OPS-1234567"])
def test_ticket_of_another_form_is_refused(folder: Path, ticket: str) -> None:
    with pytest.raises(TicketRefused, match="OPS-3311"):
        platforms.get("acme").check_ticket(ticket)


def test_ticket_cannot_leave_its_place_in_the_address(folder: Path) -> None:
    assert platforms.get("acme").ticket_url("../x?y#z") == "https://tickets.example/..%2Fx%3Fy%23z"


def test_profile_may_lie_beside_the_platform_file(folder: Path) -> None:
    (folder / "mine.toml").write_text(platforms.get("acme").profile.text)
    rewrite(folder, '"saas"', '"mine.toml"')

    assert platforms.get("acme").profile.name == "mine"


def test_broken_profile_does_not_hide_the_other_platforms(folder: Path) -> None:
    rewrite(folder, '"saas"', '"nothing"')

    acme = platforms.get("acme")

    with pytest.raises(ProfileRefused):
        assert acme.profile


@pytest.mark.parametrize(
    ("old", "new", "key", "reason"),
    [
        ('title = "Acme"', "", "platform.acme.title", "missing"),
        ('title = "Acme"', 'title = "Acme"\ncolor = "red"', "platform.acme.color", "not known"),
        ("[platform.acme]", "[platform.Acme]", "platform.Acme", "small letters"),
        ("sandbox = true", 'sandbox = "yes"', "platform.acme.sandbox", "true or false"),
        ('"OPS-[0-9]{1,6}"', '"OPS-["', "platform.acme.ticket_pattern", "no regular expression"),
        ('"OPS-[0-9]{1,6}"', '".*"', "platform.acme.ticket_pattern", "an empty ticket"),
        ('"https://tickets.example/{ticket}"', '"javascript:alert(1)"', "platform.acme.ticket_url", "http or https"),
        ('reader_env = "ACME_READER"', "", "platform.acme.reader_env", "one of the two"),
        ('broker_file = "broker"', 'broker_file = "b"\nbroker_env = "B"', "platform.acme.broker_env", "one of the two"),
        ('kind = "log"', 'kind = "gossip"', "platform.acme.source 1.kind", "audit or log"),
        ('owner = "Network on call"', "", "platform.acme.network 1.owner", "missing"),
        ("[platform.acme]", "[servers]\n[platform.acme]", "servers", "not known"),
    ],
)
def test_malformed_platform_file_is_refused_by_key_and_reason(
    folder: Path, old: str, new: str, key: str, reason: str
) -> None:
    rewrite(folder, old, new)

    with pytest.raises(PlatformFileBroken) as caught:
        platforms.all()

    assert caught.value.facts["key"] == key
    assert reason in caught.value.facts["reason"]


def test_missing_platform_file_is_refused(folder: Path) -> None:
    (folder / "platforms.toml").unlink()

    with pytest.raises(PlatformFileBroken, match="cannot be read"):
        platforms.all()


def test_example_file_can_be_copied(settings: Settings) -> None:
    settings.PLATFORMS_FILE = str(settings.BASE_DIR / "platforms.example.toml")

    assert [platform.profile.name for platform in platforms.all()] == ["saas"]
