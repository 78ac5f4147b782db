"""What a profile says of its platform's sign-in over HTTP: the section [login_check], read and refused by key.

The password goes into a body only, never into an address or a header, where logs and proxies would keep it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from ..sign_in.login_visit import PLACEHOLDER
from .sections import Section

METHODS = ("GET", "POST", "PUT", "PATCH")
CREDENTIALS = ("login", "password")
GIVEN = frozenset({*CREDENTIALS, "base"})
KEPT_FROM = ("json", "pattern", "header", "cookie")
STEP = (
    *("name", "method", "path", "headers", "json", "form", "status", "at", "not_at"),
    *("contains", "absent", "equals", "includes", "keep", "owner"),
)
OURS = frozenset({"host", "cookie", "content-length", "transfer-encoding", "connection", "proxy-authorization"})
MOST_STEPS = 10
NAME = re.compile(r"[a-z][a-z0-9_]*")
HEADER = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class LoginStep:
    """One request and what its answer must be. Texts may hold %(name)s. is_owner: only an owner of the platform may do it."""

    name: str
    method: str
    path: str
    headers: Mapping[str, str]
    json: Any
    form: Mapping[str, str] | None
    status: tuple[int, ...]
    at: str
    not_at: str
    contains: str
    absent: str
    equals: Mapping[str, Any]
    includes: Mapping[str, Any]
    keep: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    is_owner: bool = False

    @property
    def sends_password(self) -> bool:
        return "password" in names_in([self.json, self.form])

    @property
    def wanted(self) -> str:
        """What the answer must be, short and as the profile has it: no value that was filled in."""
        facts = [" or ".join(map(str, self.status))]
        facts += [f"{key} {text}" for key in ("at", "not_at", "contains", "absent") if (text := getattr(self, key))]
        facts += [f"{path} = {json.dumps(value, ensure_ascii=False)}" for path, value in self.equals.items()]
        facts += [f"{path} includes {json.dumps(value, ensure_ascii=False)}" for path, value in self.includes.items()]
        return ", ".join([*facts, *(f"has {name}" for name in self.keep)])

    def as_order(self) -> dict[str, Any]:
        """What the visiting process needs, as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class LoginCheck:
    """A sign-in and at least one action that only an owner may do, in their order."""

    steps: tuple[LoginStep, ...]


def parse(section: Section) -> LoginCheck:
    """The login check of a profile's section. Raises the section's refusal."""
    section.only(("step",))
    sections = section.steps("step")
    if not 0 < len(sections) <= MOST_STEPS:
        raise section.no("step", _("one to {most} steps are needed").format(most=MOST_STEPS))
    known, steps = set(GIVEN), []
    for number, below in enumerate(sections):
        step = _step(below, known)
        if any(step.name == other.name for other in steps):
            raise below.no("name", _("two steps have the same name"))
        if step.is_owner and not any(earlier.sends_password for earlier in steps[:number]):
            raise below.no("owner", _("the owner's action comes after the step that sends the password"))
        known.update(step.keep)
        steps.append(step)
    if not any(step.is_owner for step in steps):
        raise section.no("step", _("one step must say owner = true: a sign-in alone is no recovery"))
    return LoginCheck(tuple(steps))


def _step(section: Section, known: set[str]) -> LoginStep:
    section.only(STEP)
    step = LoginStep(
        name=section.text("name"),
        method=_method(section),
        path=_path(section, "path", required=True),
        headers=_headers(section),
        json=_json(section),
        form=_texts(section, "form") if section.has("form") else None,
        status=_status(section),
        at=_path(section, "at"),
        not_at=_path(section, "not_at"),
        contains=section.text("contains", default=""),
        absent=section.text("absent", default=""),
        equals=_values(section, "equals"),
        includes=_values(section, "includes"),
        keep=_keep(section),
        is_owner=section.flag("owner", default=False),
    )
    if step.json is not None and step.form is not None:
        raise section.no("form", _("a step sends json or a form, not both"))
    if step.method == "GET" and (step.json is not None or step.form is not None):
        raise section.no("method", _("GET sends nothing; write POST, PUT or PATCH"))
    _check_placeholders(section, step, known)
    return step


