"""The whole story in a real browser, from the first page to the verified bundle, on a desktop and on a phone."""

import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.journeys.practice import ROOT
from tests.journeys.recovery import RESET, Recovery
from tests.journeys.seats import Seat


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_owner_gets_a_new_password_and_a_stranger_can_verify_how(stages, tmp_path, device):
    stage = stages(device, device)
    story = Recovery(stage, RESET, shown=True)

    story.to_plan()
    story.approve("omar")
    simone = story.approve("simone")
    story.open_window()
    dana = story.set_password(story.link(), story.spoken(simone))
    story.operator.open(f"{story.place}execute/")
    story.show(story.operator, "execute-changed")
    story.operator.go_on("/proof/")
    story.show(story.operator, "proof-waiting")
    story.sign_in_to_acme(dana)
    story.see_proof()
    story.revoke()
    story.seal(exported(dana, tmp_path / "acme-audit-log.csv"))
    bundle = story.export(tmp_path)
    story.write()
    review_in_admin(story, stage.seat("sam"))
    story.close()
    the_rest(story)

    verified = subprocess.run([sys.executable, ROOT / "audit/verify.py", bundle], capture_output=True, text=True)
    assert verified.returncode == 0, verified.stdout


def exported(dana: Seat, file):
    """The platform's own audit log, as its owner downloads it there."""
    with dana.page.expect_download() as coming:
        dana.hit(dana.page.locator('a[href="/audit-log.csv"]'))
    coming.value.save_as(file)
    return file


def review_in_admin(story: Recovery, sam: Seat) -> None:
    """Security's review, by somebody without part in it, in the Django admin."""
    sam.open("/admin/")
    story.show(sam, "admin")
    sam.open("/admin/procedure/incident/")
    story.show(sam, "admin-incidents")
    with sam.page.expect_navigation():
        sam.hit(sam.page.get_by_role("link", name=story.reference))
    story.show(sam, "admin-incident")
    with sam.page.expect_navigation():
        sam.hit(sam.page.locator('a[href$="/do/review/"]'))
    sam.page.locator('[name="findings"]').fill("Approvals, window, change and evidence fit together.")
    story.show(sam, "admin-review")
    with sam.page.expect_navigation():
        sam.hit(sam.page.locator('.submit-row [type="submit"]'))
    expect(sam.page.locator(".messagelist")).to_contain_text(re.compile("review is recorded"))
    story.show(sam, "admin-incident-reviewed")


def the_rest(story: Recovery) -> None:
    """The pages beside the steps."""
    for name in ("when", "outcome", "approval", "window"):
        story.operator.open(f"{story.place}{name}/")
        story.show(story.operator, f"{name}-afterwards")
    for address, name in (("/", "incidents-finished"), ("/log/", "log"), ("/inbox/", "inbox")):
        story.operator.open(address)
        story.show(story.operator, name)
