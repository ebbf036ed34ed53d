"""Every bucket keeps the same promises: memory, a directory, google-cloud-storage."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from memory_bucket import MemoryBucket

from s2s.errors import ChecksumError, ObjectExistsError, ObjectNotFoundError, StorageError
from s2s.storage import Bucket, DirectoryBucket, crc32c_of, open_bucket


@pytest.fixture(params=["memory", "directory", "google"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bucket]:
    makers: dict[str, Callable[[], Bucket]] = {
        "memory": MemoryBucket,
        "directory": lambda: DirectoryBucket(tmp_path / "bucket"),
        "google": lambda: _google(request),
    }
    yield makers[request.param]()


def _google(request: pytest.FixtureRequest) -> Bucket:
    request.getfixturevalue("bucket_server")
    return open_bucket("gs://test-bucket")


@pytest.fixture
def prefix() -> str:
    """Keys of this test only: the server's bucket is shared."""
    return f"contract/{uuid4().hex}/"


def test_reads_back_what_was_written(bucket: Bucket, prefix: str):
    data = bytes(range(256)) * 100 + b"\r"
    info = bucket.write(prefix + "a.bin", data)
    assert bucket.read(prefix + "a.bin") == data
    assert (info.size, info.crc32c) == (len(data), crc32c_of(data))
    assert bucket.stat(prefix + "a.bin") == info


def test_empty_object(bucket: Bucket, prefix: str):
    bucket.write(prefix + "empty", b"")
    assert bucket.read(prefix + "empty") == b""


def test_missing_object_is_named(bucket: Bucket, prefix: str, tmp_path: Path):
    for action in (
        lambda: bucket.read(prefix + "nothing"),
        lambda: bucket.stat(prefix + "nothing"),
        lambda: bucket.fetch(prefix + "nothing", tmp_path / "y"),
        lambda: bucket.download(prefix + "nothing", tmp_path / "x"),
        lambda: bucket.open_range(prefix + "nothing", 0, 1),
    ):
        with pytest.raises(ObjectNotFoundError, match=prefix + "nothing"):
            action()


def test_create_only_keeps_the_first(bucket: Bucket, prefix: str):
    bucket.write(prefix + "once", b"first")
    with pytest.raises(ObjectExistsError):
        bucket.write(prefix + "once", b"second")
    assert bucket.read(prefix + "once") == b"first"


def test_writing_the_same_again_is_no_error(bucket: Bucket, prefix: str):
    first = bucket.write(prefix + "same", b"same")
    assert bucket.write(prefix + "same", b"same") == first


def test_overwrite(bucket: Bucket, prefix: str):
    bucket.write(prefix + "many", b"one")
    bucket.write(prefix + "many", b"two", overwrite=True)
    assert bucket.read(prefix + "many") == b"two"


def test_files_go_up_and_come_down(bucket: Bucket, prefix: str, tmp_path: Path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"\x00\xff" * 100_000)
    sent = bucket.upload(source, prefix + "file")
    assert bucket.download(prefix + "file", target) == sent
    assert target.read_bytes() == source.read_bytes()


def test_exists(bucket: Bucket, prefix: str):
    bucket.write(prefix + "here/a", b"a")
    assert bucket.exists(prefix + "here/a")
    assert not bucket.exists(prefix + "here")
    assert not bucket.exists(prefix + "here/a.json")


def test_fetch_downloads_only_what_is_not_there(bucket: Bucket, prefix: str, tmp_path: Path):
    path, key = tmp_path / "new" / "file.bin", prefix + "file.bin"
    first = bucket.write(key, b"first")
    assert bucket.fetch(key, path) == first
    inode = path.stat().st_ino
    assert bucket.fetch(key, path) == bucket.fetch(key, path, first.crc32c) == first
    assert path.stat().st_ino == inode, "the same bytes are not fetched again"
    second = bucket.write(key, b"other", overwrite=True)
    assert bucket.fetch(key, path) == second
    assert path.read_bytes() == b"other"
    with pytest.raises(ChecksumError, match=r"file\.bin"):
        bucket.fetch(key, path, first.crc32c)
    with pytest.raises(ObjectNotFoundError):
        bucket.fetch(prefix + "nothing", tmp_path / "nothing")
    assert list(path.parent.iterdir()) == [path], "nothing half-written is left"
    assert path.read_bytes() == b"other"


