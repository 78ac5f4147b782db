"""The verifier against forged contents whose sums all fit again. Each test is named after the attack."""

from collections.abc import Callable
from pathlib import Path

import pytest

from audit import verify
from tests.audit.conftest import add_evidence, write_bundle
from tests.audit.forgery import Files, chain_again, edit_lines, manifest, pack, read, seal_again


@pytest.fixture
def forge(recovery_bundle: Path, tmp_path: Path) -> Callable[[Callable[[Files], None]], verify.Report]:
    """Changes the files, makes all sums fit again, packs, verifies."""

    def run(change: Callable[[Files], None]) -> verify.Report:
        files = read(recovery_bundle)
        change(files)
        return verify.check(pack(tmp_path / "forged.zip", seal_again(files)))

    return run


def test_honest_repacking_changes_nothing(forge: Callable):
    assert forge(lambda files: None).exit_code == 0


def test_entry_edited(forge: Callable):
    report = forge(
        lambda files: edit_lines(files, lambda lines: lines.__setitem__(3, lines[3].replace(b"olivia", b"oliver")))
    )

    assert "does not follow the line before" in report.text()


@pytest.mark.parametrize("place", [0, 5, -2])
def test_entry_dropped(forge: Callable, place: int):
    report = forge(lambda files: edit_lines(files, lambda lines: lines.pop(place)))

    assert "left out, added or moved" in report.text()


def test_entry_added(forge: Callable):
    report = forge(lambda files: edit_lines(files, lambda lines: lines.insert(4, lines[4])))

    assert "left out, added or moved" in report.text()


def test_entries_swapped(forge: Callable):
    report = forge(lambda files: edit_lines(files, lambda lines: lines.insert(3, lines.pop(4))))

    assert "left out, added or moved" in report.text()


def test_end_cut_off_with_all_sums_made_anew(forge: Callable):
    report = forge(lambda files: edit_lines(files, lambda lines: lines.pop()))

    assert report.exit_code == 2
    assert "does not end with the sealing" in report.text()


def test_end_cut_off_behind_the_count_of_entries(recovery_bundle: Path, tmp_path: Path):
    files = read(recovery_bundle)
    info = files["bag-info.txt"]
    edit_lines(files, lambda lines: lines.pop())
    files = seal_again(files)
    files["bag-info.txt"] = info.replace(info.split(b"Oxum: ")[1], files["bag-info.txt"].split(b"Oxum: ")[1])
    tags = {name: files[name] for name in ("bag-info.txt", "bagit.txt", "manifest-sha256.txt")}

    report = verify.check(pack(tmp_path / "cut.zip", {**files, "tagmanifest-sha256.txt": manifest(tags)}))

    assert "the end was cut off or lengthened" in report.text()


def test_approval_dropped_with_the_whole_chain_made_anew(forge: Callable):
    def drop(lines: list[bytes]) -> None:
        lines[:] = [line for line in lines if b'"sam"' not in line]
        chain_again(lines)

    report = forge(lambda files: edit_lines(files, drop))

    assert report.gaps == ["two approvals by two people are missing"]


def test_entry_of_another_incident(forge: Callable):
    def move(lines: list[bytes]) -> None:
        lines[2] = lines[2].replace(b"0042", b"0043")
        chain_again(lines)

    assert "belongs to 'INC-2026-0043'" in forge(lambda files: edit_lines(files, move)).text()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v":1', b'"v": 1'),
        (b'"v":1', b'"v":1,"v":1'),
        (b'"v":1', b'"v":1.0'),
        (b'"v":1', b'"v":1e0'),
        (b'"v":1', b'"v":NaN'),
        (b'"v":1', b'"v":true'),
        (b'"v":1', b'"v":2'),
        (b'"v":1}', b'"v":1}\n'),
        (b'"v":1}', b'"v":1'),
        (b'"olivia"', b'"\xff"'),
        (b'"olivia"', b'"\\u006flivia"'),
        (b'"olivia"', b"[" * 5000 + b"]" * 5000),
        (b'"olivia"', b'"' + b"x" * 70000 + b'"'),
        (b'{"at"', b'{"zz":1,"at"'),
    ],
)
def test_last_line_that_the_log_would_never_hold(forge: Callable, old: bytes, new: bytes):
    report = forge(lambda files: edit_lines(files, lambda lines: lines.__setitem__(-1, lines[-1].replace(old, new))))

    assert report.exit_code == 1
    assert report.faults[0].startswith("6 Entries")


def test_evidence_replaced(forge: Callable):
    report = forge(lambda files: files.__setitem__("data/sql/001-statements.sql", b"SELECT 1;\n"))

    assert report.faults == ["7 Evidence: data/sql/001-statements.sql is not the file that entry 12 names"]


def test_evidence_missing(forge: Callable):
    report = forge(lambda files: files.pop("data/logs/004-backend.jsonl"))

    assert report.faults == ["7 Evidence: 'data/logs/004-backend.jsonl', named by entry 15, is missing"]


def test_file_that_no_entry_names(forge: Callable):
    report = forge(lambda files: files.__setitem__("data/logs/other-incident.jsonl", b"{}\n"))

    assert report.faults == ["7 Evidence: data/logs/other-incident.jsonl is named by no entry"]


def test_evidence_of_another_incident_under_the_same_name(recovery_bundle: Path, tmp_path: Path, forge: Callable):
    add_evidence("sql/001-statements.sql", "statements", b"DELETE FROM tenant;\n", incident="INC-2026-0043")
    write_bundle(tmp_path / "other.zip", incident="INC-2026-0043")
    foreign = read(tmp_path / "other.zip")["data/sql/001-statements.sql"]

    assert forge(lambda files: files.__setitem__("data/sql/001-statements.sql", foreign)).exit_code == 1
