"""Looks at every page of a journey: what a browser complains about, what does not fit the screen, what somebody cannot use."""

from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response, WebError

TELL_OF_CSP = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`securitypolicyviolation: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return "";
  const wide = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > width + 1);
  return wide.map((one) => `${one.tagName}.${one.className}`).slice(0, 5).join(" ") || "the page";
}"""
AXE = {"resultTypes": ["violations"], "preload": False}  # preloading style sheets would itself break the policy
SERIOUS = {"serious", "critical"}
STATUS_SAID_TWICE = "Failed to load resource: the server responded with a status"
LEFT_BEHIND = "net::ERR_ABORTED"  # a look for news, or a download, when its page is left


class Watch:
    """Everything that was wrong in one test, in the order in which it was seen."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self.origins, self.faults, self.expected = origins, [], set()
        self.place = ""

    def follow(self, context: BrowserContext) -> None:
        """Listen to all pages of a context from now on."""
        context.add_init_script(TELL_OF_CSP)
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_failed)
        context.on("response", self._on_response)

    @contextmanager
    def expecting(self, *statuses: int) -> Iterator[None]:
        """A refusal that belongs to the journey."""
        self.expected = set(statuses)
        yield
        self.expected = set()

    def look_at(self, page: Page, name: str, *, scripted: bool = True) -> None:
        """One heading, one primary action at most, nothing wider than the screen, nothing that axe calls serious.

        Without scripts axe cannot run; the same pages pass it with scripts.
        """
        self.place = name
        self._note(page.locator("h1").count() == 1, "not exactly one h1")
        self._note(page.locator(".primary:visible").count() <= 1, "more than one primary action")
        too_wide = page.evaluate(TOO_WIDE)
        self._note(not too_wide, f"wider than the screen: {too_wide}")
        if scripted:
            self._ask_axe(page)

    def _ask_axe(self, page: Page) -> None:
        for violation in Axe().run(page, options=AXE).response["violations"]:
            if violation["impact"] in SERIOUS:
                where = [node["target"] for node in violation["nodes"]][:5]
                self._note(False, f"axe: {violation['help']} {where}")

    def _note(self, is_right: bool, fault: str) -> None:
        if not is_right:
            self.faults.append(f"{self.place}: {fault}")

    def _on_console(self, message: ConsoleMessage) -> None:
        is_fault = message.type == "error" and not message.text.startswith(STATUS_SAID_TWICE)
        self._note(not is_fault, f"console: {message.text}")

    def _on_error(self, error: WebError) -> None:
        self._note(False, f"script: {error.error}")

    def _on_request(self, request: Request) -> None:
        is_ours = request.url.startswith((*self.origins, "data:", "blob:"))
        self._note(is_ours, f"asks a stranger: {request.url}")

    def _on_failed(self, request: Request) -> None:
        self._note(request.failure == LEFT_BEHIND, f"failed: {request.url} {request.failure}")

    def _on_response(self, response: Response) -> None:
        is_fine = response.status < 400 or response.status in self.expected
        self._note(is_fine, f"{response.status} for {response.request.method} {response.url}")
