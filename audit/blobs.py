"""Large contents, kept under their SHA-256 and never changed. What is read is hashed again before anybody trusts it."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from django.db import connection

from audit import canonical
from audit.models import Blob
from audit.refusals import BlobDamaged, BlobMissing, BlobTooLarge

LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True)
class BlobRef:
    """What an entry says of a kept file: the SHA-256 (hex) and the size in bytes."""

    sha256: str
    size: int

    def as_evidence(self, file: str, *, kind: str = "") -> dict[str, object]:
        """The item for an entry's `evidence` list. `file` is its path below data/ in the bundle, see bundle.safe_name."""
        item: dict[str, object] = {"file": file, "bytes": self.size, "sha256": self.sha256}
        return {**item, "kind": kind} if kind else item


def keep(data: bytes, *, media_type: str, name: str) -> BlobRef:
    """Keep the bytes inside the caller's transaction; keeping the same bytes again changes nothing.

    Raises:
        BlobTooLarge: more than 64 MiB.
    """
    if len(data) > LARGEST:
        raise BlobTooLarge(size=len(data), limit=LARGEST)
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit.keep(%s, %s, %s)", [data, *_label(media_type, name)])
        return BlobRef(sha256=cursor.fetchone()[0], size=len(data))


def _label(media_type: str, name: str) -> tuple[str, str]:
    """An upload's own words, cut to what the table takes: they describe the content and never decide anything."""
    return canonical.clean(media_type)[:200] or "application/octet-stream", canonical.clean(name)[:255] or "file"


def stream(number: str) -> Iterator[bytes]:
    """The content in chunks of at most 256 KiB, one query each, so that memory stays flat.

    Raises:
        BlobMissing: at the first chunk.
        BlobDamaged: after the last chunk, when the SHA-256 is another one. Trust nothing before the end.
    """
    blob = Blob.objects.filter(sha256=number).first()
    if blob is None:
        raise BlobMissing(sha256=number)
    digest, n = sha256(), 0
    while chunk := _chunk(number, n):
        digest.update(chunk)
        yield chunk
        n += 1
    if digest.hexdigest() != number:
        raise BlobDamaged(sha256=number)


def _chunk(number: str, n: int) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM audit.blob_chunk WHERE sha256 = %s AND n = %s", [number, n])
        row = cursor.fetchone()
    return bytes(row[0]) if row else b""


def read(number: str) -> bytes:
    """The whole content, verified. Raises BlobMissing or BlobDamaged."""
    return b"".join(stream(number))
