"""Where a platform's secrets are found: an environment variable, or a file that nobody else can read. Read at every use, never kept."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from audit.refusals import Refused

from .refusals import ConnectionMissing, PepperFileOpen, PepperMissing, SecretFileOpen


@dataclass(frozen=True, slots=True)
class Connection:
    """Where one login's connection string is found: an environment variable or a file."""

    login: str
    platform: str
    variable: str
    file: Path | None

    def __str__(self) -> str:
        return str(self.file) if self.file else self.variable

    def read(self) -> str:
        """The connection string. Raises ConnectionMissing or SecretFileOpen."""
        value = self.secret()
        try:
            conninfo_to_dict(value)
        except ProgrammingError as error:
            raise self.missing(_("it is no connection string")) from error
        return value

    def secret(self) -> str:
        """What stands there, without spaces at its ends. Raises as read does."""
        value = _read_secret(self, self.file) if self.file else os.environ.get(self.variable, "").strip()
        if not value:
            raise self.missing(_("it is empty"))
        return value

    def missing(self, why: str) -> Refused:
        return ConnectionMissing(login=self.login, platform=self.platform, source=str(self), why=why)

    def unsafe(self, why: str) -> Refused:
        return SecretFileOpen(file=str(self), why=why)


@dataclass(frozen=True, slots=True)
class Pepper(Connection):
    """Where the secret is found that the platform mixes into every password hash."""

    def missing(self, why: str) -> Refused:
        return PepperMissing(platform=self.platform, source=str(self), why=why)

    def unsafe(self, why: str) -> Refused:
        return PepperFileOpen(file=str(self), why=why)


def _read_secret(connection: Connection, path: Path) -> str:
    """The file's content, after a look at who else could read or exchange it."""
    try:
        with path.open(encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise connection.unsafe(_("it is no ordinary file"))
            if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise connection.unsafe(_("its mode lets others in"))
            if status.st_uid not in {os.geteuid(), 0}:
                raise connection.unsafe(_("it belongs to another user"))
            return file.read().strip()
    except (OSError, ValueError) as error:
        raise connection.missing(_("it cannot be read")) from error
