"""The verifier's two verdicts, and the two ways to call it."""

import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from audit import events, verify
from tests.audit.conftest import BEFORE_EVIDENCE, EVIDENCE, INCIDENT, append, tell_recovery, write_bundle

NEEDED = {event for event, _ in BEFORE_EVIDENCE} - {events.RUN_COMMITTED}
VERIFIER = Path(verify.__file__)


def test_whole_recovery_is_intact_and_complete(recovery_bundle: Path):
    report = verify.check(recovery_bundle)

    assert (report.faults, report.gaps, report.exit_code) == ([], [], 0)
    assert report.text().endswith("INTEGRITY: intact\nCOMPLETENESS: complete")


def test_unpacked_bundle_is_verified_too(recovery_bundle: Path, tmp_path: Path):
    zipfile.ZipFile(recovery_bundle).extractall(tmp_path / "out")

    assert verify.check(tmp_path / "out" / INCIDENT).exit_code == 0


@pytest.mark.parametrize("event", sorted(NEEDED))
def test_recovery_without_a_step_is_intact_but_not_complete(console: str, tmp_path: Path, event: str):
    tell_recovery(without=event)
    write_bundle(tmp_path / "bundle.zip")

    report = verify.check(tmp_path / "bundle.zip")

    assert (report.is_intact, len(report.gaps), report.exit_code) == (True, 1, 2)


@pytest.mark.parametrize("kind", [kind for kind, _ in EVIDENCE.values()])
def test_recovery_without_a_kind_of_evidence_is_not_complete(console: str, tmp_path: Path, kind: str):
    tell_recovery(without_kind=kind)
    write_bundle(tmp_path / "bundle.zip")

    report = verify.check(tmp_path / "bundle.zip")

    assert [gap.endswith("(evidence) is missing") for gap in report.gaps] == [True]


def test_bundle_of_an_open_incident_is_not_complete(console: str, tmp_path: Path):
    append(events.INCIDENT_OPENED)
    write_bundle(tmp_path / "bundle.zip")

    report = verify.check(tmp_path / "bundle.zip")

    assert report.gaps == ["it does not end with the sealing of the evidence or the closing of the incident"]


def test_incident_without_a_change_is_complete_when_abandoned(console: str, tmp_path: Path):
    append(events.INCIDENT_OPENED)
    append(events.INCIDENT_ABANDONED)
    write_bundle(tmp_path / "bundle.zip")

    assert verify.check(tmp_path / "bundle.zip").exit_code == 0


def test_one_person_approving_twice_is_a_gap(console: str, tmp_path: Path):
    tell_recovery(without=events.APPROVAL_GIVEN)
    append(events.APPROVAL_GIVEN, "sam")
    append(events.APPROVAL_GIVEN, "sam")
    append(events.INCIDENT_CLOSED)
    write_bundle(tmp_path / "bundle.zip")

    assert verify.check(tmp_path / "bundle.zip").gaps == ["two approvals by two people are missing"]


def test_broken_bundle_is_not_judged_for_completeness(tmp_path: Path):
    (tmp_path / "bundle.zip").write_bytes(b"junk")

    assert verify.check(tmp_path / "bundle.zip").text().endswith("INTEGRITY: BROKEN\nCOMPLETENESS: not judged")


def test_verifier_runs_alone_with_nothing_installed(recovery_bundle: Path, tmp_path: Path):
    alone = shutil.copy(VERIFIER, tmp_path / "verify.py")

    done = subprocess.run(
        [sys.executable, "-I", "-S", alone, recovery_bundle], capture_output=True, text=True, cwd=tmp_path, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "COMPLETENESS: complete" in done.stdout


def test_verifier_without_a_bundle_says_how_to_call_it(capsys: pytest.CaptureFixture[str]):
    assert verify.main([]) == 1
    assert "usage" in capsys.readouterr().err


def test_command_passes_a_whole_bundle(recovery_bundle: Path):
    said = io.StringIO()

    call_command("verify_bundle", str(recovery_bundle), stdout=said)

    assert "INTEGRITY: intact" in said.getvalue()


def test_command_ends_with_the_verifiers_exit_code(console: str, tmp_path: Path):
    append(events.INCIDENT_OPENED)
    write_bundle(tmp_path / "open.zip")
    (tmp_path / "junk.zip").write_bytes(b"junk")

    with pytest.raises(CommandError, match="not intact") as broken:
        call_command("verify_bundle", str(tmp_path / "junk.zip"), stdout=io.StringIO())
    with pytest.raises(CommandError, match="not complete") as unfinished:
        call_command("verify_bundle", str(tmp_path / "open.zip"), stdout=io.StringIO())

    assert (broken.value.returncode, unfinished.value.returncode) == (1, 2)
