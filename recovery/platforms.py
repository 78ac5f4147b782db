"""The platforms of the platform file: how to reach each, and what belongs to its recovery. Read at every use, never a table.

Connections are secrets: they stand in an environment variable or in a file that nobody else can read, never in this file.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _
from psycopg.conninfo import make_conninfo

from .connections import Connection, Pepper
from .language import profiles
from .language.profile import Profile, digest_of
from .language.sections import Section, parse_toml, read_toml
from .refusals import ConnectionMissing, PlatformFileBroken, TicketRefused, UnknownPlatform

NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
LOGINS = ("reader", "broker")
KEYS = (
    *(
        "title",
        "profile",
        "access",
        "practice",
        "sandbox",
        "ticket_pattern",
        "ticket_example",
        "ticket_url",
        "sign_in_url",
        "check_url",
    ),
    *("owner_notice", "network", "secret", "source", "reader_env", "reader_file", "broker_env", "broker_file"),
    *("pepper_env", "pepper_file"),
)
SOURCE_KINDS = ("audit", "log")
MODES = ("doors", "premade", "paper")
NEEDED = {"doors": LOGINS, "premade": ("reader",), "paper": ()}  # on paper nothing has to be reachable
ALLOWED = {"doors": LOGINS, "premade": ("reader",), "paper": ("reader",)}


@dataclass(frozen=True, slots=True)
class Revocable:
    """A network rule or a secret that somebody must take back or change after the access."""

    title: str
    owner: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where the platform's audit log or backend log lines are found. kind: audit or log."""

    kind: str
    title: str
    where: str


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform. practice: practice people count here and nowhere else. sandbox: a drill may really execute here.

    mode: how the console gets in for a change: doors, premade or paper (recovery.models.AccessMode). digest is the SHA-256
    (hex) of the whole platform file.
    """

    name: str
    title: str
    digest: str
    profile_name: str
    mode: str
    practice: bool
    sandbox: bool
    connections: tuple[Connection, ...] = field(repr=False)
    ticket_pattern: str
    ticket_example: str
    ticket_template: str
    sign_in_url: str
    check_url: str
    owner_notice: tuple[str, ...]
    network: tuple[Revocable, ...]
    secrets: tuple[Revocable, ...]
    sources: tuple[Source, ...]
    pepper: Connection | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.title

    @property
    def profile(self) -> Profile:
        """Raises ProfileRefused."""
        return profiles.load(self.profile_name)

    def conninfo(self, login: str) -> str:
        """The connection string of "reader" or "broker". A secret: it is never logged. Raises ConnectionMissing, SecretFileOpen."""
        found = [connection for connection in self.connections if connection.login == login]
        if not found:
            source = _("the platform file")
            why = _("with access = {mode} it names no such connection").format(mode=self.mode)
            raise ConnectionMissing(login=login, platform=self.name, source=source, why=why)
        return found[0].read()

    def conninfo_of(self, role: str, password: str) -> str:
        """The broker's connection, or the reader's where no broker is, but as a temporary login."""
        beside = "broker" if self.mode == MODES[0] else "reader"
        return make_conninfo(self.conninfo(beside), user=role, password=password)

    def check_ticket(self, ticket: str) -> None:
        """Raises TicketRefused unless the whole reference matches the platform's pattern."""
        if not re.fullmatch(self.ticket_pattern, ticket):
            raise TicketRefused(ticket=ticket or _("An empty field"), pattern=self.ticket_example)

    def ticket_url(self, ticket: str) -> str:
        """The ticket's address, empty when the platform has none."""
        return self.ticket_template.replace("{ticket}", quote(ticket, safe=""))


def get(name: str) -> Platform:
    """The platform of this name. Raises UnknownPlatform, PlatformFileBroken."""
    known = _all()
    if name not in known:
        raise UnknownPlatform(name=name, known=", ".join(known) or "-")
    return known[name]


def all() -> tuple[Platform, ...]:
    """Every platform of the file, in its order. Raises PlatformFileBroken."""
    return tuple(_all().values())


def _all() -> dict[str, Platform]:
    root, raw = read_toml(Path(settings.PLATFORMS_FILE), PlatformFileBroken)
    return _parsed(root.file, raw)


