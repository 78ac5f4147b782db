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
HEAD = "| locked out | outcome | rows that the run changed | drill | |\n|---|---|---|---|---|\n"


def write(software: Software, played: list[Played], *, file: Path = FILE) -> None:
    """Replace the part of one software in the file, or add it at the end."""
    start, end = (mark.format(name=software.name) for mark in (START, END))
    section = f"{start}\n{_section(software, played)}{end}\n"
    text = file.read_text()
    if start in text:
        before, _start, rest = text.partition(start)
        _old, _end, after = rest.partition(f"{end}\n")
        file.write_text(before + section + after)
    else:
        file.write_text(f"{text.rstrip()}\n\n{section}")


def _section(software: Software, played: list[Played]) -> str:
    today = datetime.now(UTC).date().isoformat()
    title = f"### {software.title} {software.version()}\n"
    told = f"Profile `{Path(software.profile).name}`, PostgreSQL {software.major}, played on {today}.\n\n"
    return f"{title}{told}{HEAD}{''.join(_line(one) for one in played)}"


def _line(played: Played) -> str:
    ended = "holds" if played.holds else "fails"
    rows = "; ".join(_rows(played.rows)) or "-"
    return f"| {played.variant.name} | {played.variant.outcome} | {rows} | {played.seconds:.0f} s | {ended} |\n"


def _rows(changes: list[Change]) -> list[str]:
    return [f"{count} × `{text}`" if count > 1 else f"`{text}`" for text, count in Counter(map(str, changes)).items()]
