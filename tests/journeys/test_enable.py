"""Outcome C: the operator presses the button, the old password counts again, and the account can be disabled at once."""

from playwright.sync_api import expect

from tests.journeys.recovery import ENABLE, Recovery
from tests.journeys.seats import Seat

LOOKED_AT = (
    "procedure/incident",
    "procedure/plan",
    "procedure/approval",
    "procedure/window",
    "procedure/evidenceitem",
    "recovery/run",
    "recovery/access",
    "recovery/adminuser",
    "audit/entry",
    "people/person",
)


def test_disabled_owner_is_enabled_by_a_button_disabled_again_and_all_of_it_is_in_the_admin(stages):
    stage = stages("desktop", "enable")
    story = Recovery(stage, ENABLE).to_plan()
    story.approve("omar")
    story.approve("erin")
    story.shown = True
    story.open_window()

    story.operator.press("/execute/run/", code=story.operator.code)
    expect(story.operator.heading).to_have_text("Changed once, and nothing else")
    story.show(story.operator, "execute-changed")
    story.operator.go_on("/proof/")
    root = stage.seat()
    story.sign_in_to_acme(root, story.operator.site.root_password)
    story.see_proof()
    disabled_at_once(story)
    root.open(f"{root.site.acme}/platform-settings")
    expect(root.heading).to_have_text("Sign in")

    toured(stages("desktop", "admin").seat("sam"))


def disabled_at_once(story: Recovery) -> None:
    """Rollback needs a fresh code and no approval."""
    olivia = story.operator
    olivia.open(f"{story.place}rollback/")
    story.show(olivia, "rollback")
    olivia.press("/rollback/disable/", reason="Root's password was read aloud in a call.", code=olivia.code)
    expect(olivia.heading).to_have_text(f"{story.wanted.login} is disabled")
    story.show(olivia, "rollback-disabled")


def toured(sam: Seat) -> None:
    """Security opens every list of the admin, and looks at what tells of the run."""
    sam.open("/admin/")
    sam.show("index")
    lists = [link.get_attribute("href") for link in sam.page.locator("#content-main th a").all()]
    assert set(LOOKED_AT) <= {address.strip("/").removeprefix("admin/") for address in lists}
    for address in lists:
        sam.open(address)
        name = address.strip("/").removeprefix("admin/")
        if name in LOOKED_AT:
            looked_at(sam, name.replace("/", "-"))


def looked_at(sam: Seat, name: str) -> None:
    """A list of records, and the first of them."""
    sam.show(name)
    sam.open(sam.page.locator("#result_list tbody th a").first.get_attribute("href"))
    sam.show(f"{name}-one")
    if "adminuser" in name:
        sam.open(sam.page.locator(".historylink").get_attribute("href"))
        sam.show(f"{name}-history")
