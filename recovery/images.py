"""Row images: a platform's rows as JSON that the server made, secrets as keyed fingerprints. No secret leaves here."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext as _

from audit import canonical

from .database import Session
from .hashing import passwords
from .language import derived
from .language.columns import Table
from .language.profile import Profile, Statement, TableRule
from .models import AdminUser, RowImage, Run, Tenant
from .run_refusals import KeyShared

LONGEST_KEY = LONGEST_LABEL = 255
LONGEST_TOLD = 80
FINGERPRINT = "hmac:"


@dataclass(frozen=True)
class Image:
    """One row of one table. columns None: there is no row. xmin: the transaction that wrote this version, as text."""

    table: str
    key: Mapping[str, Any]
    columns: Mapping[str, Any] | None
    label: str = ""
    xmin: str = field(default="", compare=False)
    clear: str = field(default="", compare=False, repr=False)  # the row with its secrets, for the seal and nothing else

    @property
    def row_key(self) -> str:
        """The key as one text: the bare value of a single column, else its canonical JSON."""
        text = str(*self.key.values()) if len(self.key) == 1 else canonical.line(dict(self.key))
        return text if len(text) <= LONGEST_KEY else sha256(text.encode()).hexdigest()

    @property
    def place(self) -> tuple[str, str]:
        return self.table, self.row_key

    def without(self, names: Iterable[str]) -> dict[str, Any] | None:
        """The columns, except these (volatile ones)."""
        left = set(names)
        return None if self.columns is None else {k: v for k, v in self.columns.items() if k not in left}

    def gone(self) -> "Image":
        return replace(self, columns=None, xmin="", clear="")

    def as_fields(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "key": dict(self.key),
            "columns": None if self.columns is None else dict(self.columns),
            "label": self.label,
            "xmin": self.xmin,
        }


def to_json(images: Iterable[Image]) -> str:
    return canonical.line({"rows": [image.as_fields() for image in images]})


def from_json(text: str) -> tuple[Image, ...]:
    return tuple(Image(**fields) for fields in json.loads(text)["rows"]) if text else ()


def met(session: Session, profile: Profile, kind: str, statement: Statement, values: Mapping[str, Any]) -> list[Image]:
    """The rows that an UPDATE or DELETE will meet now, by its own WHERE; in a run those of an UPDATE stay locked.

    The reader gets stamps of secret columns from the view that hides them; a run's login may read what it will write.
    """
    rule = profile.tables[statement.table]
    columns = profile.image_columns(kind, statement.table)
    text = derived.image_select(
        statement.parsed,
        columns,
        key=rule.key,
        secret=rule.secret,
        stamped=session.is_reading,
        lock=statement.parsed.action == "update" and not session.is_reading,
    )
    found = [_image(session, rule, *row) for row in session.execute(text, values).fetchall()]
    for place, count in Counter(image.place for image in found).items():
        if count > 1:
            raise KeyShared(table=statement.table, key=place[1])
    return found


def by_key(session: Session, profile: Profile, kind: str, table: Table, key: Mapping[str, Any]) -> Image:
    """One row as it is now; columns None when there is none. Raises KeyShared when there are two."""
    rule = profile.tables[table]
    columns = profile.image_columns(kind, table)
    wanted = {name: key[name] for name in rule.key}
    text = derived.image_by_key(table, columns, key=wanted, secret=rule.secret, stamped=session.is_reading)
    rows = session.execute(text, {f"key_{number}": value for number, value in enumerate(wanted.values())}).fetchmany(2)
    if len(rows) > 1:
        raise KeyShared(table=table, key=canonical.line(wanted))
    return _image(session, rule, *rows[0]) if rows else Image(str(table), key, None)


def _image(session: Session, rule: TableRule, clear: str, key: str, xmin: str) -> Image:
    columns, keys = read(clear), read(key)
    for name in rule.secret.intersection(columns):
        columns[name] = fingerprint(columns[name] if session.is_reading else passwords.stamp(columns[name]))
    label = {**keys, **columns}.get(rule.label)
    shown = "" if label is None else str(label)[:LONGEST_LABEL]
    return Image(str(rule.table), keys, columns, shown, xmin, "" if session.is_reading else clear)


def read(text: str) -> dict[str, Any]:
    """JSON of the server with every number exact: what a double would bend stays text."""
    return canonical.clean(json.loads(text, parse_float=str, parse_constant=str))


def fingerprint(stamp: str | None) -> str | None:
    """What the console keeps of a secret column: a keyed fingerprint of its stamp, None when it is not set."""
    return None if stamp is None else passwords.fingerprint(stamp, _key(settings.SECRET_KEY))


@lru_cache(maxsize=2)
def _key(secret: str) -> bytes:
    derivation = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"breakglass row fingerprints")
    return derivation.derive(secret.encode())


def told(value: Any) -> str:
    """A value as a sentence may show it: secrets only as such, long texts cut."""
    if isinstance(value, str) and value.startswith(FINGERPRINT):
        return _("a secret")
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_TOLD else text[:LONGEST_TOLD] + "…"


def record(run: Run, image: Image, *, moment: str, at: datetime, tenant_table: str) -> None:
    """Save the row's image so that its history shows it. Inside the transaction that decides the run."""
    model = Tenant if image.table == tenant_table else AdminUser
    place = {
        "system_identifier": run.system_identifier,
        "database_name": run.database_name,
        "table_name": image.table,
        "row_key": image.row_key,
    }
    row = model.objects.filter(**place).first() or model(**place, platform=run.platform)
    changing = {
        "label": image.label or row.label,
        "run": run,
        "moment": moment,
        "image": "" if image.columns is None else canonical.line(dict(image.columns)),
        "at": at,
    }
    for name, value in changing.items():
        setattr(row, name, value)
    _save(row, run, at, list(changing))


def _save(row: RowImage, run: Run, at: datetime, changing: list[str]) -> None:
    told = {"_history_date": at, "_change_reason": f"{run.incident} {run.kind}"}  # read by simple-history when it saves
    vars(row).update(told)
    row.save(update_fields=changing if row.pk else None)


def record_both(run: Run, *, tenant_table: str, at: datetime) -> None:
    """Every written row once before and once after, from the images that the run recorded when it was prepared."""
    for moment, text in ((RowImage.Moment.BEFORE, run.before), (RowImage.Moment.AFTER, run.after)):
        for image in from_json(text):
            record(run, image, moment=moment, at=at, tenant_table=tenant_table)
