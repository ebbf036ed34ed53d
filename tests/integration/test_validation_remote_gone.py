"""The bucket goes away in the middle of `dvc push`: the run says so, the next one completes."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cut_clips import make_recipe, put_clips, write_catalog, write_recipe

import validation.release.repository
from launcher.bucket_server import BucketServer
from s2s.dataset import read_version, version_names
from s2s.errors import BucketUnavailableError
from s2s.settings import Settings
from s2s.stage import shared_bucket
from s2s.storage import open_bucket
from validation.release.delivery import verify_stored
from validation.release.programs import dvc
from validation.stage import run

RECIPE = make_recipe("gone")
THREE = {f"bell{n}": [0] for n in range(3)}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BucketServer]:
    server = BucketServer(tmp_path / "served", port=0)
    server.data.mkdir()
    server.start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    monkeypatch.setenv("S2S_GCS_RETRY_S", "1")
    server.make_bucket("gone")
    shared_bucket.cache_clear()
    yield server
    server.stop()
    shared_bucket.cache_clear()


def test_a_bucket_that_goes_away_during_a_push(
    server: BucketServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    bucket = open_bucket("gs://gone")
    settings = Settings(
        recipe=RECIPE,
        recipe_path=tmp_path / "gone.yaml",
        bucket_url=bucket.url,
        work_dir=tmp_path / "work",
        workers=1,
    )
    (tmp_path / "cut").mkdir()
    names = write_catalog(bucket, RECIPE, THREE | {"bell3": [0]})
    put_clips(bucket, RECIPE, tmp_path / "cut", names)
    recipe = write_recipe(tmp_path / "gone.yaml", RECIPE)
    options = ["--bucket", bucket.url, "--work-dir", str(tmp_path / "work")]
    subprocess.run([sys.executable, "-m", "validation", str(recipe), *options], check=True)
    write_catalog(bucket, RECIPE, THREE)

    def push_half(folder: Path, *args: str) -> str:
        if args[0] != "push":
            return dvc(folder, *args)
        dvc(folder, *args)
        # Half of what the push has stored is lost with the server.
        stored = sorted((server.data / "buckets" / "gone" / "dvc_store").rglob("*"))
        newest = max((path for path in stored if path.is_file()), key=lambda p: p.stat().st_mtime)
        newest.unlink()
        server.stop()
        return dvc(folder, "push", "--jobs", "1")

    with monkeypatch.context() as patched:
        patched.setattr(validation.release.repository, "dvc", push_half)
        with pytest.raises(BucketUnavailableError):
            run(settings)
    server.start()
    assert version_names(bucket, RECIPE) == ["dataset_v1"]
    assert verify_stored(bucket, RECIPE, read_version(bucket, RECIPE, "dataset_v1")) == []
    shutil.rmtree(tmp_path / "work")
    assert run(settings).outputs["version"] == "dataset_v2"
    assert verify_stored(bucket, RECIPE, read_version(bucket, RECIPE, "dataset_v2")) == []
