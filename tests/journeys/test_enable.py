"""Outcome C: the operator presses the button, the old password counts again, and the account can be disabled at once."""

from playwright.sync_api import expect

from tests.journeys.recovery import ENABLE, Recovery
from tests.journeys.seats import Seat


def test_disabled_owner_is_enabled_by_a_button_disabled_again_and_all_of_it_is_in_the_admin(stages):
    stage = stages("desktop", "enable")
    story = Recovery(stage, ENABLE, shown=True).to_plan()
    story.approve("omar")
    story.approve("erin")
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

    sam = stages("desktop", "admin").seat("sam")
    sam.open("/admin/")
    sam.show("index")
    lists = [link.get_attribute("href") for link in sam.page.locator("#content-main th a").all()]
    for address in lists:
        looked_at(sam, address)
    assert len(lists) > 15


def disabled_at_once(story: Recovery) -> None:
    """Rollback needs a fresh code and no approval."""
    olivia = story.operator
    olivia.open(f"{story.place}rollback/")
    story.show(olivia, "rollback")
    olivia.press("/rollback/disable/", reason="Root's password was read aloud in a call.", code=olivia.code)
    expect(olivia.heading).to_have_text(f"{story.wanted.login} is disabled")
    story.show(olivia, "rollback-disabled")


def looked_at(sam: Seat, address: str) -> None:
    """A list of records, and the first of them with its history if it has one."""
    name = "-".join(address.strip("/").split("/")[1:])
    sam.open(address)
    sam.show(name)
    first = sam.page.locator("#result_list tbody th a")
    if not first.count():
        return
    sam.open(first.first.get_attribute("href"))
    sam.show(f"{name}-one")
    for history in sam.page.locator(".historylink").all()[:1]:
        sam.open(history.get_attribute("href"))
        sam.show(f"{name}-history")
