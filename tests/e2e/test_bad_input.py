"""What goes wrong has a reason, stops nothing else, and a later run finishes the rest."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Launch

from launcher.bucket_server import BucketServer
from s2s.media import drop_sound, run_ffmpeg
from sample.site import running_site

RECIPE = """\
name: bad_input
spec: {duration_s: 2}
collection: {catalog: catalog.csv, timeout_s: 5, fetch: whole}
preprocessing: {short_side_px: 64, preset: ultrafast}
"""


def make_video(path: Path) -> None:
    run_ffmpeg(
        [
            *["-f", "lavfi", "-i", "testsrc=s=64x64:r=25:d=4"],
            *["-f", "lavfi", "-i", "sine=frequency=440:duration=4"],
            *["-shortest", "-f", "mp4", str(path)],
        ],
        path.name,
    )


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "bad_input.yaml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def site_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    make_video(folder / "good-source.mp4")
    (folder / "corrupt-one.mp4").write_bytes(b"\x00" * 20_000)
    drop_sound(folder / "good-source.mp4", folder / "silent-one.mp4")
    return folder


CATALOG = """\
good-source,0,tone,train
good-source,2,tone,train
good-source,100,tone,train
missing-one,0,tone,train
corrupt-one,0,tone,train
silent-one,0,tone,train
only-an-id
bad/id,0,tone,train
"""


def report_of(folder: Path, stage: str) -> dict[str, int]:
    path = folder / "reports" / "bad_input" / f"{stage}.json"
    return json.loads(path.read_text())["counts"]


def test_every_row_is_accounted_for(
    launch: Launch, recipe: Path, site_folder: Path, tmp_path: Path
):
    (tmp_path / "catalog.csv").write_text(CATALOG)
    with running_site(site_folder) as url:
        environment = {"S2S_SOURCE_URL": url + "/{source_id}.mp4"}
        collected = launch("collection", str(recipe), **environment)
        assert collected.returncode == 0, collected.stderr
        counts = report_of(tmp_path, "collection")
        assert sum(counts.values()) == 8
        assert counts["failed:bad_row"] == 2
        assert counts["failed:gone"] == 1
        assert counts["failed:corrupt"] == 1
        assert counts["ok"] == 4

        prepared = launch("preprocessing", str(recipe))
        assert prepared.returncode == 0, prepared.stderr
        counts = report_of(tmp_path, "preprocessing")
        assert sum(counts.values()) == 6
        assert counts["ok"] == 2
        assert counts["failed:start_past_end"] == 1
        assert counts["failed:no_audio"] == 1
        assert counts["skipped:upstream_failed"] == 2

        assert launch("preprocessing", str(recipe), "--strict").returncode == 1

        make_video(site_folder / "missing-one.mp4")
        retried = launch("collection", str(recipe), "--retry-failed", **environment)
        assert retried.returncode == 0, retried.stderr
        assert report_of(tmp_path, "collection")["ok"] == 1


@pytest.mark.parametrize("engine", ["local", "ray"])
def test_a_run_that_no_clip_comes_through_fails_with_the_reasons(
    engine: str, launch: Launch, recipe: Path, site_folder: Path, tmp_path: Path
):
    """The stages after it do not begin."""
    if engine == "ray":
        pytest.importorskip("ray", reason="Ray is not installed")
    (tmp_path / "catalog.csv").write_text("missing-one,0,tone,train\nmissing-two,0,tone,train\n")
    with running_site(site_folder) as url:
        environment = {"S2S_SOURCE_URL": url + "/{source_id}.mp4"}
        environment |= {"RAY_ADDRESS": "local", "RAY_worker_niceness": "0"}
        run = launch("run", str(recipe), "--engine", engine, **environment)
    assert run.returncode == 1
    said = " ".join(run.stderr.split())
    assert "error: collection: none of 2 clips came through: 2 gone (http" in said
    assert "missing-one.mp4" in said
    assert "Traceback" not in said
    assert report_of(tmp_path, "collection") == {"failed:gone": 2}
    made = (tmp_path / "reports" / "bad_input").iterdir()
    assert {path.name.partition(".")[0] for path in made} == {"collection"}


def test_an_empty_catalog(launch: Launch, recipe: Path, tmp_path: Path):
    (tmp_path / "catalog.csv").write_text("\n")
    run = launch("collection", str(recipe), S2S_SOURCE_URL="http://127.0.0.1:9/{source_id}")
    assert run.returncode == 1
    assert "catalog.csv" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_catalog_that_is_not_there(launch: Launch, recipe: Path):
    run = launch("collection", str(recipe))
    assert run.returncode == 1
    assert "catalog.csv" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    "stage", ["preprocessing", "validation", "feature_extraction", "training", "serving"]
)
def test_a_stage_whose_input_is_missing_says_what_to_run_first(
    stage: str, launch: Launch, recipe: Path
):
    run = launch(stage, str(recipe))
    assert run.returncode == 1
    assert "first" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_stopped_bucket_server(launch: Launch, recipe: Path, site_folder: Path, tmp_path: Path):
    (tmp_path / "catalog.csv").write_text(CATALOG)
    server = BucketServer(tmp_path / "gcs", port=0)
    environment = {"STORAGE_EMULATOR_HOST": server.url, "S2S_BUCKET": "gs://stopped"}
    environment |= {"S2S_GCS_RETRY_S": "2"}
    stopped = launch("run", str(recipe), **environment)
    assert stopped.returncode == 1
    assert "s2s bucket start" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    server.start()
    try:
        server.make_bucket("stopped")
        with running_site(site_folder) as url:
            environment["S2S_SOURCE_URL"] = url + "/{source_id}.mp4"
            again = launch("collection", str(recipe), **environment)
        assert again.returncode == 0, again.stderr
        assert report_of(tmp_path, "collection")["ok"] == 4
    finally:
        server.stop()


def test_two_runs_at_the_same_time(launch: Launch, recipe: Path, site_folder: Path, tmp_path: Path):
    (tmp_path / "catalog.csv").write_text(CATALOG)
    with running_site(site_folder) as url:
        environment = {"S2S_SOURCE_URL": url + "/{source_id}.mp4"}
        other = tmp_path / "other"
        other.mkdir()
        shutil.copy(recipe, other)
        shutil.copy(tmp_path / "catalog.csv", other)
        bucket = f"file://{tmp_path}/shared-bucket"
        command = [sys.executable, "-m", "launcher", "collection", "bad_input.yaml"]
        beside = subprocess.Popen(
            [*command, "--bucket", bucket],
            cwd=other,
            env=os.environ | environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        run = launch("collection", str(recipe), "--bucket", bucket, **environment)
        errors = beside.communicate(timeout=120)[1]
    assert run.returncode == 0, run.stderr
    assert beside.returncode == 0, errors
    stored = sorted(path.name for path in (tmp_path / "shared-bucket" / "raw_data").glob("*.mp4"))
    assert stored == ["good-source.mp4", "silent-one.mp4"]


def test_a_full_disk(launch: Launch, recipe: Path, site_folder: Path, tmp_path: Path):
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(small)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting a small file system needs root and CAP_SYS_ADMIN")
    try:
        (tmp_path / "catalog.csv").write_text("good-source,0,tone,train\n")
        with running_site(site_folder) as url:
            environment = {"S2S_SOURCE_URL": url + "/{source_id}.mp4"}
            full = launch("collection", str(recipe), "--bucket", f"file://{small}", **environment)
        assert full.returncode == 1
        assert "disk is full" in full.stderr
        assert "Traceback" not in full.stderr
        assert not list(small.glob("raw_data/*"))
    finally:
        subprocess.run(["umount", str(small)], check=True)
