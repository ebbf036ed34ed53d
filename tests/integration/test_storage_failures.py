"""Buckets that are full, stopped, missing or forbidden say so and lose nothing."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher.bucket_server import BucketServer
from s2s.errors import BucketUnavailableError, ObjectNotFoundError, SettingsError, StorageError
from s2s.storage import DirectoryBucket, open_bucket


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root and CAP_SYS_ADMIN")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(small_disk: Path):
    bucket = DirectoryBucket(small_disk)
    bucket.write("kept", b"k" * 500_000)
    with pytest.raises(BucketUnavailableError, match="disk is full"):
        bucket.write("too-large", b"x" * 1_000_000)
    assert list(bucket.keys()) == ["kept"]
    assert bucket.read("kept") == b"k" * 500_000
    bucket.write("small", b"fits, since nothing half-written was left behind")


def test_a_stopped_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    server = BucketServer(tmp_path, port=0)
    server.start()
    server.make_bucket("a-bucket")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    monkeypatch.setenv("S2S_GCS_RETRY_S", "1")
    bucket = open_bucket("gs://a-bucket")
    bucket.write("kept", b"kept")
    assert server.stop()
    with pytest.raises(BucketUnavailableError, match=r"s2s bucket start"):
        bucket.write("lost", b"lost")
    with pytest.raises(BucketUnavailableError):
        bucket.check()
    assert not server.stop()
    server.start()
    try:
        assert bucket.read("kept") == b"kept"
    finally:
        server.stop()


def test_a_bucket_that_is_not_there(bucket_server: str):
    with pytest.raises(BucketUnavailableError, match="no such bucket"):
        open_bucket("gs://no-such-bucket").check()


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A bucket with an object `a/b`, on a mount that cannot be written."""
    folder = tmp_path / "read-only"
    DirectoryBucket(folder).write("a/b", b"kept")
    mount = shutil.which("mount")
    for options in (["--bind"], ["-o", "remount,ro,bind"]):
        command = [str(mount), *options, str(folder), str(folder)]
        if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("mounting a folder for reading needs root and CAP_SYS_ADMIN")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_bucket_that_cannot_be_written_can_be_read(read_only: Path, tmp_path: Path):
    bucket = DirectoryBucket(read_only)
    bucket.check()
    assert list(bucket.keys()) == ["a/b"]
    assert bucket.read("a/b") == b"kept"
    assert bucket.fetch("a/b", tmp_path / "b").size == 4
    for write in (bucket.prepare, lambda: bucket.write("c", b""), lambda: bucket.delete("a/b")):
        with pytest.raises(BucketUnavailableError, match="writable"):
            write()


def test_reading_never_makes_a_bucket(tmp_path: Path):
    bucket = DirectoryBucket(tmp_path / "mistyped")
    with pytest.raises(BucketUnavailableError, match="no such directory"):
        bucket.check()
    assert list(bucket.keys("a/")) == []
    assert not bucket.exists("a")
    with pytest.raises(ObjectNotFoundError):
        bucket.fetch("a", tmp_path / "a")
    bucket.delete("a")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_link_is_no_part_of_a_bucket(tmp_path: Path):
    other, bucket = DirectoryBucket(tmp_path / "other"), DirectoryBucket(tmp_path / "bucket")
    other.write("secret", b"s")
    bucket.write("a", b"a")
    (bucket.directory / "linked").symlink_to(other.directory)
    assert list(bucket.keys()) == ["a"]
    assert list(bucket.keys("linked/")) == list(bucket.keys("linked/s")) == []
    assert not bucket.exists("linked/secret")
    for read in (bucket.read, bucket.stat, lambda key: bucket.download(key, tmp_path / "x")):
        with pytest.raises(ObjectNotFoundError):
            read("linked/secret")
    with pytest.raises(StorageError, match="is a link"):
        bucket.write("linked/new", b"n")
    bucket.delete("linked/secret")
    assert list(other.keys()) == ["secret"]


def test_a_bucket_may_be_reached_through_a_link(tmp_path: Path):
    DirectoryBucket(tmp_path / "here").write("a/b", b"ab")
    (tmp_path / "link").symlink_to("here")
    bucket = DirectoryBucket(tmp_path / "link")
    bucket.write("a/c", b"ac")
    assert list(bucket.keys("a/")) == ["a/b", "a/c"]
    assert bucket.read("a/b") == b"ab"


def test_a_full_disk_of_this_machine_is_not_the_buckets(small_disk: Path, tmp_path: Path):
    bucket = DirectoryBucket(tmp_path / "bucket")
    bucket.write("large", b"x" * 2_000_000)
    with pytest.raises(OSError, match="No space left"):
        bucket.download("large", small_disk / "large")


def test_a_directory_that_may_not_be_written(tmp_path: Path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(BucketUnavailableError, match="writable"):
        DirectoryBucket(tmp_path).write("a", b"a")


def test_what_a_writer_that_died_has_left_is_removed_when_it_is_old(tmp_path: Path):
    bucket = DirectoryBucket(tmp_path)
    bucket.write("a", b"whole")
    old, young = (tmp_path / ".s2s-staging" / name for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (0, time.time() - 2 * 3600))
    bucket.prepare()
    assert not old.exists()
    assert young.exists(), "its writer may be alive"
    assert bucket.read("a") == b"whole"


def test_staging_files_never_show_and_cannot_be_named(tmp_path: Path):
    bucket = DirectoryBucket(tmp_path)
    bucket.write("a", b"a")
    (tmp_path / ".s2s-staging" / "half-written").write_bytes(b"half")
    assert list(bucket.keys()) == ["a"]
    with pytest.raises(StorageError):
        bucket.read(".s2s-staging/half-written")


def test_a_folder_is_no_object(tmp_path: Path):
    bucket = DirectoryBucket(tmp_path)
    bucket.write("a/b", b"")
    with pytest.raises(ObjectNotFoundError):
        bucket.read("a")


@pytest.mark.parametrize("url", ["", "s3://b", "file://", "gs://", "gs://b/prefix", "/tmp"])
def test_other_urls_are_refused(url: str):
    with pytest.raises(SettingsError, match="gs://NAME or file://DIR"):
        open_bucket(url)
