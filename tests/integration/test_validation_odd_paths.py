"""A bucket's path may hold what DVC, git and URLs give a meaning to."""

from pathlib import Path

import pytest
from dataset_fixtures import list_clip

from s2s.errors import SettingsError, VersionError
from s2s.storage import Bucket, DirectoryBucket, open_bucket
from validation.release.dvc_config import dvc_config
from validation.release.programs import dvc, git
from validation.release.remote import RemoteMode
from validation.release.repository import DATA, DataRepository

MODE = RemoteMode.CONTENT_ADDRESSED
ODD = "x#1 #2 %20%41?a=b&c;d,e [g]*$HOME~ü日本 @:+!"


def stored_clips(bucket: Bucket, folder: Path) -> dict:
    files = folder / "a.mp4", folder / "a.wav"
    for path in files:
        path.write_bytes(path.name.encode())
    return {"train": (list_clip(bucket, files, "a", "train", 1.0, "x"),), "val": (), "test": ()}


@pytest.mark.parametrize("name", [ODD, "a'b\"c#d"])
def test_a_version_is_stored_in_the_bucket_and_cloned_from_it(tmp_path: Path, name: str):
    bucket = open_bucket(f"file://{tmp_path}/{name}/bucket/")
    bucket.prepare()
    repository = DataRepository(tmp_path / "work #1%'s")
    repository.restore(None)
    repository.configure(bucket, MODE)
    repository.fill(bucket, stored_clips(bucket, tmp_path), MODE)
    repository.track(bucket)
    repository.commit("one")
    bundle = tmp_path / name / "v1.bundle"
    repository.bundle("dataset_v1", bundle)
    bucket.upload(bundle, "v1.bundle")

    assert {path.name for path in tmp_path.iterdir()} <= {
        "work #1%'s",
        "a.mp4",
        "a.wav",
        name.partition("/")[0],
    }
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--branch", "main", str(bundle), str(clone))
    dvc(clone, "pull")
    (video,) = (clone / DATA).rglob("*.mp4")
    assert video.read_bytes() == b"a.mp4"


def test_a_linked_bucket(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link#").symlink_to("real")
    bucket = DirectoryBucket(tmp_path / "link#")
    repository = DataRepository(tmp_path / "work")
    repository.restore(None)
    repository.configure(bucket, MODE)
    repository.fill(bucket, stored_clips(bucket, tmp_path), MODE)
    repository.track(bucket)
    assert list(DirectoryBucket(tmp_path / "real").keys("dvc_store/"))


@pytest.mark.parametrize("name", ["%(home)s", "a{b}", "}", "'''\"\"\""])
def test_a_path_that_dvc_cannot_have_is_refused_before_any_work(tmp_path: Path, name: str):
    with pytest.raises(VersionError, match="Use another folder"):
        dvc_config(DirectoryBucket(tmp_path / name), MODE)


@pytest.mark.parametrize("name", ["a\nb", "a\x7f"])
def test_control_characters_are_refused(tmp_path: Path, name: str):
    with pytest.raises(SettingsError, match="control character"):
        open_bucket(f"file://{tmp_path}/{name}")
