"""Whether the recovered account can sign in and do what only an owner may: the profile's login check, played once over HTTP.

The password goes to the visiting process through a pipe and nowhere else. Whatever the platform does, the answer is a
result in words of ours; nothing that the platform sent is kept.
"""

import json
import ssl
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..language.login_rule import LoginCheck, LoginStep
from ..platforms import Platform

VISIT = Path(__file__).with_name("login_visit.py")
SECONDS = 12.0  # for the whole sign-in
GRACE = 2.0  # for the process around it
NOT_REACHED = "not_reached"
BROKEN = "broken"
PLAIN = "plain"
BUSY = frozenset({429, 502, 503, 504})
NO_SUCH_ADDRESS = frozenset({404, 405, 501})
# After these nobody can say whether the platform would have let the person in.
SILENT = frozenset(
    {"slow", "unreachable", "certificate", "garbled", "large", "cookies", "redirects", "elsewhere", BROKEN, PLAIN}
)
FOUND = {
    "ok": _("as expected"),
    "status": _("it answered with another status"),
    "place": _("it ended on another page than expected"),
    "json": _("its answer is no JSON"),
    "equals": _("a value in its answer is another one"),
    "includes": _("what should be in its answer is missing"),
    "contains": _("a text that should be in its answer is missing"),
    "absent": _("a text that should not be in its answer is there"),
    "keep": _("a value that later steps need is missing"),
    "slow": _("it did not answer in time"),
    "unreachable": _("it cannot be reached"),
    "certificate": _("its certificate cannot be trusted"),
    "garbled": _("its answer cannot be read"),
    "large": _("its answer is too large"),
    "cookies": _("it sends too many cookies"),
    "redirects": _("it redirects again and again"),
    "elsewhere": _("it leads to another address, and the check does not follow"),
    BROKEN: _("the check broke off"),
    PLAIN: _("its address is no https, so the password was not sent"),
    NOT_REACHED: _("not tried"),
}


class Verdict(StrEnum):
    """What a login check says of the recovery. A sign-in alone is no recovery."""

    RECOVERED = "recovered"
    OWNER_REFUSED = "owner_refused"
    SIGN_IN_REFUSED = "sign_in_refused"
    UNKNOWN = "unknown"
    NOT_TRIED = "not_tried"


