"""Bad moments: a double click, the back button, a second tab, a reload, and the countdown."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.recovery import ENABLE, REASON, RESET, TICKET, Recovery


@pytest.fixture
def stage(stages, request):
    return stages("desktop", f"moments/{request.function.__name__.removeprefix('test_')}")


def entries(seat, reference: str, event: str) -> int:
    """How often something stands in the log of an incident."""
    seat.open(f"/log/?incident={reference}&event={event}")
    return seat.page.locator("tbody tr").count()


def test_double_click_opens_one_incident(stage):
    olivia = stage.seat("olivia")
    olivia.open("/incidents/open/")
    reason = f"{REASON} (a double click)"
    button = olivia.fill("/incidents/open/", trigger="no_owner", ticket=TICKET, reason=reason)

    with olivia.page.expect_navigation():
        button.dblclick()

    olivia.open("/")
    expect(olivia.page.locator("main li").filter(has_text="a double click")).to_have_count(1)


def test_double_click_approves_once_and_is_not_refused(stage):
    story = Recovery(stage, RESET).to_plan()
    omar = stage.seat("omar")
    omar.open(story.place)
    button = omar.fill("/approval/approve/", code=omar.code)

    with omar.page.expect_navigation():
        button.dblclick()

    assert entries(omar, story.reference, "approval.given") == 1
    assert entries(omar, story.reference, "step.refused") == 0


def test_back_button_after_an_approval_shows_that_it_is_given(stage):
    story = Recovery(stage, RESET).to_plan()
    omar = story.approve("omar")

    omar.page.go_back()

    expect(omar.form("/approval/approve/")).to_have_count(0)
    expect(omar.page.locator(".proven")).to_contain_text("Ops")


def test_reload_of_the_page_with_the_link_makes_no_second_one(stage):
    story = Recovery(stage, RESET).to_plan()
    story.approve("omar")
    story.approve("simone")
    story.open_window()
    story.link()

    with story.operator.watch.expecting(422):
        story.operator.page.reload()

    expect(story.operator.page.locator(".refusal")).to_be_visible()
    story.operator.show("link-reloaded")
    assert entries(story.operator, story.reference, "handover.shown") == 1
    ended(story)


def test_stale_form_in_a_second_tab_is_answered_with_a_sentence(stage):
    story = Recovery(stage, RESET).to_plan()
    first, second = stage.seat("omar"), stage.seat("omar")
    second.open(story.place)
    button = second.fill("/approval/approve/", code=second.code)
    first.open(story.place)
    first.press("/approval/approve/", code=first.code)

    with second.watch.expecting(403, 409), second.page.expect_navigation():
        second.hit(button)

    expect(second.page.locator(".refusal")).to_contain_text("No second approval was recorded")
    second.show("second-tab")
    assert entries(second, story.reference, "approval.given") == 1


def test_no_of_an_approver_voids_the_plan_and_stays_visible(stage):
    story = Recovery(stage, RESET).to_plan()
    story.approve("omar")
    simone = stage.seat("simone")
    simone.open(story.place)
    why = "Dana is on holiday and did not answer. Who asked for this?"

    simone.press("/approval/refuse/", reason=why, code=simone.code)

    expect(simone.heading).to_have_text("Plan 1 no longer counts")
    simone.show("refused")
    story.operator.open(story.place)
    story.operator.press("/plan/make/")
    simone.open(story.place)
    expect(simone.page.locator("main")).to_contain_text(why)
    expect(simone.page.locator(".proven")).to_have_count(0)
    simone.show("after-a-no")


def test_countdown_runs_on_every_page_while_the_window_is_open_and_no_longer(stage):
    story = Recovery(stage, ENABLE).to_plan()
    story.approve("omar")
    story.approve("erin")
    story.open_window()
    connie = stage.seat("connie")
    connie.open("/log/")
    left = connie.window_bar.locator("strong")
    shown = left.inner_text()

    assert re.fullmatch(r"(30|29):[0-5][0-9]", shown)
    expect(left).not_to_have_text(shown)
    connie.show("countdown")
    ended(story)
    connie.open("/log/")

    expect(connie.window_bar).to_have_count(0)


def ended(story: Recovery) -> None:
    """No window stays open for the next journey."""
    story.operator.open(f"{story.place}window/")
    story.operator.press("/window/end/")
