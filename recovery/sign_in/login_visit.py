"""Plays a declared sign-in over HTTP in a process of its own, so that whatever a platform answers can be cut off.

It reads one order (JSON) from standard input and writes one line (JSON) per step. Nothing that the platform sent, no
address and no secret is ever written. It is run by its path, so it imports nothing of the console.
"""

import json
import re
import resource
import sys
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import requests
import urllib3

PLACEHOLDER = re.compile(r"%\((\w+)\)s|%(.?)")
LARGEST_BODY = 2**20
LARGEST_KEPT = 16 * 1024
LARGEST_COOKIES = 32 * 1024
MOST_REDIRECTS = 5
MOST_MEMORY = 2**30
REDIRECTS = frozenset({301, 302, 303, 307, 308})
WITH_BODY = frozenset({307, 308})
TO_CONNECT = 5.0  # seconds
CHUNK = 64 * 1024


class Failed(Exception):
    """A step is not as declared. found: one word of a closed list; place: the key in the profile that says so."""

    def __init__(self, found: str, place: str = "", status: int | None = None) -> None:
        super().__init__(found)
        self.found, self.place, self.status = found, place, status


def filled(text: str, values: Mapping[str, str], *, encode: Callable[[str], str] = str) -> str:
    """The text with each %(name)s replaced by its value, and %% by %."""

    def value(match: re.Match[str]) -> str:
        return encode(values[match[1]]) if match[1] else "%"

    return PLACEHOLDER.sub(value, text)


def filled_all(content: Any, values: Mapping[str, str]) -> Any:
    """The same for every text inside a JSON value."""
    if isinstance(content, str):
        return filled(content, values)
    if isinstance(content, list):
        return [filled_all(item, values) for item in content]
    if isinstance(content, dict):
        return {key: filled_all(item, values) for key, item in content.items()}
    return content


class Page:
    """What came back at the end of the redirects."""

    def __init__(self, status: int, address: str, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.address, self.headers = status, address, headers
        self.text = body.decode(errors="replace")

    @property
    def path(self) -> str:
        return urlsplit(self.address).path

    def at(self, path: str) -> list[Any]:
        """Every value at a path like data.roles.*.name; none when there is no such place. Raises Failed("json")."""
        try:
            found = [json.loads(self.text)]
        except (ValueError, RecursionError) as error:
            raise Failed("json", path, self.status) from error
        for part in path.split("."):
            found = [inner for value in found for inner in _inside(value, part)]
        return found


def _inside(value: Any, part: str) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values()) if part == "*" else [value[part]] if part in value else []
    if isinstance(value, list):
        if part == "*":
            return value
        return [value[int(part)]] if part.isdecimal() and int(part) < len(value) else []
    return []


