"""Reads the receipt of a script: whether it is the platform's own words on this run, and which rows it tells of.

A receipt alone proves nothing: whoever holds the script can make one up. It is compared with the platform by reconcile.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext as _

from .. import images
from ..images import LONGEST_LABEL, Image
from ..language.profile import Profile
from ..models import Run
from .paper_refusals import ReceiptAltered, ReceiptOfAnother, ReceiptUnreadable
from .paper_script import BEGIN, END, VERSION

LONGEST = 10_000_000
LINES = 2  # the receipt and its seal; a terminal may have broken the first


@dataclass(frozen=True)
class Receipt:
    """What the platform printed. before and after: every row, secrets as keyed fingerprints; sha256: of the exact text."""

    sha256: str
    xid: str
    timeline: str
    system_identifier: str
    database_name: str
    clock: str
    before: tuple[Image, ...]
    after: tuple[Image, ...]
    counts: tuple[int, ...]


def proof_of(run: Run) -> str:
    """What the script mixes into its seal: it follows from the console's secret and the run, and is stored nowhere."""
    derivation = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"breakglass paper receipt")
    return hmac.digest(derivation.derive(settings.SECRET_KEY.encode()), str(run.pk).encode(), hashlib.sha256).hex()


def read(text: str, run: Run, profile: Profile) -> Receipt:
    """The receipt in what somebody pasted or uploaded; everything around the two markers is left aside.

    Raises:
        ReceiptUnreadable: there is none. ReceiptOfAnother: it belongs to another run, plan or database.
        ReceiptAltered: it is not, letter by letter, what the script's own transaction sealed.
    """
    line, seal = _lines(text)
    try:
        fields = json.loads(line, parse_float=str, parse_constant=str)
    except ValueError as error:
        raise ReceiptUnreadable(why=_("its text is damaged")) from error
    if not isinstance(fields, dict) or fields.get("v") != VERSION:
        raise ReceiptUnreadable(why=_("it has another form"))
    _require_own(fields, run)
    if not hmac.compare_digest(_sealed(line, run), seal):
        raise ReceiptAltered
    return _receipt(line, fields, profile)


def _lines(text: str) -> tuple[str, str]:
    before, begin, rest = text[:LONGEST].partition(BEGIN)
    inside, end, _after = rest.partition(END)
    lines = [line.strip("\r") for line in inside.strip().splitlines()]
    if not begin or not end or len(lines) < LINES:
        raise ReceiptUnreadable(why=_("the lines BEGIN and END are not both there"))
    return "".join(lines[:-1]), lines[-1].strip()


def _require_own(fields: dict[str, Any], run: Run) -> None:
    own = {
        "run": str(run.pk),
        "digest": run.plan_digest,
        "system_identifier": run.system_identifier,
        "database": run.database_name,
    }
    for name, wanted in own.items():
        if fields.get(name) != wanted:
            raise ReceiptOfAnother(what=name, found=str(fields.get(name))[:80])


def _sealed(line: str, run: Run) -> str:
    return hashlib.sha256((proof_of(run) + line).encode()).hexdigest()


def _receipt(line: str, fields: dict[str, Any], profile: Profile) -> Receipt:
    before: dict[tuple[str, str], Image] = {}
    found: dict[tuple[str, str], Image] = {}
    for told in fields["statements"]:
        after = [_image(row, profile) for row in told["after"]]
        met = [_image(row, profile) for row in told["met"]]
        for image in met or [image.gone() for image in after if told["action"] == "insert"]:
            before.setdefault(image.place, image)
        found |= {image.place: image for image in after}
    return Receipt(
        sha256=hashlib.sha256(line.encode()).hexdigest(),
        xid=str(fields["xid"]),
        timeline=str(fields["timeline"]),
        system_identifier=str(fields["system_identifier"]),
        database_name=str(fields["database"]),
        clock=str(fields["clock"]),
        before=tuple(before.values()),
        after=tuple(found.get(place, image.gone()) for place, image in before.items()),
        counts=tuple(int(told["rows"]) for told in fields["statements"]),
    )


def _image(row: dict[str, Any], profile: Profile) -> Image:
    """A row as the console keeps one: its secrets, which the receipt tells by their stamps, as keyed fingerprints."""
    rule = next(rule for table, rule in profile.tables.items() if str(table) == row["table"])
    columns, keys = images.read(json.dumps(row["columns"])), images.read(json.dumps(row["key"]))
    for name in rule.secret.intersection(columns):
        columns[name] = images.fingerprint(columns[name])
    label = {**keys, **columns}.get(rule.label)
    shown = "" if label is None else str(label)[:LONGEST_LABEL]
    return Image(row["table"], keys, columns, shown, str(row["xmin"]))
