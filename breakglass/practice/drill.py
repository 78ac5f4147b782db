"""A whole recovery through the front door: practice people, their browsers, one sandbox platform. Nothing is done behind the pages."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests

from breakglass.practice import signing_in
from breakglass.practice.browser import Browser, Page, PageSaysNo
from breakglass.practice.signing_in import DrillFailed
from breakglass.procedure.models import Override
from recovery.models import RunKind
from recovery.platforms import Platform

WITH_PASSWORD = frozenset({RunKind.CREATE, RunKind.RESET})


@dataclass
class Colleague:
    """A practice person at a browser. `code` gives a fresh one-time code, waiting for the next one if it must."""

    username: str
    password: str = field(repr=False)
    code: Callable[[], str] = field(repr=False)
    browser: Browser

    def sign_in(self) -> None:
        self.browser.open("/sign-in/")
        self.browser.press("/sign-in/", username=self.username, password=self.password)
        self.browser.press("/sign-in/code/", code=self.code())


@dataclass
class Cast:
    """Who plays: one asks and runs, two others approve, one of Security lifts what stops, another reviews without part in it."""

    operator: Colleague
    ops_approver: Colleague
    second_approver: Colleague
    lifter: Colleague
    reviewer: Colleague

    def __iter__(self) -> Iterator[Colleague]:
        return iter((self.operator, self.ops_approver, self.second_approver, self.lifter, self.reviewer))


@dataclass
class Story:
    """What is to be recovered: one outcome for one login of one platform. `beneficiary` is who will hold it.

    password: the new one; for enable the one that the account has, "" if nobody knows it.
    """

    platform: Platform
    outcome: RunKind
    login: str
    beneficiary: str
    password: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(16))
    ticket: str = ""
    restart: str = ""


@dataclass
class Scene:
    """One line of the timeline."""

    title: str
    took: timedelta
    told: str


class Drill:
    """Plays the story of the design, page by page, and keeps a timeline."""

    def __init__(self, cast: Cast, story: Story, *, base: str, tell: Callable[[Scene], None]) -> None:
        self.cast, self.story, self.base, self.tell = cast, story, base, tell
        self.place = ""
        self.bundle = b""

    def play(self) -> bytes:
        """Everything from the first page to the closed incident.

        Returns:
            The sealed bundle, as it was downloaded.

        Raises:
            PageSaysNo, DrillFailed: it names the page and what it said.
        """
        scenes = (
            ("everybody signs in with both factors", self._sign_in),
            ("an incident is opened", self._open),
            ("the platform is diagnosed", self._diagnose),
            ("one outcome is chosen", self._choose),
            ("the exact change is planned", self._plan),
            ("Ops approves", lambda: self._approve(self.cast.ops_approver)),
            ("Security or Engineering approves", lambda: self._approve(self.cast.second_approver)),
            ("the window opens", self._open_window),
            ("the change is made once", self._execute),
            ("the sign-in is proven", self._prove),
            ("access is revoked", self._revoke),
            ("evidence is collected and sealed", self._seal),
            ("the bundle is exported", self._export),
            ("the post-mortem is written and reviewed", self._write),
            ("the incident is closed", self._close),
        )
        try:
            for title, scene in scenes:
                with self._timed(title) as said:
                    said.append(scene())
        except (PageSaysNo, DrillFailed):
            self._let_go()
            raise
        return self.bundle

    def _let_go(self) -> None:
        """What broke off holds the platform no longer: its window ends, and an incident that changed nothing is abandoned."""
        with suppress(PageSaysNo, requests.RequestException):
            self._press(self.cast.operator, "window", "end")
        with suppress(PageSaysNo, requests.RequestException):
            self._press(self.cast.operator, "when", "abandon", reason="Drill: it broke off.")

    @contextmanager
    def _timed(self, title: str) -> Iterator[list[str]]:
        said: list[str] = []
        started = time.monotonic()
        yield said
        self.tell(Scene(title, timedelta(seconds=time.monotonic() - started), said[0]))

    def _sign_in(self) -> str:
        for colleague in self.cast:
            colleague.sign_in()
        return ", ".join(colleague.username for colleague in self.cast)

    def _open(self) -> str:
        browser = self.cast.operator.browser
        browser.open(f"/incidents/open/?platform={self.story.platform.name}")
        page = browser.press(
            "/incidents/open/",
            platform=self.story.platform.name,
            trigger="no_owner",
            ticket=self.story.ticket or self.story.platform.ticket_example,
            reason="Drill: nobody can sign in as platform owner, and the procedure is played to its end.",
        )
        self.place = page.address("/diagnosis/").removesuffix("diagnosis/")
        return self.reference

    @property
    def reference(self) -> str:
        """The incident's reference, once it is open."""
        return self.place.rstrip("/").rsplit("/", 1)[-1]

    def _at(self, colleague: Colleague, step: str) -> Page:
        return colleague.browser.open(f"{self.place}{step}/")

    def _press(self, colleague: Colleague, step: str, ending: str, **filled: Any) -> Page:
        self._at(colleague, step)
        return colleague.browser.press(f"/{step}/{ending}/", **filled)

    def _diagnose(self) -> str:
        page = self._press(self.cast.operator, "diagnosis", "look")
        for kind in Override.Kind:
            self._lift(kind)
        return page.heading

    def _lift(self, kind: Override.Kind) -> None:
        """Security's reason, where the diagnosis stops the way: a healthy owner stops all of it, a smaller change stops A."""
        offered = self._at(self.cast.lifter, "diagnosis").forms("/diagnosis/override/")
        is_offered = any(form.select(f'[name="kind"][value="{kind}"]') for form in offered)
        if is_offered and (kind != Override.Kind.CREATE_THOUGH_OTHERS or self.story.outcome == RunKind.CREATE):
            reason = "Drill: this is played although the diagnosis would stop it."
            self.cast.lifter.browser.press("/diagnosis/override/", reason=reason)

    def _choose(self) -> str:
        page = self._at(self.cast.operator, "outcome")
        filled: dict[str, Any] = {
            "outcome": str(self.story.outcome),
            "why": "Drill: the account is theirs.",
            "reachable": "on",
        }
        if self.story.outcome == RunKind.CREATE:
            filled |= {"login": self.story.login, "display_name": self.story.beneficiary}
        else:
            filled["target_key"] = page.choice("target_key", self.story.login)
        filled |= self._beneficiary(page)
        return self.cast.operator.browser.press("/outcome/choose/", **filled).heading

    def _beneficiary(self, page: Page) -> dict[str, str]:
        try:
            return {"beneficiary": page.choice("beneficiary", self.story.beneficiary)}
        except PageSaysNo:
            contact = {
                "beneficiary_name": self.story.beneficiary,
                "beneficiary_contact": f"{self.story.login}, by telephone",
            }
            return {"beneficiary": "", **contact}

    def _plan(self) -> str:
        self._press(self.cast.operator, "plan", "make")
        return self._at(self.cast.operator, "plan").text(".words")

    def _approve(self, colleague: Colleague) -> str:
        self._press(colleague, "approval", "approve", code=colleague.code())
        return colleague.username

    def _open_window(self) -> str:
        operator = self.cast.operator
        return self._press(operator, "window", "open", code=operator.code()).heading

    def _execute(self) -> str:
        if self.story.outcome in WITH_PASSWORD:
            self._hand_over()
        else:
            self._press(self.cast.operator, "execute", "run", code=self.cast.operator.code())
        page = self._at(self.cast.operator, "execute")
        if not page.text('a.primary[href$="/proof/"]'):
            raise DrillFailed(f"The change was not made: {page.heading}")
        return page.heading

    def _hand_over(self) -> None:
        operator, approver = self.cast.operator, self.cast.second_approver
        link = self._press(operator, "execute", "link", code=operator.code()).text(".card pre")
        spoken = self._press(approver, "execute", "code", code=approver.code()).text(".spoken")
        beneficiary = Browser(self.base)
        beneficiary.open(link)
        beneficiary.press("", code=spoken, password=self.story.password, repeated=self.story.password)

    def _prove(self) -> str:
        operator = self.cast.operator
        story = self.story
        seen = signing_in.look(story.platform, login=story.login, password=story.password, restart=story.restart)
        page = self._press(operator, "proof", "look")
        if page.actions("/proof/confirm/"):
            page = operator.browser.press(
                "/proof/confirm/", detail=seen or "Drill: the beneficiary said so by telephone."
            )
        return self._at(operator, "proof").heading

    def _revoke(self) -> str:
        operator = self.cast.operator
        page = self._at(operator, "revoke")
        if page.actions("/revoke/prepare/"):
            page = operator.browser.press("/revoke/prepare/")
        for address in page.actions("/check/"):
            self._at(operator, "revoke")
            operator.browser.press(address)
        for address in self._at(operator, "revoke").actions("/done/"):
            self._at(operator, "revoke")
            operator.browser.press(address, output="Drill: removed and looked at; nothing of it is left.")
        return self._press(operator, "revoke", "finish").heading

    def _seal(self) -> str:
        operator = self.cast.operator
        self._press(operator, "evidence", "collect")
        for kind in ("platform_audit", "backend_log"):
            self._add_log(kind)
        return self._press(operator, "evidence", "seal").heading

    def _add_log(self, kind: str) -> None:
        """The log of the platform file's source if it can be read here, else a word on why there is none."""
        browser = self.cast.operator.browser
        if self._at(self.cast.operator, "evidence").actions("/evidence/seal/"):
            return
        wanted = {"platform_audit": "audit", "backend_log": "log"}[kind]
        for source in self.story.platform.sources:
            path = Path(source.where)
            if source.kind == wanted and path.is_file():
                browser.press("/evidence/upload/", kind=kind, upload=path)
                return
        browser.press("/evidence/absence/", kind=kind, reason="Drill: this platform keeps none that is read here.")

    def _export(self) -> str:
        operator = self.cast.operator
        page = self._at(operator, "evidence")
        answer = operator.browser.sent(page.actions("/export/")[0], code=operator.code())
        if answer.headers.get("Content-Type") != "application/zip":
            raise DrillFailed("The bundle was not handed out.")
        self.bundle = answer.content
        return f"{len(self.bundle):,} bytes"

    def _write(self) -> str:
        boxes = {
            "root_cause": "Drill: there was a lock-out on purpose.",
            "permissions_review": "Drill: every owner was looked at; nothing to take away.",
            "backlog_item": "OPS-1: play this drill again in 90 days",
        }
        self._press(self.cast.operator, "post-mortem", "write", **boxes)
        findings = "Drill: approvals, window, change and evidence fit together."
        return self._press(self.cast.reviewer, "post-mortem", "review", findings=findings).heading

    def _close(self) -> str:
        return self._press(self.cast.operator, "post-mortem", "close").heading