SENTENCES = {
    Verdict.RECOVERED: _("The sign-in works, and the account can do what only an owner may."),
    Verdict.OWNER_REFUSED: _("The sign-in works, but the owner's action was refused: not recovered yet."),
    Verdict.SIGN_IN_REFUSED: _("The platform refused the sign-in: not recovered yet."),
    Verdict.UNKNOWN: _("The check could not be finished, so it says neither yes nor no."),
    Verdict.NOT_TRIED: _("Not tried: the platform asks for more than the password, and only the person has that."),
}


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step as it was played. wanted: as the profile has it; found: a word of FOUND; place: the key that failed."""

    name: str
    wanted: str
    found: str
    place: str = ""
    status: int | None = None
    is_owner: bool = False

    @property
    def is_ok(self) -> bool:
        return self.found == "ok"

    @property
    def is_tried(self) -> bool:
        return self.found != NOT_REACHED

    @property
    def sentence(self) -> str:
        return str(FOUND[self.found])


@dataclass(frozen=True, slots=True)
class Result:
    """A played login check: facts without a secret, good for the log and for pages."""

    verdict: Verdict
    steps: tuple[StepResult, ...]

    @property
    def is_recovered(self) -> bool:
        return self.verdict == Verdict.RECOVERED

    @property
    def is_refused(self) -> bool:
        """Whether the platform said no; neither this nor `is_recovered` when nobody knows."""
        return self.verdict in {Verdict.OWNER_REFUSED, Verdict.SIGN_IN_REFUSED}

    @property
    def sentence(self) -> str:
        return str(SENTENCES[self.verdict])

    @property
    def failed(self) -> StepResult | None:
        """The step at which it ended, if it did not pass."""
        return next((step for step in self.steps if not step.is_ok), None)

    def as_facts(self) -> dict[str, Any]:
        return {"verdict": str(self.verdict), "steps": [asdict(step) for step in self.steps]}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Result":
        return cls(Verdict(facts["verdict"]), tuple(StepResult(**step) for step in facts["steps"]))


def is_declared(platform: Platform) -> bool:
    """Whether a sign-in can be played here: the profile says how, the platform file says where. Raises ProfileRefused."""
    return platform.profile.login_check is not None and bool(base_of(platform))


def note(platform: Platform) -> str:
    """What whoever prepares a recovery should know of the login check; "" when it will be played, or none is wanted."""
    if platform.profile.login_check is None:
        return ""
    if not base_of(platform):
        return gettext(
            "The profile declares a login check, but the platform file has no sign_in_url: it will not be played."
        )
    if not is_private(base_of(platform)):
        return gettext(
            "The login check will not be played: its address is no https, and the password would travel readable."
        )
    return ""


def play(platform: Platform, *, login: str, password: str, seconds: float | None = None) -> Result:
    """Sign in as this account and do what only an owner may, as the profile's [login_check] says.

    It is a real sign-in: the platform notes it, and the owner's action may leave what it leaves. It ends within `seconds`
    (SECONDS) and a little more, whatever the platform does.

    Raises:
        ProfileRefused: the profile cannot be read. Every failure of the check itself is a result.
    """
    rule, base = platform.profile.login_check, base_of(platform)
    if rule is None or not base:
        raise LookupError("no login check is declared here")  # callers ask is_declared first
    if not is_private(base):
        return judged(rule, [{"found": PLAIN}])
    order = {
        "base": base,
        "values": {"base": base, "login": login, "password": password},
        "verify": _trusted(),
        "seconds": (limit := seconds or SECONDS),
        "steps": [step.as_order() for step in rule.steps],
    }
    return judged(rule, _visited(order, patience=limit + GRACE))


def not_tried(platform: Platform) -> Result:
    """The result of a declared check that would only be one more failed sign-in."""
    rule = platform.profile.login_check
    steps = rule.steps if rule else ()
    return Result(Verdict.NOT_TRIED, tuple(StepResult(step.name, step.wanted, NOT_REACHED) for step in steps))


def is_private(address: str) -> bool:
    """Whether what is sent there can be read by nobody on the way: https, or this very host."""
    parts = urlsplit(address)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:  # a name, which may lead anywhere
        return False


def base_of(platform: Platform) -> str:
    """Where the paths of the check begin: the platform file's `check_url`, else the origin of its `sign_in_url`; "" without both."""
    if platform.check_url:
        return platform.check_url.rstrip("/")
    parts = urlsplit(platform.sign_in_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""


def _trusted() -> str | bool:
    """The host's own certificate store, to which its administrators add theirs; without one, the library's."""
    paths = ssl.get_default_verify_paths()
    has_folder = bool(paths.capath) and any(Path(paths.capath).iterdir())
    return paths.cafile or (paths.capath if has_folder and paths.capath else True)


def _visited(order: Mapping[str, Any], *, patience: float) -> list[dict[str, Any]]:
    """The lines of the visiting process. It inherits nothing, and is killed when it takes too long."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-B", str(VISIT)],
            input=json.dumps(order).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"LC_ALL": "C.UTF-8"},
            timeout=patience,
            check=False,
        )
        said, end = done.stdout, {"found": BROKEN}
    except subprocess.TimeoutExpired as late:
        said, end = late.stdout or b"", {"found": "slow"}
    except OSError:  # no process to be had
        said, end = b"", {"found": BROKEN}
    return [*(json.loads(line) for line in said.splitlines(keepends=True) if line.endswith(b"\n")), end]


def judged(rule: LoginCheck, lines: Iterable[Mapping[str, Any]]) -> Result:
    """What the lines of a visit say, step by step and as a whole. A step without a line takes what ended the visit."""
    steps, said, has_failed = [], list(lines), False
    for number, step in enumerate(rule.steps):
        line = {"found": NOT_REACHED} if has_failed else said[min(number, len(said) - 1)]
        has_failed = has_failed or line["found"] != "ok"
        steps.append(StepResult(name=step.name, wanted=step.wanted, is_owner=step.is_owner, **line))
    return Result(_verdict(rule.steps, steps), tuple(steps))


def _verdict(declared: tuple[LoginStep, ...], played: list[StepResult]) -> Verdict:
    number = next((number for number, step in enumerate(played) if not step.is_ok), None)
    if number is None:
        return Verdict.RECOVERED
    first = next(number for number, step in enumerate(declared) if step.sends_password)
    if played[number].found in SILENT or played[number].status in BUSY or number < first:
        return Verdict.UNKNOWN
    if number > first:
        return Verdict.OWNER_REFUSED
    return Verdict.UNKNOWN if played[number].status in NO_SUCH_ADDRESS else Verdict.SIGN_IN_REFUSED
