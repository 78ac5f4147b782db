"""The same pages for somebody whose machine is set to dark."""

import pytest

from tests.journeys.recovery import RESET, Recovery


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_pages_are_readable_in_the_dark(stages, device):
    stage = stages(device, f"dark-{device}", color_scheme="dark")
    story = Recovery(stage, RESET).to_plan()
    stranger = stage.seat()

    stranger.open("/sign-in/")
    stranger.show("sign-in")
    for name in ("when", "diagnosis", "outcome", "plan"):
        story.operator.open(f"{story.place}{name}/")
        story.operator.show(name)
    omar = stage.seat("omar")
    omar.open(story.place)
    omar.show("approval")
    story.approve("omar")
    story.approve("simone")
    story.open_window()
    story.operator.show("execute")
    story.operator.open(f"{story.place}window/")
    story.operator.show("window")
    story.operator.press("/window/end/")
    sam = stage.seat("sam")
    for address, name in (("/log/", "log"), ("/people/", "people"), ("/admin/procedure/incident/", "admin")):
        sam.open(address)
        sam.show(name)
