"""A data set version through the command line, and back in a second clone, bit for bit."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from cut_clips import make_recipe, put_clips, write_catalog, write_recipe

from launcher.bucket_server import BucketServer
from s2s.dataset import SPLITS, read_version
from s2s.layout import dataset_bundle_key
from s2s.storage import Bucket, open_bucket

Launch = Callable[..., subprocess.CompletedProcess[str]]
RECIPE = make_recipe("pulled.clips")
MANIFESTS = [f"{split}.{kind}" for split in SPLITS for kind in ("csv", "parquet")]
CATALOG = {f"{label}{n}": [0] for label in ("bell", "drum") for n in range(5)}


@pytest.fixture(params=["file", "gs"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Bucket:
    if request.param == "file":
        return open_bucket(f"file://{tmp_path}/bucket")
    name = f"versions-{uuid4().hex[:8]}"
    port = int(request.getfixturevalue("bucket_server").rpartition(":")[2])
    BucketServer(tmp_path, port).make_bucket(name)
    return open_bucket(f"gs://{name}")


def clone(bucket: Bucket, folder: Path) -> Path:
    """What docs/datasets.md tells a user to do, with nothing but the bucket."""
    bundle = folder / "dataset_v1.bundle"
    bucket.download(dataset_bundle_key(RECIPE, "dataset_v1"), bundle)
    environment = os.environ | {"GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"}
    for command in (
        ["git", "clone", "-q", str(bundle), "data"],
        ["git", "-C", "data", "checkout", "-q", "dataset_v1"],
        [sys.executable, "-m", "dvc", "--cd", "data", "pull", "-q"],
    ):
        subprocess.run(command, cwd=folder, env=environment, check=True)
    return folder / "data" / "s2s_dataset"


def test_a_second_clone_has_every_file_bit_for_bit(bucket: Bucket, launch: Launch, tmp_path: Path):
    (tmp_path / "cut").mkdir()
    put_clips(bucket, RECIPE, tmp_path / "cut", write_catalog(bucket, RECIPE, CATALOG))
    recipe = write_recipe(tmp_path / "pulled.yaml", RECIPE)
    options = ["--bucket", bucket.url, "-t", ".6", "-v", ".2", "--workers", "2"]
    run = launch("validation", str(recipe), *options)
    assert run.returncode == 0, run.stderr
    assert "dataset_v1: clips by label and split" in run.stderr

    content = read_version(bucket, RECIPE, "dataset_v1")
    assert {split: len(content.split(split)) for split in SPLITS} == {
        "train": 6,
        "val": 2,
        "test": 2,
    }
    folder = clone(bucket, tmp_path)
    expected = {
        folder / "clips" / split / f"{clip.clip_id}.{kind}": bucket.read(key)
        for split in SPLITS
        for clip in content.split(split)
        for kind, key in (("mp4", clip.key), ("wav", clip.wav_key))
    }
    found = {path for path in folder.rglob("*") if path.is_file()}
    lists = {folder / name for name in (*MANIFESTS, "labels.json")}
    assert found == set(expected) | lists
    assert all(path.read_bytes() == data for path, data in expected.items())

    again = launch("validation", str(recipe), *options, "--strict")
    assert again.returncode == 0, again.stderr
    assert "10 already_done" in again.stderr


def test_shares_that_make_no_sense(launch: Launch, tmp_path: Path):
    recipe = write_recipe(tmp_path / "pulled.yaml", RECIPE)
    run = launch("validation", str(recipe), "-t", ".9", "-v", ".2")
    assert run.returncode == 1
    assert "more than 1" in run.stderr
    assert "Traceback" not in run.stderr
