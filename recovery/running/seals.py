"""The before-rows of a run with their secrets, sealed under a key of the incident, for a restore. The key dies at closing."""

import json
import os
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.utils.translation import gettext_lazy as _

from audit import canonical

from .. import images
from ..models import Run, SealedRow, SealKey
from ..run_refusals import SealBroken


def seal(run: Run, rows: list[images.Image]) -> None:
    """Keep these before-rows, sealed. Inside the transaction that records the run as prepared."""
    if not rows:
        return
    for image in rows:
        nonce, sealed = closed(run, image.clear.encode(), context=_context(run, image))
        SealedRow.objects.create(run=run, table_name=image.table, row_key=image.row_key, nonce=nonce, sealed=sealed)


def open_row(run: Run, image: images.Image) -> dict[str, Any]:
    """The row as it was before this run, secrets in clear, for the statements of a restore. Raises SealBroken."""
    row = SealedRow.objects.filter(run=run, table_name=image.table, row_key=image.row_key).first()
    if row is None:
        raise SealBroken(why=_("it was never made"))
    return json.loads(opened(run, bytes(row.nonce), bytes(row.sealed), context=_context(run, image)))


def closed(run: Run, clear: bytes, *, context: bytes) -> tuple[bytes, bytes]:
    """Nonce and sealed text, under the key of the run's incident (made at its first use). Inside a transaction."""
    fresh = {"key": AESGCM.generate_key(bit_length=256)}
    key, _made = SealKey.objects.get_or_create(incident=run.incident, defaults=fresh)
    nonce = os.urandom(12)
    return nonce, AESGCM(bytes(key.key)).encrypt(nonce, clear, context)


def opened(run: Run, nonce: bytes, sealed: bytes, *, context: bytes) -> bytes:
    """What `closed` has sealed with the same context. Raises SealBroken."""
    key = SealKey.objects.filter(incident=run.incident, wiped_at=None).first()
    if key is None:
        raise SealBroken(why=_("its key was wiped, or it was never made"))
    try:
        return AESGCM(bytes(key.key)).decrypt(nonce, sealed, context)
    except InvalidTag as error:
        raise SealBroken(why=_("somebody has changed it")) from error


def wipe(incident: str, *, at: datetime) -> None:
    """Destroy the incident's key: from now on nobody opens its sealed rows. Done when the incident closes."""
    SealKey.objects.filter(incident=incident, wiped_at=None).update(key=b"", wiped_at=at)


def _context(run: Run, image: images.Image) -> bytes:
    """What the seal is bound to: a row cannot be passed off as another one's."""
    return canonical.line({"run": str(run.id), "table": image.table, "key": image.row_key}).encode()
