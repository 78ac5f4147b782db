"""Writes docs/platforms.md: what was played, with which versions, and what was seen. Facts only, no machine's name or path."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from breakglass.practice.preparation import ROOT
from tests.platforms.playing import Played
from tests.platforms.rowdiff import Change
from tests.platforms.software import Software

FILE = ROOT / "docs" / "platforms.md"
START, END = "<!-- {name}: recorded by make platforms ARGS=--record -->", "<!-- end of {name} -->"
HEAD = "| locked out | outcome | rows that the run changed | drill | played | |\n|---|---|---|---|---|---|\n"


def write(software: Software, played: Played, *, file: Path = FILE) -> None:
    """Write the line of this variant into the part of its software; what was recorded of others stays."""
    start, end = (mark.format(name=software.name) for mark in (START, END))
    text = file.read_text()
    before, found, rest = text.partition(start)
    old, _end, after = rest.partition(f"{end}\n")
    if not found:
        before, old, after = f"{text.rstrip()}\n\n", "", ""
    file.write_text(f"{before}{start}\n{_section(software, _lines(software, played, old))}{end}\n{after}")


def _section(software: Software, lines: list[str]) -> str:
    title = f"### {software.title} {software.version()}\n"
    return f"{title}Profile `{Path(software.profile).name}`, PostgreSQL {software.major}.\n\n{HEAD}{''.join(lines)}"


def _lines(software: Software, played: Played, old: str) -> list[str]:
    """One for each variant in its order: new, or as it was recorded before."""
    kept = {line.split("|")[1].strip(): f"{line}\n" for line in old.splitlines() if line.startswith("| ")}
    known = kept | {played.variant.name: _line(played)}
    return [known[variant.name] for variant in software.variants if variant.name in known]


def _line(played: Played) -> str:
    ended = "holds" if played.holds else "fails"
    rows = "; ".join(_rows(played.rows)) or "-"
    today = datetime.now(UTC).date().isoformat()
    return (
        f"| {played.variant.name} | {played.variant.outcome} | {rows} | {played.seconds:.0f} s | {today} | {ended} |\n"
    )


def _rows(changes: list[Change]) -> list[str]:
    return [f"{count} × `{text}`" if count > 1 else f"`{text}`" for text, count in Counter(map(str, changes)).items()]
