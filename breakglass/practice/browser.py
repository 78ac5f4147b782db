"""A browser without a screen, for the drill: it opens pages, fills in the forms that stand on them and presses their buttons."""

from contextlib import nullcontext
from pathlib import Path
from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup, Tag
from mechanicalsoup import StatefulBrowser

PATIENCE = 90  # seconds for one answer; a run takes a few


class PageSaysNo(Exception):
    """A page answered with a status of 400 or more, or does not offer what was to be pressed. The message is for people."""


class Page:
    """What an answer shows."""

    def __init__(self, soup: BeautifulSoup, url: str) -> None:
        self.soup, self.url = soup, url

    @property
    def heading(self) -> str:
        return self.text("h1")

    def text(self, selector: str) -> str:
        """The text of the first element that fits, "" if there is none."""
        found = self.soup.select_one(selector)
        return found.get_text(" ", strip=True) if found else ""

    def actions(self, ending: str) -> list[str]:
        """The addresses of all forms with this ending."""
        return [urljoin(self.url, str(form.get("action", ""))) for form in self.forms(ending)]

    def forms(self, ending: str) -> list[Tag]:
        """The forms that go to an address with this ending; one without an address goes to the page's own."""
        found = self.soup.select('form[method="post"]')
        return [form for form in found if urljoin(self.url, str(form.get("action", ""))).endswith(ending)]

    def address(self, ending: str) -> str:
        """The address of the first link or form with this ending. Raises PageSaysNo."""
        for element in self.soup.select(f'form[action$="{ending}"], a[href$="{ending}"]'):
            return str(element.get("action") or element["href"])
        raise PageSaysNo(f"«{self.heading}» leads to no {ending}.")

    def choice(self, field: str, label: str) -> str:
        """The value of the option of a select with this label. Raises PageSaysNo."""
        for option in self.soup.select(f'select[name="{field}"] option'):
            if option.get_text(strip=True) == label:
                return str(option["value"])
        raise PageSaysNo(f"«{self.heading}» does not offer {label}.")


class Browser:
    """One person's browser: cookies of its own, redirects followed, hidden fields sent back as they came."""

    def __init__(self, base: str) -> None:
        session = requests.Session()
        session.trust_env = False  # the console is near: a proxy of the environment has no business here
        self.base, self._inner = base, StatefulBrowser(session=session)

    def open(self, address: str) -> Page:
        """Raises PageSaysNo."""
        return self._page(self._inner.open(urljoin(self.base, address), timeout=PATIENCE))

    def press(self, ending: str, *, upload: Path | None = None, **filled: str) -> Page:
        """Fill in the form of the open page whose address has this ending, and send it. Raises PageSaysNo."""
        return self._page(self.sent(ending, upload=upload, **filled))

    def sent(self, ending: str, *, upload: Path | None = None, **filled: str) -> requests.Response:
        """As press, but the bare answer, for a download. `upload` goes into the form's field "file"."""
        page = Page(self._inner.page, self._inner.url)
        if not page.forms(ending):
            raise PageSaysNo(f"«{page.heading}» does not offer {ending}.")
        form = self._inner.select_form(page.forms(ending)[0])
        for name, value in filled.items():
            form.set(name, value, force=True)
        with upload.open("rb") if upload else nullcontext() as content:
            if content:
                form.set("file", content)
            return self._inner.submit_selected(update_state=True, timeout=PATIENCE)

    def _page(self, answer: requests.Response) -> Page:
        page = Page(BeautifulSoup(answer.text, "lxml"), answer.url)
        if answer.status_code >= 400:
            told = page.text(".refusal") or page.text(".errorlist") or page.heading
            raise PageSaysNo(f"{told} (HTTP {answer.status_code}, {answer.request.method} {answer.url})")
        return page