def test_upload_is_create_only_too(bucket: Bucket, prefix: str, tmp_path: Path):
    source = tmp_path / "source"
    source.write_bytes(b"new")
    bucket.write(prefix + "file", b"old")
    with pytest.raises(ObjectExistsError):
        bucket.upload(source, prefix + "file")
    bucket.upload(source, prefix + "file", overwrite=True)
    assert bucket.read(prefix + "file") == b"new"


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [(0, 4, b"0123"), (3, 4, b"3456"), (8, 10, b"89"), (10, 5, b"")],
)
def test_ranges(bucket: Bucket, prefix: str, start: int, length: int, expected: bytes):
    bucket.write(prefix + "digits", b"0123456789")
    assert bucket.open_range(prefix + "digits", start, length).read() == expected


def test_keys_come_in_order_and_by_prefix(bucket: Bucket, prefix: str):
    names = ["b", "a/2", "a/10", "ab", "-dash", "Ünicode (x), 'y'.mp4"]
    for name in names:
        bucket.write(prefix + name, b"x")
    assert list(bucket.keys(prefix)) == sorted(prefix + name for name in names)
    assert list(bucket.keys(prefix + "a")) == [prefix + name for name in ("a/10", "a/2", "ab")]
    assert list(bucket.keys(prefix + "nothing")) == []


def test_delete_twice(bucket: Bucket, prefix: str):
    bucket.write(prefix + "gone", b"x")
    bucket.delete(prefix + "gone")
    bucket.delete(prefix + "gone")
    assert list(bucket.keys(prefix)) == []


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "a\nb", "a\\b"])
def test_bad_keys_are_refused(bucket: Bucket, key: str):
    with pytest.raises(StorageError):
        bucket.write(key, b"x")


def test_of_many_writers_one_wins_and_nothing_is_torn(bucket: Bucket, prefix: str):
    contents = [bytes([65 + n]) * 50_000 for n in range(8)]
    start = threading.Barrier(len(contents))

    def race(data: bytes) -> bool:
        start.wait()
        try:
            bucket.write(prefix + "race", data)
        except ObjectExistsError:
            return False
        return True

    with ThreadPoolExecutor(len(contents)) as pool:
        won = list(pool.map(race, contents))
    assert won.count(True) == 1
    assert bucket.read(prefix + "race") == contents[won.index(True)]


def test_check_passes_where_there_is_a_bucket(bucket: Bucket):
    bucket.prepare()
    bucket.check()


@pytest.mark.parametrize("prefix", ["../x/", "/etc/", "a/../../x/", "a//", "./", "a\\", "a\n"])
def test_no_prefix_leaves_the_bucket(bucket: Bucket, prefix: str):
    with pytest.raises(StorageError, match="prefix"):
        list(bucket.keys(prefix))


def test_a_prefix_may_end_in_any_part_of_a_name(bucket: Bucket, prefix: str):
    for name in (".hidden", "..b", "#1 50%?;'\"ü"):
        bucket.write(prefix + name, name.encode())
        assert list(bucket.keys(prefix + name)) == [prefix + name]
        assert bucket.read(prefix + name) == name.encode()
    assert len(list(bucket.keys(prefix + "."))) == 2


@pytest.mark.parametrize(("first", "second"), [("a", "a/b"), ("a/b", "a"), ("a", "a/b/c")])
def test_an_object_under_the_name_of_another(
    bucket: Bucket, prefix: str, first: str, second: str, monkeypatch: pytest.MonkeyPatch
):
    if bucket.url.startswith("gs://"):
        # The server keeps objects as files and answers with an error; Google's own takes both.
        monkeypatch.setenv("S2S_GCS_RETRY_S", "1")
        bucket = open_bucket(bucket.url)
    bucket.write(prefix + first, b"first")
    try:
        bucket.write(prefix + second, b"second")
    except StorageError as error:
        assert second in str(error)
        with pytest.raises(StorageError):
            bucket.write(prefix + second, b"second", overwrite=True)
        assert not bucket.exists(prefix + second)
    else:
        assert bucket.read(prefix + second) == b"second"
    assert bucket.read(prefix + first) == b"first"
