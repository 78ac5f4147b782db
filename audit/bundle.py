"""Writes the evidence bundle of an incident: BagIt 1.0 (RFC 8493) in a zip whose bytes follow from the log alone.

The same entries give the same bytes on every machine, so nothing has to be kept: the files are stored, not compressed,
because compressed bytes differ between builds of zlib. It must never hold a file that no entry names.
"""

import hashlib
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from audit import blobs, log
from audit.refusals import EvidenceNameTaken, NothingToBundle

# English whatever the reader's language is: the bundle's bytes must not depend on who exports it.
README = Path(__file__).with_name("bundle_readme.txt").read_bytes()
BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
FIRST_MOMENT_OF_ZIP = (1980, 1, 1, 0, 0, 0)
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*", re.ASCII)

Content = bytes | Iterable[bytes]


@dataclass(frozen=True)
class BundleRef:
    """What to record of a written bundle: entries and payload files in it, the tag manifest's SHA-256 (hex)."""

    incident: str
    entries: int
    files: int
    bytes: int
    tag_manifest_sha256: str


def safe_name(name: str) -> str:
    """An upload's name as it may stand in a bundle: ASCII letters, digits, dot, hyphen, underscore, no folder."""
    last = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[^A-Za-z0-9._-]+", "_", last).lstrip("._-")[:100] or "file"


def write(incident: str, target: BinaryIO, *, upto: int | None = None) -> BundleRef:
    """Write the bundle of the incident's entries 1 to `upto` (all when None) to a seekable binary file.

    To seal: append bundle.sealed, write the bundle up to that entry's n, verify it, then record it with bundle.exported.

    Raises:
        NothingToBundle: the incident has no such entry.
        EvidenceNameTaken: two entries name different contents alike.
        BlobMissing, BlobDamaged: an evidence file is not what its entry says; the target is then worthless.
    """
    lines = log.lines(incident)[:upto]
    if not lines:
        raise NothingToBundle(incident=incident)
    last = json.loads(lines[-1])
    info = {
        "Bag-Software-Agent": "break-glass recovery console",
        "Bagging-Date": last["at"][:10],
        "External-Identifier": incident,
        "Entry-Count": str(len(lines)),
        "Last-Entry-SHA256": hashlib.sha256(lines[-1].encode()).hexdigest(),
    }
    bag = _Bag(target, folder=safe_name(incident))
    try:
        for path, content in payload(lines):
            bag.add(f"data/{path}", content)
        return BundleRef(incident, len(lines), len(bag.sums), bag.bytes, bag.close(info))
    finally:
        bag.end()


def payload(lines: list[str]) -> Iterator[tuple[str, Content]]:
    """Path and content of everything below data/: the README, the lines verbatim, each file that an entry names."""
    yield "README.txt", README
    yield "audit/entries.jsonl", (line.encode() + b"\n" for line in lines)
    for file, number in sorted(_named(lines).items()):
        yield file, blobs.stream(number)


def _named(lines: list[str]) -> dict[str, str]:
    named: dict[str, str] = {}
    items: Iterator[dict[str, Any]] = (item for line in lines for item in json.loads(line).get("evidence", []))
    for item in items:
        if named.setdefault(item["file"], item["sha256"]) != item["sha256"]:
            raise EvidenceNameTaken(file=item["file"])
    return named


class _Bag:
    """A bag being written: payload files first, then the tag files that describe them."""

    def __init__(self, target: BinaryIO, *, folder: str) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_STORED)
        self._folder = folder
        self.sums: dict[str, str] = {}
        self.bytes = 0

    def add(self, path: str, content: Content) -> None:
        digest, size = self._write(path, content)
        self.sums[path] = digest
        self.bytes += size

    def close(self, info: dict[str, str]) -> str:
        """Write the tag files and end the zip; gives the SHA-256 of the tag manifest."""
        info = {**info, "Payload-Oxum": f"{self.bytes}.{len(self.sums)}"}
        tags = {
            "bag-info.txt": "".join(f"{key}: {value}\n" for key, value in info.items()).encode(),
            "bagit.txt": BAGIT,
            "manifest-sha256.txt": _manifest(self.sums),
        }
        sums = {path: self._write(path, content)[0] for path, content in tags.items()}
        digest, _ = self._write("tagmanifest-sha256.txt", _manifest(sums))
        self.end()
        return digest

    def end(self) -> None:
        """Let go of the target, also when the content was refused half way; a second time does nothing."""
        self._zip.close()

    def _write(self, path: str, content: Content) -> tuple[str, int]:
        if not SAFE_NAME.fullmatch(path):
            raise ValueError(f"{path!r} is no name for a file in a bundle")
        entry = zipfile.ZipInfo(f"{self._folder}/{path}", FIRST_MOMENT_OF_ZIP)
        entry.external_attr, entry.create_system = 0o100644 << 16, 3
        digest, size = hashlib.sha256(), 0
        with self._zip.open(entry, "w") as file:
            for chunk in (content,) if isinstance(content, bytes) else content:
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        return digest.hexdigest(), size


def _manifest(sums: dict[str, str]) -> bytes:
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(sums.items())).encode()
