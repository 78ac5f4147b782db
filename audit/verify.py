#!/usr/bin/env python3
"""Verifies an evidence bundle of the break-glass recovery console. One file, Python 3.9 or newer, nothing to install.

    python3 verify.py BUNDLE.zip          (or the folder that it was unpacked into)

What is looked at, in this order; the same numbers stand in the code and in what it prints:

1. Container. The zip is read byte by byte and must be packed exactly as the console packs: stored, not compressed, with
   fixed headers, no gap, nothing before, between or behind. So there is no bomb, no hidden second file, no link, no path
   that leaves the folder (RFC 8493 section 5 names these dangers). Nothing is unpacked.
2. Declaration. bagit.txt says BagIt 1.0 in UTF-8; bag-info.txt names the incident once (RFC 8493, 2.1.1 and 2.2.2).
3. Tag manifest. Every file beside data/ is listed in tagmanifest-sha256.txt with its SHA-256, and no other (2.2.1).
4. Payload manifest. Every file in data/ is listed in manifest-sha256.txt with its SHA-256, and no other (2.1.3).
5. Payload-Oxum. Bytes and number of the files in data/ are what bag-info.txt says (2.2.2).
6. Entries. Each line of data/audit/entries.jsonl is one RFC 8785 object of this incident; n counts 1, 2, 3 ... and prev
   is the SHA-256 of the line before, so none was edited, left out, added or moved; the last is as bag-info.txt says.
7. Evidence. Every file that an entry names is there with that size and SHA-256, and no file is there that none names.
8. Completeness. The entries begin with the opening and end with sealing or closing, and where a change was made, each
   step of the procedure and each kind of evidence is among them.

Two verdicts: integrity (1 to 7) and completeness (8). Exit code 0: intact and complete; 1: not intact, or not a bundle;
2: intact but not complete. It does not say who made the bundle, nor that what the entries tell is true.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

README, ENTRIES = "data/README.txt", "data/audit/entries.jsonl"
BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*", re.ASCII)
MANIFEST_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
CHAIN_KEYS = {"v": int, "event": str, "by": str, "at": str, "incident": str, "n": int, "prev": str}
LONGEST_NAME, MOST_FILES, LONGEST_LINE, LONGEST_TAG_FILE = 400, 100_000, 65_536, 64 * 1024 * 1024

ENDINGS = {"incident.closed", "incident.abandoned", "bundle.sealed"}
STEPS_OF_A_CHANGE = {
    "diagnosis.made": "a diagnosis",
    "outcome.chosen": "the choice of an outcome",
    "plan.made": "a plan",
    "window.opened": "the opening of a window",
    "run.claimed": "the start of the run",
    "access.proven": "the proof that the temporary access is gone",
}
KINDS_OF_A_CHANGE = {
    "statements": "the exact statements",
    "rows": "the rows before and after",
    "platform_audit": "the platform's own audit log",
    "backend_log": "the backend's log lines",
}


class Broken(Exception):
    """Reading cannot go on; carries its sentence."""


@dataclass
class File:
    """Where the content of one file lies, and what it is. Contents are streamed, never held."""

    path: Path
    offset: int
    size: int
    sha256: str

    def lines(self) -> Iterator[bytes]:
        """Its lines without the line feed; stops at the first one that is too long or not ended."""
        with self.path.open("rb") as source:
            source.seek(self.offset)
            left = self.size
            while left:
                line = source.readline(min(left, LONGEST_LINE + 1))
                left -= len(line)
                if not line.endswith(b"\n"):
                    raise Broken("a line is longer than 64 KiB or does not end")
                yield line[:-1]

    def read(self) -> bytes:
        if self.size > LONGEST_TAG_FILE:
            raise Broken("a file that describes the bundle is larger than 64 MiB")
        with self.path.open("rb") as source:
            source.seek(self.offset)
            return source.read(self.size)


@dataclass
class Report:
    """What was found: sentences per step, and from them the two verdicts."""

    passed: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)

    @property
    def is_intact(self) -> bool:
        return not self.faults

    @property
    def is_complete(self) -> bool:
        return self.is_intact and not self.gaps

    @property
    def exit_code(self) -> int:
        return 1 if self.faults else 2 if self.gaps else 0

    def step(self, title: str, faults: list[str], good: str) -> None:
        self.passed += [] if faults else [f"{title}: {good}"]
        self.faults += [f"{title}: {fault}" for fault in faults]

    def text(self) -> str:
        """The report for a person, ended by the two verdicts."""
        integrity = "intact" if self.is_intact else "BROKEN"
        completeness = "complete" if self.is_complete else "NOT COMPLETE" if self.is_intact else "not judged"
        return "\n".join(
            [
                *(f"ok    {line}" for line in self.passed),
                *(f"FAIL  {line}" for line in self.faults),
                *(f"gap   8 Completeness: {line}" for line in self.gaps),
                f"INTEGRITY: {integrity}",
                f"COMPLETENESS: {completeness}",
            ]
        )


# 1. Container -----------------------------------------------------------------------------------------------------

LOCAL, CENTRAL, END = "<4s5H3L2H", "<4s4B4H3L5H2L", "<4s4H2LH"
STORED, JANUARY_1980, UNIX, REGULAR_FILE = 0, 33, 3, 0o100644 << 16


def read_zip(path: Path) -> dict[str, File]:
    """The files of a zip without their common top folder."""
    files: dict[str, File] = {}
    directory: list[bytes] = []
    with path.open("rb") as source:
        size = path.stat().st_size
        while (header := source.read(30))[:4] == b"PK\3\4":
            name, file, entry = _read_member(path, source, header, size)
            _add(files, name, file)
            directory.append(entry)
        if not files:
            raise Broken("this is no zip as the console writes it")
        start = source.tell() - len(header)
        tail = b"".join(directory)
        tail += struct.pack(END, b"PK\5\6", 0, 0, len(files), len(files), len(tail), start, 0)
        if header + source.read(len(tail) + 1) != tail:
            raise Broken("the zip's directory does not fit its files, or something else is in it")
    return _without_top(files)


def _read_member(path: Path, source: BinaryIO, header: bytes, size: int) -> tuple[str, File, bytes]:
    """One file and the directory entry that must stand for it; every byte of its header is compared."""
    start = source.tell() - len(header)
    if len(header) < 30:
        raise Broken("the zip ends within a header")
    crc, length, _, name_length, _ = struct.unpack("<3L2H", header[14:])
    name = source.read(min(name_length, LONGEST_NAME + 1))
    if header != struct.pack(LOCAL, b"PK\3\4", 20, 0, STORED, 0, JANUARY_1980, crc, length, length, name_length, 0):
        raise Broken("the zip is not packed as the console packs; unpack it and verify the folder instead")
    if source.tell() + length > size:
        raise Broken("a file reaches beyond the end of the zip")
    file, found = _digest(path, source, length)
    if found != crc:
        raise Broken(f"the content of {_shown(name)} does not fit its checksum")
    common = (0, STORED, 0, JANUARY_1980, crc, length, length, len(name), 0, 0, 0, 0, REGULAR_FILE, start)
    return name.decode("ascii", "replace"), file, struct.pack(CENTRAL, b"PK\1\2", 20, UNIX, 20, 0, *common) + name


def _digest(path: Path, source: BinaryIO, length: int) -> tuple[File, int]:
    offset, crc, digest, left = source.tell(), 0, hashlib.sha256(), length
    while left and (chunk := source.read(min(left, 1 << 20))):
        crc = zlib.crc32(chunk, crc)
        digest.update(chunk)
        left -= len(chunk)
    return File(path, offset, length - left, digest.hexdigest()), crc


def _add(files: dict[str, File], name: str, file: File) -> None:
    if len(name) > LONGEST_NAME or not NAME.fullmatch(name):
        raise Broken(f"the name {_shown(name)} could lead out of the folder or hide something")
    if len(files) >= MOST_FILES:
        raise Broken("there are more than 100,000 files")
    if name in files:
        raise Broken(f"{name} is there twice")
    files[name] = file


def _without_top(files: dict[str, File]) -> dict[str, File]:
    tops = {name.partition("/")[0] for name in files}
    if len(tops) != 1 or any("/" not in name for name in files):
        raise Broken("the files do not lie in one top folder")
    return {name.partition("/")[2]: file for name, file in files.items()}


def read_folder(root: Path) -> dict[str, File]:
    """The files of an unpacked bundle; links are refused, empty folders do not count."""
    files: dict[str, File] = {}
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise Broken(f"{_shown(path)} is a link or no ordinary file")
        if path.is_file():
            with path.open("rb") as source:
                file, _ = _digest(path, source, path.stat().st_size)
            _add(files, path.relative_to(root).as_posix(), file)
    return files


def _shown(name: object) -> str:
    return ascii(name)[:120]


# 2. Declaration ---------------------------------------------------------------------------------------------------


def read_declaration(files: dict[str, File]) -> dict[str, str]:
    """The fields of bag-info.txt, after both tag files were found to be well formed."""
    for name in ("bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", README, ENTRIES):
        if name not in files:
            raise Broken(f"{name} is missing: this is no evidence bundle")
    if files["bagit.txt"].read() != BAGIT:
        raise Broken("bagit.txt does not say BagIt 1.0 in UTF-8")
    info: dict[str, str] = {}
    for line in _text_lines(files["bag-info.txt"]):
        key, colon, value = line.partition(": ")
        if not colon or key in info:
            raise Broken(f"bag-info.txt has a line that is no field, or one twice: {_shown(line)}")
        info[key] = value
    if not info.get("External-Identifier") or not info.get("Payload-Oxum"):
        raise Broken("bag-info.txt names no incident or no Payload-Oxum")
    return info


def _text_lines(file: File) -> list[str]:
    try:
        text = file.read().decode()
    except UnicodeDecodeError:
        raise Broken("a file that describes the bundle is not UTF-8") from None
    if not text.endswith("\n") or "\r" in text:
        raise Broken("a file that describes the bundle does not end its lines with a line feed")
    return text[:-1].split("\n")


# 3. and 4. Manifests ----------------------------------------------------------------------------------------------


def check_manifest(files: dict[str, File], manifest: str, expected: set[str]) -> list[str]:
    """Faults of one manifest: a line that is none, a file missing, altered or not listed."""
    listed: dict[str, str] = {}
    for line in _text_lines(files[manifest]):
        found = MANIFEST_LINE.fullmatch(line)
        if not found or found[2] in listed:
            return [f"{manifest} has a line that is no SHA-256 with a name, or one twice: {_shown(line)}"]
        listed[found[2]] = found[1]
    faults = [f"{_shown(name)} is listed but missing" for name in sorted(listed.keys() - expected)]
    faults += [f"{name} is there but not listed" for name in sorted(expected - listed.keys())]
    common = sorted(listed.keys() & expected)
    return faults + [
        f"{name} was altered: its SHA-256 is another" for name in common if files[name].sha256 != listed[name]
    ]


# 5. Payload-Oxum --------------------------------------------------------------------------------------------------


def check_oxum(files: dict[str, File], said: str) -> list[str]:
    sizes = [file.size for name, file in files.items() if name.startswith("data/")]
    found = f"{sum(sizes)}.{len(sizes)}"
    return [] if said == found else [f"bag-info.txt says {_shown(said)}, found {found}"]


# 6. Entries -------------------------------------------------------------------------------------------------------


def read_entries(file: File, info: dict[str, str]) -> list[dict[str, Any]]:
    """The entries in order, each proven to follow the one before, and the last one as bag-info.txt tells it."""
    entries: list[dict[str, Any]] = []
    incident, prev = info["External-Identifier"], ""
    for number, line in enumerate(file.lines(), 1):
        entry = read_entry(line, number)
        if entry["incident"] != incident:
            raise Broken(f"line {number} belongs to {_shown(entry['incident'])}, not to {_shown(incident)}")
        if entry["n"] != number:
            raise Broken(f"line {number} is entry {entry['n']}: an entry was left out, added or moved")
        if entry["prev"] != prev:
            raise Broken(f"entry {number} does not follow the line before it: one of the two was changed")
        prev = hashlib.sha256(line).hexdigest()
        entries.append(entry)
    if not entries or (info.get("Entry-Count"), info.get("Last-Entry-SHA256")) != (str(len(entries)), prev):
        raise Broken("number of entries or last entry are not as bag-info.txt says: the end was cut off or lengthened")
    return entries


def read_entry(line: bytes, number: int) -> dict[str, Any]:
    """One line as the object that it is, if it is RFC 8785 with all keys of an entry."""
    try:
        entry = json.loads(line.decode(), object_pairs_hook=_pairs, parse_float=_refuse, parse_constant=_refuse)
        exact = json.dumps(_sorted(entry), ensure_ascii=False, separators=(",", ":")).encode() == line
    except (ValueError, RecursionError):
        raise Broken(f"line {number} is no JSON of the kind that the log holds") from None
    if not exact or not isinstance(entry, dict):
        raise Broken(f"line {number} is not in canonical form (RFC 8785)")
    if any(type(entry.get(key)) is not kind for key, kind in CHAIN_KEYS.items()) or entry["v"] != 1:
        raise Broken(f"line {number} lacks a key that every entry has")
    return entry


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def _refuse(text: str) -> None:
    raise ValueError(text)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


# 7. Evidence ------------------------------------------------------------------------------------------------------


def check_evidence(files: dict[str, File], entries: list[dict[str, Any]]) -> list[str]:
    """Faults between what the entries name and what is there."""
    faults, named = [], {README, ENTRIES}
    for entry in entries:
        for item in _items(entry):
            name = f"data/{item.get('file')}"
            named.add(name)
            file = files.get(name)
            if file is None:
                faults.append(f"{_shown(name)}, named by entry {entry['n']}, is missing")
            elif (file.size, file.sha256) != (item.get("bytes"), item.get("sha256")):
                faults.append(f"{name} is not the file that entry {entry['n']} names")
    stray = sorted(name for name in files.keys() - named if name.startswith("data/"))
    return faults + [f"{name} is named by no entry" for name in stray]


def _items(entry: dict[str, Any]) -> list[dict[str, Any]]:
    evidence = entry.get("evidence", [])
    if not isinstance(evidence, list) or not all(isinstance(item, dict) for item in evidence):
        raise Broken(f"entry {entry['n']} names its evidence in a way that cannot be read")
    return evidence


# 8. Completeness --------------------------------------------------------------------------------------------------


def find_gaps(entries: list[dict[str, Any]]) -> list[str]:
    """What a whole incident would have and this one has not."""
    events = {entry["event"] for entry in entries}
    gaps = [] if entries[0]["event"] == "incident.opened" else ["it does not begin with the opening of the incident"]
    if entries[-1]["event"] not in ENDINGS:
        gaps.append("it does not end with the sealing of the evidence or the closing of the incident")
    if "run.committed" in events:
        gaps += _gaps_of_a_change(entries, events)
    return gaps


def _gaps_of_a_change(entries: list[dict[str, Any]], events: set[str]) -> list[str]:
    gaps = [f"{what} is missing" for event, what in STEPS_OF_A_CHANGE.items() if event not in events]
    if len({entry["by"] for entry in entries if entry["event"] == "approval.given"}) < 2:
        gaps.append("two approvals by two people are missing")
    if events.isdisjoint({"proof.seen", "proof.confirmed"}):
        gaps.append("the proof that the recovered person signed in is missing")
    kinds = {item.get("kind") for entry in entries for item in _items(entry)}
    if "rollback.disabled" in events and "incident_report" not in kinds:
        gaps.append("the incident report of what was disabled (evidence) is missing")
    return gaps + [f"{what} (evidence) is missing" for kind, what in KINDS_OF_A_CHANGE.items() if kind not in kinds]


# All together -----------------------------------------------------------------------------------------------------


def check(path: str | Path) -> Report:
    """Verify the bundle at the path (zip or folder). Never raises for what is in the bundle; it reports."""
    report = Report()
    title = "1 Container"
    try:
        files = read_folder(Path(path)) if Path(path).is_dir() else read_zip(Path(path))
        data = {name for name in files if name.startswith("data/")}
        report.step(title, [], f"{len(files)} files, nothing beside them")
        title = "2 Declaration"
        info = read_declaration(files)
        report.step(title, [], f"BagIt 1.0, incident {_shown(info['External-Identifier'])}")
        title = "3 Tag manifest"
        tags = files.keys() - data - {"tagmanifest-sha256.txt"}
        report.step(title, check_manifest(files, "tagmanifest-sha256.txt", tags), f"{len(tags)} files as listed")
        title = "4 Payload manifest"
        report.step(title, check_manifest(files, "manifest-sha256.txt", data), f"{len(data)} files as listed")
        title = "5 Payload-Oxum"
        report.step(title, check_oxum(files, info["Payload-Oxum"]), info["Payload-Oxum"])
        title = "6 Entries"
        entries = read_entries(files[ENTRIES], info)
        report.step(title, [], f"1 to {len(entries)}, unbroken; the last is {_shown(entries[-1]['event'])}")
        title = "7 Evidence"
        report.step(title, check_evidence(files, entries), "every file is named by an entry and is the one it names")
        report.gaps = find_gaps(entries)
    except Broken as fault:
        report.step(title, [str(fault)], "")
    except OSError as fault:
        report.step(title, [f"it cannot be read: {fault.strerror}"], "")
    return report


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python3 verify.py BUNDLE.zip\n")
        return 1
    report = check(arguments[0])
    sys.stdout.write(report.text() + "\n")
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
