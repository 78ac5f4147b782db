"""Somebody at a browser: opens pages, fills in the forms that stand on them, presses their buttons, and looks."""

import re
from itertools import count
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Download, Error, Locator, Page, expect

from tests.journeys.practice import Site
from tests.journeys.watch import Watch

DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
LONGEST_STEP = 20_000  # milliseconds
LONGEST_ANSWER = 60_000  # milliseconds: a run takes seconds, on two busy cores more
OVERTAKEN = ("interrupted by another navigation", "ERR_ABORTED")
expect.set_options(timeout=LONGEST_STEP)
CLOSED = "xpath=ancestor::details[not(@open)]"


class Album:
    """A folder of numbered screenshots; those of the last time are thrown away."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._numbers = folder, count(1)
        for old in folder.glob("*.png"):
            old.unlink()

    def next(self, name: str) -> Path:
        return self.folder / f"{next(self._numbers):02}-{name}.png"


class Seat:
    """One person at one browser with cookies of its own. `username` is "" for somebody without an account here."""

    def __init__(self, page: Page, stage: "Stage", username: str) -> None:
        self.page, self.username = page, username
        self.site, self.watch, self.album = stage.site, stage.watch, stage.album
        self.has_touch = "has_touch" in stage.settings
        self.is_scripted = stage.settings.get("java_script_enabled", True)

    def sign_in(self, *, shown: bool = False) -> None:
        """Both factors, through the pages."""
        self.open("/sign-in/")
        self._show_if(shown, "sign-in")
        self.press("", username=self.username, password=self.site.members[self.username].password)
        self._show_if(shown, "second-factor")
        self.press("", code=self.code)

    def _show_if(self, shown: bool, name: str) -> None:
        if shown:
            self.show(name)

    @property
    def code(self) -> str:
        """A fresh one-time code of this person."""
        return self.site.phones.code(self.username)

    def open(self, address: str) -> None:
        address = f"{self.site.base}{address}" if address.startswith("/") else address
        try:
            self.page.goto(address)
        except Error as error:
            if not any(told in error.message for told in OVERTAKEN):
                raise
            self.page.goto(address)  # the page was just about to show what others have done

    def press(self, ending: str, **filled: object) -> None:
        """Fill in the form whose address has this ending and press its button; returns on the page that answers."""
        button = self.fill(ending, **filled)
        with self.page.expect_navigation(timeout=LONGEST_ANSWER):
            self.hit(button)

    def download(self, ending: str, **filled: object) -> Download:
        """The same for a form that is answered with a file."""
        button = self.fill(ending, **filled)
        with self.page.expect_download(timeout=LONGEST_ANSWER) as coming:
            self.hit(button)
        return coming.value

    def fill(self, ending: str, **filled: object) -> Locator:
        """Fill in the form, opening what hides it; gives its button."""
        form = self.form(ending)
        closed = form.locator(CLOSED)
        if closed.count():
            self.hit(closed.locator("> summary"))
        for name, value in filled.items():
            _fill(form, name, value)
        return form.locator("button:not([formaction])").first

    def form(self, ending: str) -> Locator:
        """The form with this address; "" is the one that goes to the page's own."""
        is_wanted = f'[action$="{ending}"]' if ending else ':is(:not([action]), [action=""])'
        return self.page.locator(f'main form[method="post"]{is_wanted}')

    def forms(self, ending: str) -> list[str]:
        """The addresses of all forms with this ending."""
        return [form.get_attribute("action") or "" for form in self.form(ending).all()]

    def hit(self, button: Locator) -> None:
        """With a finger where there is one."""
        button.tap() if self.has_touch else button.click()

    def go_on(self, ending: str) -> None:
        """Follow the page's primary action, which must lead to this step."""
        way = self.page.locator("main a.primary:visible")
        expect(way).to_have_attribute("href", re.compile(f"{ending}$"))
        with self.page.expect_navigation():
            self.hit(way)

    def show(self, name: str) -> None:
        """Look at the page with every check, and keep a picture."""
        self.watch.look_at(self.page, f"{self.album.folder.name}/{name}", scripted=self.is_scripted)
        self.page.screenshot(path=self.album.next(name), full_page=True)

    @property
    def heading(self) -> Locator:
        return self.page.locator("h1")

    @property
    def window_bar(self) -> Locator:
        return self.page.locator(".window-bar")


def _fill(form: Locator, name: str, value: object) -> None:
    field = form.locator(f'[name="{name}"]')
    kind = field.first.evaluate("(one) => one.type")
    if kind == "radio":
        form.locator(f'[name="{name}"][value="{value}"]').check()
    elif kind == "checkbox":
        field.set_checked(bool(value))
    elif kind == "select-one":
        field.select_option(label=str(value))
    elif kind == "file":
        field.set_input_files(value)
    else:
        field.fill(str(value))


class Stage:
    """Gives people their seats, on one kind of device."""

    def __init__(self, browser: Browser, site: Site, watch: Watch, album: Album, device: str, **settings: Any) -> None:
        self.browser, self.site, self.watch, self.album, self.device = browser, site, watch, album, device
        self.settings = {**DEVICES[device], "locale": "en-GB", "timezone_id": "Europe/Berlin", **settings}
        self._contexts: list[Any] = []

    def seat(self, username: str = "", *, shown: bool = False) -> Seat:
        """Somebody at a browser of their own; who has an account is signed in, through the pages at the first time."""
        known = self.site.states.get(username) if not shown else None
        context = self.browser.new_context(**self.settings, storage_state=known)
        context.set_default_timeout(LONGEST_STEP)
        self._contexts.append(context)
        self.watch.follow(context)
        seat = Seat(context.new_page(), self, username)
        if username and not known:
            seat.sign_in(shown=shown)
            self.site.states.setdefault(username, context.storage_state())
        return seat

    def clear(self) -> None:
        for context in self._contexts:
            context.close()
