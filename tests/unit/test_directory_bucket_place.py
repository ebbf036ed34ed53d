"""A bucket's directory where something else is: one plain error that names it."""

from pathlib import Path

import pytest

from s2s.errors import BucketUnavailableError
from s2s.storage import DirectoryBucket


@pytest.mark.parametrize("below", ["", "bucket"])
@pytest.mark.parametrize("use", ["prepare", "check", "write"])
@pytest.mark.parametrize("kind", ["a file", "a link that leads nowhere"])
def test_what_is_no_folder_is_told(tmp_path: Path, kind: str, use: str, below: str):
    place = tmp_path / "place"
    if kind == "a file":
        place.write_text("kept")
    else:
        place.symlink_to(tmp_path / "gone")
    bucket = DirectoryBucket(place / below)
    calls = {
        "prepare": bucket.prepare,
        "check": bucket.check,
        "write": lambda: bucket.write("key", b"x"),
    }
    with pytest.raises(BucketUnavailableError, match=f"{place} is {kind}, not a folder"):
        calls[use]()
    assert kind != "a file" or place.read_text() == "kept"


def test_a_link_to_a_folder_is_a_bucket(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    bucket = DirectoryBucket(tmp_path / "link")
    bucket.prepare()
    bucket.write("key", b"x")
    assert bucket.read("key") == b"x"
