"""The forger's tools: take a bundle apart, change it, and make every sum fit again."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from audit import canonical, verify
from tests.audit.conftest import INCIDENT

ENTRIES = "data/audit/entries.jsonl"
Files = dict[str, bytes]


def read(bundle: Path) -> Files:
    archive = zipfile.ZipFile(bundle)
    return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def manifest(files: Files) -> bytes:
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items())).encode()


def seal_again(files: Files) -> Files:
    """What somebody does who knows the format: every manifest, sum and count fits the forged content."""
    data = {name: content for name, content in files.items() if name.startswith("data/")}
    lines = data[ENTRIES].split(b"\n")[:-1]
    info = (
        f"External-Identifier: {INCIDENT}\nEntry-Count: {len(lines)}\n"
        f"Last-Entry-SHA256: {hashlib.sha256(lines[-1]).hexdigest()}\n"
        f"Payload-Oxum: {sum(map(len, data.values()))}.{len(data)}\n"
    )
    tags = {"bag-info.txt": info.encode(), "bagit.txt": verify.BAGIT, "manifest-sha256.txt": manifest(data)}
    return {**data, **tags, "tagmanifest-sha256.txt": manifest(tags)}


def pack(path: Path, files: Files, **changed: int) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(f"{INCIDENT}/{name}", (1980, 1, 1, 0, 0, 0))
            entry.external_attr, entry.create_system = 0o100644 << 16, 3
            for key, value in changed.items():
                setattr(entry, key, value)
            archive.writestr(entry, content)
    return path


def edit_lines(files: Files, change: Callable[[list[bytes]], None]) -> None:
    lines = files[ENTRIES].split(b"\n")[:-1]
    change(lines)
    files[ENTRIES] = b"".join(line + b"\n" for line in lines)


def chain_again(lines: list[bytes]) -> None:
    """Numbers and hashes of the whole chain made anew, by somebody who knows how."""
    prev = ""
    for number, line in enumerate(lines, 1):
        lines[number - 1] = canonical.line({**json.loads(line), "n": number, "prev": prev}).encode()
        prev = hashlib.sha256(lines[number - 1]).hexdigest()
