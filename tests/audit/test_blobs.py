"""Kept files: what comes out is what went in, or nothing."""

from hashlib import sha256

import pytest
from django.db import connections, transaction

from audit import blobs
from audit.models import Blob
from audit.refusals import BlobDamaged, BlobMissing, BlobTooLarge

pytestmark = pytest.mark.usefixtures("console")

CHUNK = 256 * 1024


def keep(data: bytes, name: str = "export.csv") -> blobs.BlobRef:
    with transaction.atomic():
        return blobs.keep(data, media_type="text/csv", name=name)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_content_comes_back_as_it_was(size: int):
    data = bytes(number % 251 for number in range(1000)) * (size // 1000 + 1)
    data = data[:size]

    kept = keep(data)

    assert kept == blobs.BlobRef(sha256(data).hexdigest(), size)
    assert blobs.read(kept.sha256) == data


def test_content_is_stored_in_chunks():
    kept = keep(b"x" * (2 * CHUNK + 1))

    assert [len(chunk) for chunk in blobs.stream(kept.sha256)] == [CHUNK, CHUNK, 1]


def test_same_content_again_keeps_the_first_name():
    keep(b"same", name="first.csv")

    kept = keep(b"same", name="second.csv")

    assert Blob.objects.get(sha256=kept.sha256).name == "first.csv"


@pytest.mark.parametrize(("name", "kept_as"), [("", "file"), ("a\0b", "a\ufffdb"), ("x" * 999, "x" * 255)])
def test_odd_name_of_an_upload_is_no_obstacle(name: str, kept_as: str):
    kept = keep(b"abc", name=name)

    assert Blob.objects.get(sha256=kept.sha256).name == kept_as


def test_rollback_keeps_nothing():
    with transaction.atomic():
        blobs.keep(b"gone", media_type="text/plain", name="gone.txt")
        transaction.set_rollback(True)

    assert not Blob.objects.exists()


def test_file_beyond_64_mib_is_refused():
    with pytest.raises(BlobTooLarge):
        keep(bytes(blobs.LARGEST + 1))


def test_unknown_file_is_refused():
    with pytest.raises(BlobMissing):
        blobs.read("0" * 64)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE audit.blob_chunk SET data = 'y' || substring(data FROM 2) WHERE n = 1",
        "DELETE FROM audit.blob_chunk WHERE n = 2",
        "DELETE FROM audit.blob_chunk WHERE n = 0",
        "INSERT INTO audit.blob_chunk SELECT sha256, 3, 'more' FROM audit.blob",
    ],
)
def test_change_by_the_owner_with_triggers_off_is_found(attack: str):
    kept = keep(b"x" * (2 * CHUNK + 1))
    owner = connections["owner"].cursor()
    owner.execute("ALTER TABLE audit.blob_chunk DISABLE TRIGGER blob_chunk_stays")

    owner.execute(attack)

    with pytest.raises(BlobDamaged):
        blobs.read(kept.sha256)


def test_evidence_item_names_file_size_and_hash():
    kept = keep(b"abc")

    assert kept.as_evidence("audit/a.csv", kind="platform_audit") == {
        "file": "audit/a.csv",
        "bytes": 3,
        "sha256": sha256(b"abc").hexdigest(),
        "kind": "platform_audit",
    }