class Visit:
    """One sign-in from the first step to the last: its cookies, and the values that steps keep for later ones."""

    def __init__(self, order: Mapping[str, Any]) -> None:
        self.base: str = order["base"]
        self.values: dict[str, str] = dict(order["values"])
        self.verify: str | bool = order["verify"]
        self.deadline = time.monotonic() + order["seconds"]
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy, no .netrc, no other certificates
        self.session.headers.update({"User-Agent": "breakglass-login-check", "Accept-Encoding": "identity"})

    def play(self, step: Mapping[str, Any]) -> int:
        """The status of the step. Raises Failed."""
        page = self._sent(step)
        if page.status not in step["status"]:
            raise Failed("status", "status", page.status)
        self._check_place(step, page)
        self._check_content(step, page)
        for name, rule in step["keep"].items():
            self.values[name] = self._kept(name, rule, page)
        return page.status

    def _sent(self, step: Mapping[str, Any]) -> Page:
        try:
            return self._followed(step)
        except requests.exceptions.SSLError as error:
            raise Failed("certificate") from error
        except requests.exceptions.Timeout as error:
            raise Failed("slow") from error
        except requests.exceptions.ChunkedEncodingError as error:
            raise Failed("garbled") from error
        except requests.exceptions.ConnectionError as error:
            raise Failed("unreachable") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as error:
            raise Failed("garbled") from error

    def _followed(self, step: Mapping[str, Any]) -> Page:
        """The answer after at most five redirects, none of which leaves the platform's own origin."""
        method, sent = step["method"], self._content(step)
        address = self.base + filled(step["path"], self.values, encode=lambda value: quote(value, safe=""))
        for _number in range(MOST_REDIRECTS + 1):
            page = self._asked(method, address, sent)
            target = page.headers.get("Location")
            if page.status not in REDIRECTS or not target:
                return page
            address = urljoin(address, target)
            if origin(address) != origin(self.base):
                raise Failed("elsewhere", status=page.status)
            if page.status not in WITH_BODY:
                method, sent = "GET", {"headers": sent["headers"]}
        raise Failed("redirects", status=page.status)

    def _content(self, step: Mapping[str, Any]) -> dict[str, Any]:
        content: dict[str, Any] = {"headers": filled_all(step["headers"], self.values)}
        if step["json"] is not None:
            content["json"] = filled_all(step["json"], self.values)
        if step["form"] is not None:
            content["data"] = filled_all(step["form"], self.values)
        return content

    def _asked(self, method: str, address: str, sent: Mapping[str, Any]) -> Page:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Failed("slow")
        answer = self.session.request(
            *(method, address),
            **sent,
            timeout=(min(TO_CONNECT, left), left),
            verify=self.verify,
            allow_redirects=False,
            stream=True,
        )
        with answer:
            body = self._read(answer)
        if sum(len(cookie.name) + len(cookie.value or "") for cookie in self.session.cookies) > LARGEST_COOKIES:
            raise Failed("cookies", status=answer.status_code)
        return Page(answer.status_code, address, answer.headers, body)

    def _read(self, answer: requests.Response) -> bytes:
        body = b""
        for chunk in answer.iter_content(CHUNK):
            body += chunk
            if len(body) > LARGEST_BODY:
                raise Failed("large", status=answer.status_code)
            if time.monotonic() > self.deadline:
                raise Failed("slow", status=answer.status_code)
        return body

    def _check_place(self, step: Mapping[str, Any], page: Page) -> None:
        base = urlsplit(self.base).path
        for key, is_wanted in (("at", True), ("not_at", False)):
            if step[key] and page.path.startswith(base + filled(step[key], self.values)) != is_wanted:
                raise Failed("place", key, page.status)

    def _check_content(self, step: Mapping[str, Any], page: Page) -> None:
        if step["contains"] and filled(step["contains"], self.values) not in page.text:
            raise Failed("contains", "contains", page.status)
        if step["absent"] and filled(step["absent"], self.values) in page.text:
            raise Failed("absent", "absent", page.status)
        for path, wanted in step["equals"].items():
            if not any(_is_same(found, filled_all(wanted, self.values)) for found in page.at(path)):
                raise Failed("equals", path, page.status)
        for path, wanted in step["includes"].items():
            if not any(_includes(found, filled_all(wanted, self.values)) for found in page.at(path)):
                raise Failed("includes", path, page.status)

    def _kept(self, name: str, rule: Mapping[str, str], page: Page) -> str:
        value = None
        if rule["from"] == "json":
            value = next(iter(page.at(rule["what"])), None)
        elif rule["from"] == "header":
            value = page.headers.get(rule["what"])
        elif rule["from"] == "cookie":
            value = next((one.value for one in self.session.cookies if one.name == rule["what"]), None)
        elif match := re.search(rule["what"], page.text):
            value = match[1]
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise Failed("keep", name, page.status)
        if not str(value).isprintable() or not 0 < len(str(value)) <= LARGEST_KEPT:
            raise Failed("keep", name, page.status)
        return str(value)


def _is_same(found: Any, wanted: Any) -> bool:
    """Equal, and of the same kind: 1 is not true."""
    return isinstance(found, bool) == isinstance(wanted, bool) and found == wanted


def _includes(found: Any, wanted: Any) -> bool:
    """A list with the value, an object with the key, or the value itself."""
    if isinstance(found, list):
        return any(_is_same(item, wanted) for item in found)
    return wanted in found if isinstance(found, dict) else _is_same(found, wanted)


def origin(address: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an address."""
    parts = urlsplit(address)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def main() -> int:
    """Play the order's steps until one fails."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    order = json.load(sys.stdin)
    visit = Visit(order)
    for step in order["steps"]:
        line: dict[str, Any] = {"found": "ok", "place": ""}
        try:
            line["status"] = visit.play(step)
        except Failed as failure:
            line = {"found": failure.found, "place": failure.place, "status": failure.status}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        if line["found"] != "ok":
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
