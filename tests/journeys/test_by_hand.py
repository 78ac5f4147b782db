"""The ways in that a database administrator opens by hand, as people play them: a login that he opens, and a script that he runs."""

import subprocess
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from breakglass.practice import doors, place, platform
from recovery.doors import grants
from recovery.language import profiles
from tests.journeys.practice import Site
from tests.journeys.recovery import ENABLE, RESET, Recovery
from tests.journeys.seats import Seat

Mode = Callable[[str], None]


@pytest.fixture
def way_in(site: Site) -> Iterator[Mode]:
    """Lets the platform file name another way in, and the DBA run its set-up; doors again when the journey is over."""
    file = site.home / "platforms.toml"
    text = file.read_text()

    def choose(mode: str) -> None:
        file.write_text(text.replace('broker_file = "acme-broker"\n', f'access = "{mode}"\n'))
        with site.practice.platform.connect(platform.DBNAME) as dba:
            grants.install(dba, profiles.load(doors.PROFILE), mode=mode)

    yield choose
    file.write_text(text)
    with site.practice.platform.connect(platform.DBNAME) as dba:
        doors.install(dba, master_key=bytes.fromhex(site.practice.secrets.keeper_key))


def psql(site: Site, text: str) -> str:
    """What the DBA runs on the bastion; what it printed."""
    address = site.practice.platform.superuser_url(platform.DBNAME)
    command = [str(place.binaries() / "psql"), "-X", "-v", "ON_ERROR_STOP=1", "-f", "-", address]
    return subprocess.run(command, input=text, check=True, stdout=subprocess.PIPE, text=True, **place.run_as()).stdout


def statement(seat: Seat) -> str:
    """The line that the page shows for the DBA."""
    return seat.page.locator("pre.statement").inner_text()


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_owner_is_enabled_through_a_login_that_the_dba_opens_and_closes(stages, site, way_in, device):
    way_in("premade")
    story = Recovery(stages(device, f"premade-{device}"), ENABLE).to_plan()
    story.shown = True
    story.approve("omar")
    story.approve("sam")
    story.open_window()
    olivia = story.operator

    olivia.press("/access/prepare/", code=olivia.code)
    story.show(olivia, "execute-open")
    with olivia.watch.expecting(409):
        olivia.press("/access/look/")
    story.show(olivia, "execute-not-open-yet")
    psql(site, statement(olivia))
    olivia.press("/access/look/")
    story.show(olivia, "execute-opened")
    olivia.press("/execute/run/", code=olivia.code)
    story.show(olivia, "execute-close")
    closing = statement(olivia)
    olivia.open(f"{story.place}revoke/")
    olivia.press("/revoke/prepare/")
    story.show(olivia, "revoke-open")
    psql(site, closing)
    olivia.press("/check/")

    story.show(olivia, "revoke-closed")
    expect(olivia.page.locator("main")).to_contain_text("proven gone")


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_password_is_set_by_a_script_that_the_dba_runs(stages, site, way_in, tmp_path, device):
    way_in("paper")
    story = Recovery(stages(device, f"paper-{device}"), RESET).to_plan()
    sam = story.approve("sam")
    story.approve("omar")
    story.open_window()
    dana, olivia = story.stage.seat(), story.operator
    dana.open(story.link())
    typed = {"password": "korbel-tannen-uferweg-58", "repeated": "korbel-tannen-uferweg-58"}
    dana.press("", code=story.spoken(sam), **typed)
    story.shown = True
    story.show(dana, "handover-waits")

    olivia.open(f"{story.place}execute/")
    story.show(olivia, "execute-script")
    olivia.download("/execute/script/", code=olivia.code).save_as(tmp_path / "run.sql")
    printed = psql(site, (tmp_path / "run.sql").read_text())
    with olivia.watch.expecting(422):
        olivia.press("/execute/receipt/", text="nothing of use")
    story.show(olivia, "execute-no-receipt")
    olivia.press("/execute/receipt/", text=printed)

    expect(olivia.heading).to_have_text("Changed once, and nothing else")
    story.show(olivia, "execute-changed")
    story.sign_in_to_acme(dana)
