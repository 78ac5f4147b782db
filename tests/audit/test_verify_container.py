"""The verifier against damaged, hostile or smuggling containers. Each test is named after the attack."""

import os
import zipfile
from pathlib import Path

import pytest

from audit import verify
from tests.audit.conftest import INCIDENT
from tests.audit.forgery import ENTRIES, pack, read


@pytest.mark.parametrize("bit", [0x01, 0x20, 0x80])
def test_flip_of_any_byte(recovery_bundle: Path, tmp_path: Path, bit: int):
    whole, flipped = recovery_bundle.read_bytes(), tmp_path / "flipped.zip"
    unseen = []

    for place in range(len(whole)):
        flipped.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        if verify.check(flipped).is_intact:
            unseen.append(place)

    assert unseen == []


def test_cut_at_any_place(recovery_bundle: Path, tmp_path: Path):
    whole, cut = recovery_bundle.read_bytes(), tmp_path / "cut.zip"
    unseen = []

    for length in range(0, len(whole), 13):
        cut.write_bytes(whole[:length])
        if verify.check(cut).is_intact:
            unseen.append(length)

    assert unseen == []


@pytest.mark.parametrize(
    "name", ["data/README.txt", ENTRIES, "data/sql/001-statements.sql", "bagit.txt", "bag-info.txt"]
)
def test_altered_file_in_an_unpacked_bundle(recovery_bundle: Path, tmp_path: Path, name: str):
    zipfile.ZipFile(recovery_bundle).extractall(tmp_path)
    altered = tmp_path / INCIDENT / name

    altered.write_bytes(altered.read_bytes().replace(b"e", b"E", 1))

    assert verify.check(tmp_path / INCIDENT).exit_code == 1


@pytest.mark.parametrize("name", ["data/x.txt", "x.txt", "data/rows/.hidden"])
def test_file_smuggled_in_beside_the_manifests(recovery_bundle: Path, tmp_path: Path, name: str):
    files = {**read(recovery_bundle), name: b"smuggled"}

    assert verify.check(pack(tmp_path / "more.zip", files)).exit_code == 1


@pytest.mark.parametrize(
    "name", ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", ENTRIES]
)
def test_file_of_the_format_missing(recovery_bundle: Path, tmp_path: Path, name: str):
    files = read(recovery_bundle)
    del files[name]

    assert f"{name} is missing" in verify.check(pack(tmp_path / "less.zip", files)).text()


@pytest.mark.parametrize("name", ["../../evil", "/evil", "a/../../evil", "C:\\evil", "data//x", "data/x ", "e\u0301"])
def test_zip_slip(recovery_bundle: Path, tmp_path: Path, name: str):
    with zipfile.ZipFile(recovery_bundle, "a") as archive:
        entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        entry.external_attr, entry.create_system = 0o100644 << 16, 3
        archive.writestr(entry, b"x")

    assert verify.check(recovery_bundle).exit_code == 1


def test_same_name_twice(recovery_bundle: Path):
    with zipfile.ZipFile(recovery_bundle, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        entry = zipfile.ZipInfo(f"{INCIDENT}/bagit.txt", (1980, 1, 1, 0, 0, 0))
        entry.external_attr, entry.create_system = 0o100644 << 16, 3
        archive.writestr(entry, b"other")

    assert "is there twice" in verify.check(recovery_bundle).text()


def test_symlink_in_a_zip(recovery_bundle: Path, tmp_path: Path):
    linked = pack(tmp_path / "linked.zip", read(recovery_bundle), external_attr=0o120777 << 16)

    assert verify.check(linked).exit_code == 1


def test_symlink_in_a_folder(recovery_bundle: Path, tmp_path: Path):
    zipfile.ZipFile(recovery_bundle).extractall(tmp_path)
    (tmp_path / INCIDENT / "bagit.txt").rename(tmp_path / "bagit.txt")
    (tmp_path / INCIDENT / "bagit.txt").symlink_to(tmp_path / "bagit.txt")

    assert "is a link" in verify.check(tmp_path / INCIDENT).text()


def test_zip_bomb_is_not_unpacked(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{INCIDENT}/bagit.txt", bytes(100 * 1024 * 1024))

    assert "not packed as the console packs" in verify.check(tmp_path / "bomb.zip").text()


@pytest.mark.parametrize("junk", [b"in front", b"PK\3\4"])
def test_something_before_or_behind_the_zip(recovery_bundle: Path, tmp_path: Path, junk: bytes):
    whole = recovery_bundle.read_bytes()
    (tmp_path / "front.zip").write_bytes(junk + whole)
    (tmp_path / "behind.zip").write_bytes(whole + junk)

    assert verify.check(tmp_path / "front.zip").exit_code == 1
    assert verify.check(tmp_path / "behind.zip").exit_code == 1


@pytest.mark.parametrize("content", [b"", b"no zip at all", os.urandom(1000), b"PK\5\6" + bytes(18)])
def test_file_that_is_no_bundle(tmp_path: Path, content: bytes):
    (tmp_path / "file").write_bytes(content)

    assert verify.check(tmp_path / "file").exit_code == 1


def test_path_that_does_not_exist(tmp_path: Path):
    assert "No such file" in verify.check(tmp_path / "nothing").text()
