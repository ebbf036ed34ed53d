"""A run that is interrupted or killed is finished by the next one, and nothing is done twice."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Launch

from s2s.media import run_ffmpeg
from sample.site import running_site

N_SOURCES = 30
RECIPE = "{name: interrupted, spec: {duration_s: 1}, collection: {catalog: c.csv, workers: 1}}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recipe, its catalog and its videos."""
    site = tmp_path / "site"
    site.mkdir()
    video = tmp_path / "video.mp4"
    run_ffmpeg(["-f", "lavfi", "-i", "testsrc=s=64x64:d=1", str(video)], "video")
    names = [f"source-{n:02d}" for n in range(N_SOURCES)]
    for name in names:
        shutil.copy(video, site / f"{name}.mp4")
    (tmp_path / "c.csv").write_text("".join(f"{name},0,thing,train\n" for name in names))
    (tmp_path / "interrupted.yaml").write_text(RECIPE)
    return tmp_path


def stored(folder: Path) -> dict[str, int]:
    raw = folder / ".s2s" / "bucket" / "raw_data"
    return {path.name: path.stat().st_mtime_ns for path in raw.glob("*.mp4")}


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_the_next_run_finishes(folder: Path, launch: Launch, stop: signal.Signals):
    command = [sys.executable, "-m", "launcher", "collection", "interrupted.yaml"]
    with running_site(folder / "site") as url:
        environment = {"S2S_SOURCE_URL": url + "/{source_id}.mp4"}
        first = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | environment,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        deadline = time.monotonic() + 60
        while len(stored(folder)) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(first.pid, stop)
        errors = first.communicate(timeout=60)[1]
        before = stored(folder)
        assert 3 <= len(before) < N_SOURCES, errors
        if stop is signal.SIGINT:
            assert first.returncode == 130, errors
            assert "run again" in errors

        again = launch("collection", "interrupted.yaml", **environment)
    assert again.returncode == 0, again.stderr
    after = stored(folder)
    assert len(after) == N_SOURCES
    assert {name: after[name] for name in before} == before
    assert f"{len(before)} already_done" in again.stderr
    leftovers = [path for path in (folder / ".s2s" / "tmp").rglob("*") if path.is_file()]
    assert leftovers == []
