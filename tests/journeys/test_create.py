"""Outcome A: the first Platform Owner is created although a smaller change would do, because Security wrote why."""

from playwright.sync_api import expect

from tests.journeys.recovery import CREATE, Recovery

WHY_A = "Root's password is not in the safe any more, and Dana has left: neither B nor C would let anybody in."


def test_first_owner_is_created_because_security_wrote_why(stages):
    story = Recovery(stages("desktop", "create"), CREATE)
    story.open()
    story.diagnose()
    story.shown = True

    refused_without_reason(story)
    lifted_by_simone(story)
    story.choose()
    story.plan()
    omar = story.approve("omar")
    expect(omar.page.locator("main .note.warn")).to_contain_text(WHY_A)
    erin = story.approve("erin")
    story.open_window()
    nora = story.set_password(story.link(), story.spoken(erin))
    story.operator.open(f"{story.place}proof/")
    story.sign_in_to_acme(nora)

    story.see_proof()


def refused_without_reason(story: Recovery) -> None:
    """A is refused in a sentence while C would do."""
    olivia = story.operator
    with olivia.watch.expecting(409):
        story.choose(then="outcome-refused")
    expect(olivia.page.locator(".refusal")).to_contain_text("Nothing was changed")


def lifted_by_simone(story: Recovery) -> None:
    """Security lifts the stop with a reason, and thereby takes part."""
    simone = story.stage.seat("simone")
    simone.open(f"{story.place}diagnosis/")
    simone.press("/diagnosis/override/", reason=WHY_A)
    story.show(simone, "diagnosis-lifted")
