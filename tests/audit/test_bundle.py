"""Writing the bundle: what is in it, and that its bytes follow from the log alone."""

import hashlib
import io
import subprocess
import zipfile
from pathlib import Path

import pytest
from django.db import connections

from audit import bundle, events, log
from audit.refusals import BlobDamaged, EvidenceNameTaken, NothingToBundle
from tests.audit.conftest import EVIDENCE, INCIDENT, add_evidence, append, write_bundle


def test_bundle_holds_the_lines_verbatim(recovery_bundle: Path):
    content = zipfile.ZipFile(recovery_bundle).read(f"{INCIDENT}/data/audit/entries.jsonl")

    assert content.decode().split("\n") == [*log.lines(INCIDENT), ""]


def test_bundle_holds_each_evidence_file_under_its_name(recovery_bundle: Path):
    archive = zipfile.ZipFile(recovery_bundle)

    assert {file: archive.read(f"{INCIDENT}/data/{file}") for file in EVIDENCE} == {
        file: content for file, (_, content) in EVIDENCE.items()
    }


def test_same_log_gives_the_same_bytes(recovery_bundle: Path, tmp_path: Path):
    write_bundle(tmp_path / "again.zip")

    assert (tmp_path / "again.zip").read_bytes() == recovery_bundle.read_bytes()


def test_later_entries_do_not_change_the_bundle_up_to_the_seal(recovery_bundle: Path, tmp_path: Path):
    sealed = len(log.lines(INCIDENT))
    append(events.BUNDLE_EXPORTED)

    write_bundle(tmp_path / "again.zip", upto=sealed)

    assert (tmp_path / "again.zip").read_bytes() == recovery_bundle.read_bytes()


def test_reference_names_the_tag_manifest(recovery_bundle: Path, tmp_path: Path):
    ref = write_bundle(tmp_path / "again.zip")

    manifest = zipfile.ZipFile(recovery_bundle).read(f"{INCIDENT}/tagmanifest-sha256.txt")
    assert ref.tag_manifest_sha256 == hashlib.sha256(manifest).hexdigest()
    assert (ref.incident, ref.entries, ref.files) == (INCIDENT, len(log.lines(INCIDENT)), len(EVIDENCE) + 2)


def test_other_incidents_stay_outside(recovery_bundle: Path, tmp_path: Path):
    append(events.INCIDENT_OPENED, incident="INC-2026-0043", reason="another secret")

    write_bundle(tmp_path / "again.zip")

    assert b"another secret" not in (tmp_path / "again.zip").read_bytes()


@pytest.mark.parametrize("manifest", ["manifest-sha256.txt", "tagmanifest-sha256.txt"])
def test_stranger_verifies_with_sha256sum(recovery_bundle: Path, tmp_path: Path, manifest: str):
    zipfile.ZipFile(recovery_bundle).extractall(tmp_path)

    done = subprocess.run(["sha256sum", "--strict", "-c", manifest], cwd=tmp_path / INCIDENT, capture_output=True)

    assert done.returncode == 0


def test_unknown_incident_has_no_bundle(console: str):
    with pytest.raises(NothingToBundle):
        bundle.write("INC-0", io.BytesIO())


def test_two_contents_under_one_name_are_refused(console: str):
    add_evidence("logs/a.txt", "backend_log", b"one")
    add_evidence("logs/a.txt", "backend_log", b"two")

    with pytest.raises(EvidenceNameTaken):
        bundle.write(INCIDENT, io.BytesIO())


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a//b", "a/../b", ".hidden", "a\\b", "a b", "é", "a\nb", ""])
def test_name_that_could_leave_the_folder_is_a_fault(console: str, name: str):
    add_evidence(name, "other", b"content")

    with pytest.raises(ValueError, match="no name for a file"):
        bundle.write(INCIDENT, io.BytesIO())


def test_damaged_evidence_is_not_bundled(console: str):
    add_evidence("logs/a.txt", "backend_log", b"one")
    owner = connections["owner"].cursor()
    owner.execute("ALTER TABLE audit.blob_chunk DISABLE TRIGGER blob_chunk_stays")
    owner.execute("UPDATE audit.blob_chunk SET data = 'two'")

    with pytest.raises(BlobDamaged):
        bundle.write(INCIDENT, io.BytesIO())


@pytest.mark.parametrize(
    ("upload", "name"),
    [
        ("export 2026.csv", "export_2026.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\logs\\app.log", "app.log"),
        (".htaccess", "htaccess"),
        ("журнал.txt", "txt"),
        ("", "file"),
        ("x" * 300, "x" * 100),
    ],
)
def test_name_of_an_upload_becomes_safe(upload: str, name: str):
    assert bundle.safe_name(upload) == name
    assert bundle.SAFE_NAME.fullmatch(bundle.safe_name(upload))
