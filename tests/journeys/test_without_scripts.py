"""The way to an approved plan without JavaScript: whatever a script does is decoration."""

from playwright.sync_api import expect

from tests.journeys.recovery import RESET, Recovery


def test_plan_is_made_and_approved_without_scripts(stages):
    stage = stages("phone", "without-scripts", java_script_enabled=False)
    story = Recovery(stage, RESET, shown=True)

    story.to_plan()
    story.approve("omar")
    story.approve("simone")
    story.operator.open(story.place)

    expect(story.operator.heading).to_have_text("Both sides have agreed: the window can be opened")
    story.show(story.operator, "window")
