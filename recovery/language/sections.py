"""Reads TOML by section, and refuses what is missing, unknown or of the wrong type by the name of its file and key."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from audit.refusals import Refused

from .columns import StatementRefused

MISSING = object()


@dataclass(frozen=True, slots=True)
class Section:
    """One table of a TOML file. refusal is the Refused kind that takes file, key and reason."""

    content: Mapping[str, Any]
    file: str
    path: str
    refusal: type[Refused]

    def no(self, key: str, reason: str) -> Refused:
        """The refusal to raise for one key of this section."""
        return self.refusal(file=self.file, key=self._path(key) or "-", reason=reason)

    def place(self, key: str) -> str:
        """The key with the way to it, as refusals name it."""
        return self._path(key)

    @contextmanager
    def reading(self, key: str) -> Iterator[None]:
        """Turns what a SQL text or a name may not be into the refusal of this key."""
        try:
            yield
        except StatementRefused as error:
            raise self.no(key, str(error)) from error

    def only(self, known: Sequence[str]) -> "Section":
        for key in self.content:
            if key not in known:
                raise self.no(key, _("it is not known here; known are {known}").format(known=", ".join(known)))
        return self

    def text(self, key: str, default: Any = MISSING) -> str:
        return self._of_type(key, str, default, _("a text"))

    def flag(self, key: str, default: Any = MISSING) -> bool:
        return self._of_type(key, bool, default, _("true or false"))

    def number(self, key: str, default: Any = MISSING) -> Any:
        value = self._of_type(key, int, default, _("a whole number"))
        if isinstance(value, bool):
            raise self.no(key, _("a whole number is needed"))
        return value

    def texts(self, key: str, default: Any = MISSING) -> tuple[str, ...]:
        value = self._of_type(key, list, default, _("a list of texts"))
        if not all(isinstance(item, str) for item in value):
            raise self.no(key, _("a list of texts is needed"))
        if len(set(value)) != len(value):
            raise self.no(key, _("a name stands twice in the list"))
        return tuple(value)

    def below(self, key: str, *, optional: bool = False) -> "Section":
        content = self._of_type(key, dict, {} if optional else MISSING, _("a section"))
        return self._section(content, key)

    def each(self, key: str) -> dict[str, "Section"]:
        """The sections `[key.name]` by their names."""
        section = self.below(key)
        return {name: section.below(name) for name in section.content}

    def steps(self, key: str) -> list["Section"]:
        """The sections `[[key]]` in their order; optional, an empty list when there are none."""
        items = self._of_type(key, list, [], _("a list of sections"))
        if not all(isinstance(item, dict) for item in items):
            raise self.no(key, _("a list of sections is needed"))
        return [self._section(item, f"{key} {number}") for number, item in enumerate(items, start=1)]

    def has(self, key: str) -> bool:
        return key in self.content

    def _of_type(self, key: str, kind: type, default: Any, wanted: str) -> Any:
        value = self.content.get(key, default)
        if value is MISSING:
            raise self.no(key, _("it is missing"))
        if value is not default and not isinstance(value, kind):
            raise self.no(key, _("{wanted} is needed").format(wanted=wanted))
        if isinstance(value, str) and "\0" in value:
            raise self.no(key, _("a NUL stands in the text"))
        return value

    def _section(self, content: Mapping[str, Any], key: str) -> "Section":
        return Section(content, self.file, self._path(key), self.refusal)

    def _path(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path and key else self.path or key


def read_toml(path: Path, refusal: type[Refused]) -> tuple[Section, bytes]:
    """The root section of a file and its bytes. Raises the refusal when it cannot be read or is no TOML."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = _("the file cannot be read ({why})").format(why=error.strerror)
        raise refusal(file=str(path), key="-", reason=reason) from error
    return parse_toml(str(path), raw, refusal), raw


def parse_toml(file: str, raw: bytes, refusal: type[Refused]) -> Section:
    """The root section of a file's bytes. Raises the refusal when they are no TOML."""
    try:
        return Section(tomllib.loads(raw.decode()), file, "", refusal)
    except ValueError as error:  # not UTF-8, or not TOML
        raise refusal(file=file, key="-", reason=_("it is no TOML: {why}").format(why=error)) from error
