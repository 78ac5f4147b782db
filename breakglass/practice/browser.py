"""A browser without a screen, for the drill: it opens pages, fills in the forms that stand on them and presses their buttons."""

from collections.abc import Mapping
from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup
from mechanicalsoup import LinkNotFoundError, StatefulBrowser

PATIENCE = 90  # seconds for one answer; a run takes a few


class PageSaysNo(Exception):
    """A page answered with a status of 400 or more, or does not offer what was to be pressed. The message is for people."""


class Page:
    """What an answer shows."""

    def __init__(self, soup: BeautifulSoup) -> None:
        self.soup = soup

    @property
    def heading(self) -> str:
        return self.text("h1")

    def text(self, selector: str) -> str:
        """The text of the first element that fits, "" if there is none."""
        found = self.soup.select_one(selector)
        return found.get_text(" ", strip=True) if found else ""

    def offers(self, ending: str) -> bool:
        """Whether a form on the page goes to an address with this ending."""
        return self.soup.select_one(f'form[action$="{ending}"]') is not None

    def actions(self, part: str) -> list[str]:
        """The addresses of all forms that have this part in them."""
        return [form["action"] for form in self.soup.select(f'form[action*="{part}"]')]

    def address(self, ending: str) -> str:
        """The address of the first link or form with this ending. Raises PageSaysNo."""
        for element in self.soup.select(f'form[action$="{ending}"], a[href$="{ending}"]'):
            return element.get("action") or element["href"]
        raise PageSaysNo(f"«{self.heading}» leads to no {ending}.")

    def choice(self, field: str, label: str) -> str:
        """The value of the option of a select with this label. Raises PageSaysNo."""
        for option in self.soup.select(f'select[name="{field}"] option'):
            if option.get_text(strip=True) == label:
                return option["value"]
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

    def press(self, ending: str, *, files: Mapping[str, tuple[str, bytes]] | None = None, **filled: str) -> Page:
        """Fill in the form of the open page whose address has this ending, and send it. Raises PageSaysNo."""
        return self._page(self.sent(ending, files=files, **filled))

    def sent(
        self, ending: str, *, files: Mapping[str, tuple[str, bytes]] | None = None, **filled: str
    ) -> requests.Response:
        """As press, but the bare answer, for a download."""
        try:
            form = self._inner.select_form(f'form[action$="{ending}"]')
        except LinkNotFoundError as nothing:
            heading = Page(self._inner.page).heading
            raise PageSaysNo(f"«{heading}» does not offer {ending}.") from nothing
        for name, value in filled.items():
            form.set(name, value, force=True)
        extra = {"files": files} if files else {}
        return self._inner.submit_selected(update_state=True, timeout=PATIENCE, **extra)

    def _page(self, answer: requests.Response) -> Page:
        page = Page(BeautifulSoup(answer.text, "lxml"))
        if answer.status_code >= 400:
            told = page.text(".refusal") or page.text(".errorlist") or page.heading
            raise PageSaysNo(f"{told} (HTTP {answer.status_code}, {answer.request.method} {answer.url})")
        return page