def _method(section: Section) -> str:
    method = section.text("method", default="GET")
    if method not in METHODS:
        raise section.no("method", _("it must be one of {known}").format(known=", ".join(METHODS)))
    return method


def _path(section: Section, key: str, *, required: bool = False) -> str:
    path = section.text(key) if required else section.text(key, default="")
    if path and (
        not path.startswith("/") or path.startswith("//") or not path.isprintable() or set(path) & set(" \\#")
    ):
        raise section.no(key, _("it must be a path that begins with one /"))
    return path


def _headers(section: Section) -> Mapping[str, str]:
    headers = _texts(section, "headers")
    for name, value in headers.items():
        if not HEADER.fullmatch(name) or name.lower() in OURS or not value.isprintable():
            raise section.no(f"headers.{name}", _("this header cannot be sent"))
    return headers


def _status(section: Section) -> tuple[int, ...]:
    given = section.content.get("status", 200)
    found = given if isinstance(given, list) else [given]
    if not found or not all(type(item) is int and 100 <= item <= 599 for item in found):
        raise section.no("status", _("it must be a status such as 200, or a list of them"))
    return tuple(found)


def _json(section: Section) -> Any:
    content = section.content.get("json")
    try:
        json.dumps(content, allow_nan=False)
    except (TypeError, ValueError) as error:  # TOML has dates, and numbers that JSON has not
        raise section.no("json", _("it holds what JSON does not have")) from error
    return content


def _texts(section: Section, key: str) -> Mapping[str, str]:
    below = section.below(key, optional=True)
    return {name: below.text(name) for name in below.content}


def _values(section: Section, key: str) -> Mapping[str, Any]:
    """Places in a JSON answer, and the text, number or boolean that belongs there."""
    below = section.below(key, optional=True)
    for path, value in below.content.items():
        if not isinstance(value, str | int | float | bool) or not path:
            raise below.no(path, _("a text, a number, true or false is needed"))
    return dict(below.content)


def _keep(section: Section) -> Mapping[str, Mapping[str, str]]:
    below = section.below("keep", optional=True)
    return {name: _kept(below, name) for name in below.content}


def _kept(section: Section, name: str) -> Mapping[str, str]:
    if not NAME.fullmatch(name) or name in GIVEN:
        raise section.no(name, _("a name of your own is small letters, digits and _"))
    if isinstance(section.content[name], str):
        return {"from": "json", "what": section.text(name)}
    rule = section.below(name).only(KEPT_FROM)
    if len(rule.content) != 1:
        raise section.no(name, _("name one of {known}").format(known=", ".join(KEPT_FROM)))
    source = next(iter(rule.content))
    what = rule.text(source)
    if source == "pattern":
        _check_pattern(rule, what)
    return {"from": source, "what": what}


def _check_pattern(section: Section, pattern: str) -> None:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise section.no("pattern", _("it is no regular expression: {why}").format(why=error)) from error
    if groups != 1:
        raise section.no("pattern", _("it needs one group: (...) around the value"))


def _check_placeholders(section: Section, step: LoginStep, known: set[str]) -> None:
    """Every %(name)s is known at this step, and the password stands in a body only."""
    for key in ("path", "headers", "json", "form", "at", "not_at", "contains", "absent", "equals", "includes"):
        names = names_in(getattr(step, key))
        if "" in names:
            raise section.no(key, _("a % of your own is written %%"))
        if unknown := sorted(names - known):
            names_known = {"unknown": unknown[0], "known": ", ".join(sorted(known))}
            raise section.no(key, _("the name {unknown} is not known here; known are {known}").format(**names_known))
        if "password" in names and key not in {"json", "form"}:
            raise section.no(key, _("the password is sent in json or form only, and looked for nowhere"))


def names_in(content: Any) -> set[str]:
    """The names of all %(name)s inside; "" stands for a lone %."""
    return {match[1] or "" for text in _texts_in(content) for match in PLACEHOLDER.finditer(text) if match[2] != "%"}


def _texts_in(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for value in content.values():
            yield from _texts_in(value)
    elif isinstance(content, list):
        for value in content:
            yield from _texts_in(value)
