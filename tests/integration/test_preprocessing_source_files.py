"""Sources are fetched once, however many clips ask, and do not pile up."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from memory_bucket import MemoryBucket

from preprocessing.source_files import SourceFiles
from s2s.errors import ObjectNotFoundError
from s2s.storage import ObjectInfo


class CountingBucket(MemoryBucket):
    """Counts downloads, and holds four sources."""

    def __init__(self) -> None:
        super().__init__()
        self.downloads: Counter[str] = Counter()
        for name in "abcd":
            self.write(f"raw_data/{name}.mp4", name.encode())

    def download(self, key: str, path: Path) -> ObjectInfo:
        self.downloads[key] += 1
        return super().download(key, path)


def test_clips_at_the_same_time_share_one_download(tmp_path: Path):
    bucket = CountingBucket()
    files = SourceFiles(bucket, tmp_path, keep=1)
    together = threading.Barrier(8)

    def use(_: int) -> bytes:
        together.wait()
        with files.file("raw_data/a.mp4") as path:
            return path.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(use, range(8))) == [b"a"] * 8
    assert bucket.downloads == {"raw_data/a.mp4": 1}


def test_only_a_few_are_kept_and_never_one_in_use_removed(tmp_path: Path):
    files = SourceFiles(CountingBucket(), tmp_path, keep=2)
    with files.file("raw_data/a.mp4") as first:
        for name in "bcd":
            with files.file(f"raw_data/{name}.mp4"):
                assert first.exists()
    assert sorted(path.name for path in tmp_path.glob("*.mp4")) == ["c.mp4", "d.mp4"]


def test_one_that_was_dropped_is_fetched_again(tmp_path: Path):
    bucket = CountingBucket()
    files = SourceFiles(bucket, tmp_path, keep=1)
    for name in "aba":
        with files.file(f"raw_data/{name}.mp4") as path:
            assert path.read_bytes() == name.encode()
    assert bucket.downloads["raw_data/a.mp4"] == 2


def test_other_processes_share_the_download_and_keep_it_from_being_dropped(tmp_path: Path):
    """Two that know nothing of each other, as they are in two processes."""
    bucket = CountingBucket()
    one, other = (SourceFiles(bucket, tmp_path, keep=0) for _ in range(2))
    with one.file("raw_data/a.mp4") as path:
        with other.file("raw_data/a.mp4") as same:
            assert same == path
        assert path.read_bytes() == b"a"
    assert bucket.downloads == {"raw_data/a.mp4": 1}
    assert list(tmp_path.iterdir()) == []


def test_processes_that_fetch_and_drop_at_the_same_time_are_in_nobodys_way(tmp_path: Path):
    files = [SourceFiles(CountingBucket(), tmp_path, keep=0) for _ in range(8)]

    def use(number: int) -> set[bytes]:
        found = set()
        for _ in range(50):
            with files[number].file("raw_data/a.mp4") as path:
                found.add(path.read_bytes())
        return found

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(use, range(8))) == [{b"a"}] * 8
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_is_not_there_leaves_nothing_behind(tmp_path: Path):
    files = SourceFiles(CountingBucket(), tmp_path, keep=0)
    with pytest.raises(ObjectNotFoundError), files.file("raw_data/z.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []
