"""A recovery as people play it in their browsers, scene by scene. Each scene shows its pages if the play is shown."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import expect

from tests.journeys.seats import Seat, Stage

TICKET = "OPS-3311"
REASON = "Root was switched off in a clean-up, and Dana is locked out. Nobody can open Platform settings any more."
PASSWORD = "korbel-tannen-uferweg-58"


@dataclass
class Wanted:
    """One outcome for one account, and who will hold it."""

    outcome: str
    login: str
    chosen: dict[str, object] = field(default_factory=dict)


RESET = Wanted("reset", "dana@acme.example", {"target_key": "dana@acme.example", "beneficiary": "Dana Diaz"})
ENABLE = Wanted("enable", "root@acme.example", {"target_key": "root@acme.example", "beneficiary": "Dana Diaz"})
CREATE = Wanted(
    "create",
    "nora@acme.example",
    {
        "login": "nora@acme.example",
        "display_name": "Nora Novak",
        "beneficiary_name": "Nora Novak",
        "beneficiary_contact": "+49 30 555 0142",
    },
)


class Recovery:
    """One incident. `shown`: every page is looked at with all checks and kept as a picture."""

    def __init__(self, stage: Stage, wanted: Wanted, *, shown: bool = False, operator: Seat | None = None) -> None:
        self.stage, self.wanted, self.shown = stage, wanted, shown
        self.operator = operator or stage.seat("olivia", shown=shown)
        self.place = ""

    def show(self, seat: Seat, name: str) -> None:
        if self.shown:
            seat.show(name)

    @property
    def reference(self) -> str:
        return self.place.rstrip("/").rsplit("/", 1)[-1]

    def open(self) -> None:
        """Page 0; the incident's address is known from here on."""
        olivia = self.operator
        olivia.open("/")
        self.show(olivia, "incidents")
        olivia.go_on("/incidents/open/")
        self.show(olivia, "open")
        olivia.press("/incidents/open/", trigger="no_owner", ticket=TICKET, reason=REASON)
        self.place = re.search(r"/incidents/BG-[0-9]{4}-[0-9]+/", olivia.page.url)[0]
        self.show(olivia, "diagnosis-before")

    def diagnose(self) -> None:
        self.operator.press("/diagnosis/look/")
        expect(self.operator.heading).to_have_text("Nobody can sign in as Platform Owner")
        self.show(self.operator, "diagnosis")

    def choose(self, *, then: str = "plan-before") -> None:
        olivia = self.operator
        olivia.open(f"{self.place}outcome/")
        self.show(olivia, "outcome")
        why = "It has been their account since the contract began; HR confirms it."
        olivia.press("/outcome/choose/", outcome=self.wanted.outcome, **self.wanted.chosen, why=why, reachable=True)
        self.show(olivia, then)

    def plan(self) -> None:
        olivia = self.operator
        olivia.press("/plan/make/")
        self.show(olivia, "plan")
        olivia.go_on("/approval/")
        self.show(olivia, "approval-waiting")

    def approve(self, username: str) -> Seat:
        """An approver opens the incident from the message, reads and says yes."""
        seat = self.stage.seat(username)
        seat.open(self.place)
        self.show(seat, f"approval-{username}")
        seat.press("/approval/approve/", code=seat.code)
        expect(seat.page.locator("main")).to_contain_text(f"{username}, ")
        self.show(seat, f"approval-{username}-given")
        return seat

    def open_window(self) -> None:
        olivia = self.operator
        olivia.open(self.place)
        self.show(olivia, "window")
        olivia.press("/window/open/", code=olivia.code)
        expect(olivia.window_bar).to_be_visible()
        self.show(olivia, "execute")

    def to_plan(self) -> "Recovery":
        """From nothing to the plan that waits for its approvals."""
        self.open()
        self.diagnose()
        self.choose()
        self.plan()
        return self

    def link(self) -> str:
        """The beneficiary's link, as the operator gives it out."""
        olivia = self.operator
        olivia.press("/execute/link/", code=olivia.code)
        self.show(olivia, "execute-link")
        return olivia.page.locator("main .card pre").inner_text().strip()

    def spoken(self, approver: Seat) -> str:
        """The code, as the approver says it on the telephone."""
        approver.open(f"{self.place}execute/")
        self.show(approver, "execute-approver")
        approver.press("/execute/code/", code=approver.code)
        self.show(approver, "execute-code")
        return approver.page.locator(".spoken").inner_text().strip()

    def set_password(self, link: str, spoken: str) -> Seat:
        """The beneficiary, at a browser that has no session here."""
        dana = self.stage.seat()
        dana.open(link)
        self.show(dana, "handover")
        dana.press("", code=spoken, password=PASSWORD, repeated=PASSWORD)
        expect(dana.heading).to_have_text("Your new password counts now")
        self.show(dana, "handover-done")
        return dana

    def sign_in_to_acme(self, dana: Seat, password: str = PASSWORD) -> None:
        """On the platform's own site, to the page that only an owner sees."""
        dana.open(f"{dana.site.acme}/sign-in")
        form = dana.page.locator('form[action="/sign-in"]')
        form.locator('[name="email"]').fill(self.wanted.login)
        form.locator('[name="password"]').fill(password)
        with dana.page.expect_navigation():
            dana.hit(form.locator("button"))
        with dana.page.expect_navigation():
            dana.hit(dana.page.locator('a[href="/platform-settings"]'))
        expect(dana.page.locator("main")).to_contain_text("You are a platform owner")
        self.show(dana, "acme-owner")

    def see_proof(self) -> None:
        """The page sees the sign-in by itself."""
        expect(self.operator.heading).to_have_text(f"{self.wanted.login} is in", timeout=30_000)
        self.show(self.operator, "proof")

    def revoke(self) -> None:
        olivia = self.operator
        olivia.go_on("/revoke/")
        for address in olivia.forms("/revoke/prepare/"):
            olivia.press(address)
        self.show(olivia, "revoke")
        for address in olivia.forms("/check/"):
            olivia.press(address)
        for address in olivia.forms("/done/"):
            olivia.press(address, output="$ nft list ruleset | grep 5432\n(nothing)")
        self.show(olivia, "revoke-done")
        olivia.press("/revoke/finish/")

    def seal(self, audit_export: Path) -> None:
        """The platform's own export, the backend's log, and what the console knows."""
        olivia = self.operator
        self.show(olivia, "evidence-before")
        olivia.press("/evidence/collect/")
        self.show(olivia, "evidence-collected")
        log = olivia.site.practice.acme_log
        olivia.press("/evidence/upload/", kind="platform_audit", file=audit_export)
        olivia.press("/evidence/upload/", kind="backend_log", file=log)
        self.show(olivia, "evidence-complete")
        olivia.press("/evidence/seal/")
        self.show(olivia, "evidence-sealed")

    def export(self, folder: Path) -> Path:
        """The bundle, downloaded."""
        bundle = folder / "bundle.zip"
        self.operator.download("/export/", code=self.operator.code).save_as(bundle)
        return bundle

    def write(self) -> None:
        olivia = self.operator
        olivia.go_on("/post-mortem/")
        self.show(olivia, "post-mortem-before")
        with olivia.page.expect_navigation():
            olivia.hit(olivia.page.locator("button[formaction]"))
        self.show(olivia, "post-mortem-draft")
        olivia.press(
            "/post-mortem/write/",
            root_cause="The clean-up script disabled every account that had not signed in for 90 days.",
            backlog_item="OPS-3320: the script spares owners",
        )
        self.show(olivia, "post-mortem-written")

    def close(self) -> None:
        olivia = self.operator
        olivia.open(f"{self.place}post-mortem/")
        self.show(olivia, "post-mortem-complete")
        olivia.press("/post-mortem/close/")
        expect(olivia.heading).to_have_text("The incident is closed")
        self.show(olivia, "closed")
