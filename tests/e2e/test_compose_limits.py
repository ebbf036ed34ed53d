"""A container that reaches its memory limit: what costs it that fails alone, and it is said."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from cut_clips import make_recipe, write_catalog, write_recipe

from s2s.layout import manifest_key, raw_prefix, report_key
from s2s.manifest import read_manifest
from s2s.media import run_ffmpeg
from s2s.reasons import Reason
from s2s.storage import DirectoryBucket

ROOT = Path(__file__).resolve().parents[2]
RECIPE = make_recipe()
MEMORY = "384m"
"""More than a small clip takes, and less than one of 7,680 x 4,320 pixels."""
pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]


def put_video(bucket: DirectoryBucket, folder: Path, name: str, size: str) -> None:
    path = folder / f"{name}.mp4"
    picture, sound = f"testsrc=s={size}:r=5:d=2", "sine=d=2"
    run_ffmpeg(
        [
            *["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-pix_fmt", "yuv420p"],
            *["-preset", "ultrafast", str(path)],
        ],
        name,
    )
    bucket.upload(path, f"{raw_prefix()}{name}.mp4")


def test_a_clip_that_needs_more_memory_fails_alone_and_the_report_says_so(
    docker_environment: dict[str, str], tmp_path: Path
):
    subprocess.run(
        [
            *["docker", "build", "--quiet", "--tag", "s2s/preprocessing"],
            *["--file", "services/preprocessing/Dockerfile", "."],
        ],
        cwd=ROOT,
        env=docker_environment,
        check=True,
    )
    bucket = DirectoryBucket(tmp_path / "bucket")
    small, large, _ = write_catalog(bucket, RECIPE, {"small1": [0], "large1": [0], "small2": [0]})
    for name, size in (("small1", "64x48"), ("large1", "7680x4320"), ("small2", "64x48")):
        put_video(bucket, tmp_path, name, size)
    write_recipe(tmp_path / "bucket" / "recipe.yaml", RECIPE)
    done = subprocess.run(
        [
            *["docker", "run", "--rm", "--init", "--memory", MEMORY, "--memory-swap", MEMORY],
            *["--user", f"{os.getuid()}:{os.getgid()}", "--volume", f"{tmp_path}/bucket:/bucket"],
            *["--env", "S2S_BUCKET=file:///bucket", "s2s/preprocessing"],
            *["file:///bucket/recipe.yaml", "--workers", "2"],
        ],
        env=docker_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(bucket.read(report_key(RECIPE, "preprocessing")))
    assert report["counts"] == {"failed:crashed": 1, "ok": 2}
    assert "reached its memory limit of 384 MiB" in report["outputs"]["memory"]
    assert "reached its memory limit" in " ".join(done.stderr.split())
    rows = {
        row.clip_id: row for row in read_manifest(bucket, manifest_key(RECIPE, "preprocessing"))
    }
    assert rows[large].reason is Reason.CRASHED
    assert rows[small].reason is None
