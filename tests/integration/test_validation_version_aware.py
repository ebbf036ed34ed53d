"""Clips stored once: a bucket server that keeps versions in memory, and plain DVC."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from cut_clips import make_recipe, put_clips, store_clip, write_catalog, write_recipe

from launcher.bucket_server import BucketServer
from s2s.dataset import SPLITS, read_version, version_names
from s2s.errors import VersionError
from s2s.layout import dataset_bundle_key
from s2s.storage import Bucket, VersionedBucket, open_bucket
from validation.release.delivery import verify_folder, verify_stored
from validation.release.remote import RemoteMode, listing_problems, remote_mode

RECIPE = make_recipe("in_place")
FIRST = {f"bell{n}": [0] for n in range(4)}
SECOND = FIRST | {"bell4": [0]}


@pytest.fixture(scope="module")
def versioned_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """fake-gcs-server with data in memory, where alone it keeps versions."""
    server = BucketServer(tmp_path_factory.mktemp("memory"), port=0, in_memory=True)
    server.start()
    before = os.environ.get("STORAGE_EMULATOR_HOST")
    os.environ["STORAGE_EMULATOR_HOST"] = server.url
    content = {"name": "versioned", "versioning": {"enabled": True}}
    httpx.post(f"{server.url}/storage/v1/b", json=content, trust_env=False).raise_for_status()
    yield "gs://versioned"
    server.stop()
    if before is None:
        del os.environ["STORAGE_EMULATOR_HOST"]
    else:
        os.environ["STORAGE_EMULATOR_HOST"] = before


@pytest.fixture(scope="module")
def bucket(versioned_server: str, tmp_path_factory: pytest.TempPathFactory) -> Bucket:
    """Two versions; a clip of the first was cut anew for the second."""
    folder = tmp_path_factory.mktemp("in_place")
    bucket = open_bucket(versioned_server)
    recipe = write_recipe(folder / "in_place.yaml", RECIPE)
    options = ["--bucket", bucket.url, "--work-dir", str(folder / "work")]
    create = [sys.executable, "-m", "validation", str(recipe), *options]
    names = write_catalog(bucket, RECIPE, FIRST)
    put_clips(bucket, RECIPE, folder, names)
    assert "is version_aware" in command(*create, folder=folder).replace("\n", " ")
    names = write_catalog(bucket, RECIPE, SECOND)
    put_clips(bucket, RECIPE, folder, names)  # the others again, the same bytes
    command(*create, folder=folder)
    assert version_names(bucket, RECIPE) == ["dataset_v1", "dataset_v2"]
    # Whoever replaces a clip that versions name takes nothing from them.
    other = folder / names[-1]
    files = other.with_suffix(".mp4"), other.with_suffix(".wav")
    store_clip(bucket, RECIPE, names[0], *files)
    return bucket


def command(*words: str, folder: Path) -> str:
    environment = os.environ | {
        "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        "DVC_SITE_CACHE_DIR": str(folder.parent / "site"),
    }
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout or done.stderr


def dvc(folder: Path, *words: str) -> str:
    return command(sys.executable, "-m", "dvc", *words, folder=folder)


@pytest.fixture
def clone(bucket: Bucket, tmp_path: Path) -> Path:
    bundle = tmp_path / "dataset.bundle"
    bucket.download(dataset_bundle_key(RECIPE, "dataset_v2"), bundle)
    command("git", "clone", "-q", "-b", "dataset_v2", str(bundle), "data", folder=tmp_path)
    return tmp_path / "data"


def test_no_clip_is_in_the_bucket_twice(bucket: Bucket):
    stored = [key.rpartition(".")[2] for key in bucket.keys("dvc_store/")]
    version = read_version(bucket, RECIPE, "dataset_v2")
    clips = {clip.crc32c for split in SPLITS for clip in version.split(split)}
    assert clips
    assert stored
    assert not clips & {bucket.stat(key).crc32c for key in bucket.keys("dvc_store/")}


def test_plain_dvc_pulls_both_versions_and_goes_between_them(bucket: Bucket, clone: Path):
    for name in ("dataset_v2", "dataset_v1"):
        command("git", "checkout", "-q", name, folder=clone)
        dvc(clone, "pull", "-q")
        version = read_version(bucket, RECIPE, name)
        assert verify_folder(version, clone) == []
        pulled = list((clone / "processed_data").rglob("*.mp4"))
        assert len(pulled) == sum(map(len, version.clips.values()))
        assert (clone / "s2s_dataset" / "train.csv").is_file()
    command("git", "checkout", "-q", "dataset_v2", folder=clone)
    dvc(clone, "checkout", "-q")
    assert verify_folder(read_version(bucket, RECIPE, "dataset_v2"), clone) == []
    assert command("git", "status", "--short", folder=clone) == ""


def test_plain_dvc_reads_single_files_of_either(bucket: Bucket, clone: Path, tmp_path: Path):
    clip = read_version(bucket, RECIPE, "dataset_v1").split("train")[0]
    dvc(tmp_path, "get", "-q", "--rev", "dataset_v1", str(clone), clip.key, "-o", "clip.mp4")
    assert (tmp_path / "clip.mp4").stat().st_size == clip.size
    program = f"import dvc.api; print(len(dvc.api.read({clip.key!r}, repo='.', mode='rb')))"
    assert command(sys.executable, "-c", program, folder=clone) == f"{clip.size}\n"


def test_verifying_tells_what_was_replaced_and_what_is_lost(bucket: Bucket):
    version = read_version(bucket, RECIPE, "dataset_v1")
    told = verify_stored(bucket, RECIPE, version)
    # The two files that were replaced are not what they were, but DVC still has them.
    assert len(told) == 2
    assert all("has another sha256" in problem for problem in told)
    folder = version.split("train")[0].key.rpartition("/")[0]
    entry = {"relpath": "gone.mp4", "md5": "0", "cloud": {"clips": {"version_id": "7"}}}
    listing = yaml.safe_dump({"outs": [{"files": [entry]}]})
    assert isinstance(bucket, VersionedBucket)
    assert listing_problems(bucket, folder, listing, [f"{folder}/gone.mp4", "other.mp4"]) == [
        f"{bucket.url}/{folder}/gone.mp4#7: is missing",
        "other.mp4: DVC does not have it",
    ]


def test_a_bucket_without_versions_is_refused(
    bucket_server: str, directory_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
):
    # The other tests of this module have a server of their own, which keeps versions.
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", bucket_server)
    bucket = open_bucket("gs://test-bucket")
    assert isinstance(bucket, VersionedBucket)
    assert not bucket.keeps_versions()
    for unversioned in (bucket, directory_bucket):
        assert remote_mode(unversioned, "auto") is RemoteMode.CONTENT_ADDRESSED
        with pytest.raises(VersionError, match="keeps no versions"):
            remote_mode(unversioned, "version_aware")