@lru_cache(maxsize=8)
def _parsed(file: str, raw: bytes) -> dict[str, Platform]:
    root = parse_toml(file, raw, PlatformFileBroken).only(("platform",))
    return {name: _platform(section, name, digest_of(raw)) for name, section in root.each("platform").items()}


def _platform(section: Section, name: str, digest: str) -> Platform:
    section.only(KEYS)
    if not NAME.fullmatch(name):
        raise section.no("", _("a platform's name is small letters, digits and hyphens"))
    practice = section.flag("practice", default=False)
    pattern = _pattern(section)
    return Platform(
        name=name,
        title=section.text("title"),
        digest=digest,
        profile_name=_profile(section),
        mode=_mode(section),
        practice=practice,
        sandbox=section.flag("sandbox", default=practice),
        connections=_connections(section, name),
        ticket_pattern=pattern,
        ticket_example=section.text("ticket_example", default=pattern),
        ticket_template=_address(section, "ticket_url"),
        sign_in_url=_address(section, "sign_in_url"),
        check_url=_address(section, "check_url"),
        owner_notice=section.texts("owner_notice", default=[]),
        network=_revocables(section, "network"),
        secrets=_revocables(section, "secret"),
        sources=tuple(_source(step) for step in section.steps("source")),
        pepper=_pepper(section, name),
    )


def _pattern(section: Section) -> str:
    pattern = section.text("ticket_pattern")
    try:
        empty = re.fullmatch(pattern, "")
    except re.error as error:
        raise section.no("ticket_pattern", _("it is no regular expression: {why}").format(why=error)) from error
    if empty:
        raise section.no("ticket_pattern", _("it lets an empty ticket through"))
    return pattern


def _profile(section: Section) -> str:
    """A shipped name, or a path; a relative one starts where the platform file lies."""
    name = section.text("profile")
    return str(Path(section.file).resolve().parent / name) if name.endswith(".toml") else name


def _mode(section: Section) -> str:
    mode = section.text("access", default=MODES[0])
    if mode not in MODES:
        raise section.no("access", _("it must be one of {known}").format(known=", ".join(MODES)))
    return mode


def _address(section: Section, key: str) -> str:
    address = section.text(key, default="")
    if address and (urlsplit(address).scheme not in {"http", "https"} or not urlsplit(address).netloc):
        raise section.no(key, _("it must be an http or https address"))
    return address


def _connections(section: Section, platform: str) -> tuple[Connection, ...]:
    """Those that the mode of access needs; one that it cannot use is refused, so that nobody relies on it."""
    mode = _mode(section)
    named = [login for login in LOGINS if section.has(f"{login}_env") or section.has(f"{login}_file")]
    for login in named:
        if login not in ALLOWED[mode]:
            key = f"{login}_env" if section.has(f"{login}_env") else f"{login}_file"
            raise section.no(key, _("access = {mode} uses no {login}; leave it out").format(mode=mode, login=login))
    wanted = [login for login in LOGINS if login in named or login in NEEDED[mode]]
    return tuple(_connection(section, login, platform) for login in wanted)


def _connection(section: Section, login: str, platform: str, kind: type[Connection] = Connection) -> Connection:
    variable, file = section.text(f"{login}_env", default=""), section.text(f"{login}_file", default="")
    if bool(variable) == bool(file):
        raise section.no(f"{login}_env", _("name either an environment variable or a file, one of the two"))
    path = Path(section.file).resolve().parent / file if file else None
    return kind(login, platform, variable, path)


def _pepper(section: Section, platform: str) -> Connection | None:
    is_named = section.has("pepper_env") or section.has("pepper_file")
    return _connection(section, "pepper", platform, Pepper) if is_named else None


def _revocables(section: Section, key: str) -> tuple[Revocable, ...]:
    steps = [step.only(("title", "owner")) for step in section.steps(key)]
    return tuple(Revocable(step.text("title"), step.text("owner")) for step in steps)


def _source(section: Section) -> Source:
    section.only(("kind", "title", "where"))
    if section.text("kind") not in SOURCE_KINDS:
        raise section.no("kind", _("it must be audit or log"))
    return Source(section.text("kind"), section.text("title"), section.text("where"))
