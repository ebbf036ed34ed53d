"""A clip that the system ends a worker of costs itself alone, in every stage that reads media."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from cut_clips import make_recipe, put_clips, write_catalog

import collection.stage
import preprocessing.stage
import validation.stage
from collection.source import TakeOverFile, VideoFile
from preprocessing.stage import PassTask
from s2s.layout import raw_prefix
from s2s.manifest import read_manifest
from s2s.media import run_ffmpeg
from s2s.media.ffmpeg import ffmpeg_path
from s2s.reasons import Reason
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.storage import open_bucket
from validation.checks.clip_checks import CheckTask

WORKERS = [1, 2]
RECIPE = make_recipe()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DeadlyFile(TakeOverFile):
    def __call__(self, file: VideoFile) -> Outcome:
        if file.path.startswith("deadly"):
            die()
        return super().__call__(file)


class DeadlyPass(PassTask):
    def __call__(self, items: Any) -> Any:
        if any("deadly" in clip.source_id and clip.start_s == 0 for clip, _ in items):
            die()
        return super().__call__(items)


class KilledProgram(PassTask):
    """Every source's ffmpeg is ended the first time, as the system ends it for memory."""

    def __call__(self, items: Any) -> Any:
        mark = self.folder / f"{items[0][0].source_id}.dead"
        os.environ.pop("IMAGEIO_FFMPEG_EXE", None)
        if not mark.exists():
            mark.write_text("#!/bin/sh\nkill -KILL $$\n")
            mark.chmod(0o700)
            os.environ["IMAGEIO_FFMPEG_EXE"] = str(mark)
        ffmpeg_path.cache_clear()
        return super().__call__(items)


class DeadlyCheck(CheckTask):
    def __call__(self, clip_id: str) -> Outcome:
        if clip_id.startswith("deadly"):
            die()
        return super().__call__(clip_id)


def settings_in(folder: Path, workers: int, **collection: object) -> Settings:
    return Settings(
        recipe=make_recipe(collection=collection) if collection else RECIPE,
        recipe_path=folder / "tiny.yaml",
        bucket_url=f"file://{folder / 'bucket'}",
        work_dir=folder / "work",
        workers=workers,
    )


def outcomes(settings: Settings, stage: str) -> dict[str, Outcome]:
    key = f"manifests/{settings.recipe.name}/{stage}.jsonl"
    return {row.clip_id: row for row in read_manifest(open_bucket(settings.bucket_url), key)}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Picture and sound of eight seconds."""
    path = tmp_path_factory.mktemp("video") / "video.mp4"
    sources = ["-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=8", "-f", "lavfi", "-i", "sine=d=8"]
    run_ffmpeg([*sources, "-preset", "ultrafast", "-pix_fmt", "yuv420p", str(path)], "video")
    return path


@pytest.mark.parametrize("workers", WORKERS)
def test_a_file_that_is_taken_over(
    workers: int, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "videos").mkdir()
    for name in ("a", "deadly", "z"):
        shutil.copy(video, tmp_path / "videos" / f"{name}.mp4")
    settings = settings_in(tmp_path, workers, catalog="videos", format="folder")
    monkeypatch.setattr(collection.stage, "TakeOverFile", DeadlyFile)
    assert collection.stage.run(settings).counts == {"failed:crashed": 1, "ok": 2}
    monkeypatch.undo()
    assert collection.stage.run(settings).counts == {"ok": 1, "skipped:already_done": 2}


@pytest.mark.parametrize("workers", WORKERS)
def test_a_clip_that_is_cut(
    workers: int, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Clips of the same pass, which die with it, come through by themselves."""
    settings = settings_in(tmp_path, workers)
    bucket = open_bucket(settings.bucket_url)
    names = write_catalog(bucket, RECIPE, {"a": [0], "deadly": [0, 3], "z": [0]})
    for source in ("a", "deadly", "z"):
        bucket.upload(video, f"{raw_prefix()}{source}.mp4")
    monkeypatch.setattr(preprocessing.stage, "PassTask", DeadlyPass)
    assert preprocessing.stage.run(settings).counts == {"failed:crashed": 1, "ok": 3}
    failed = outcomes(settings, "preprocessing")[names[1]]
    assert failed.reason is Reason.CRASHED
    assert "died, twice" in failed.message
    assert "SIGKILL" in failed.message
    monkeypatch.undo()
    assert preprocessing.stage.run(settings).counts == {"ok": 1, "skipped:already_done": 3}


def test_a_clip_whose_program_is_killed_is_tried_once_more(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settings = settings_in(tmp_path, 2)
    bucket = open_bucket(settings.bucket_url)
    write_catalog(bucket, RECIPE, {"a": [0], "b": [0]})
    for source in ("a", "b"):
        bucket.upload(video, f"{raw_prefix()}{source}.mp4")
    monkeypatch.setattr(preprocessing.stage, "PassTask", KilledProgram)
    assert preprocessing.stage.run(settings).counts == {"ok": 2}


@pytest.mark.parametrize("workers", WORKERS)
def test_a_clip_that_is_checked(workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    settings = settings_in(tmp_path, workers)
    bucket = open_bucket(settings.bucket_url)
    starts_s = {"deadly": [0], "b": [0], "c": [0], "d": [0]}
    put_clips(bucket, RECIPE, tmp_path, write_catalog(bucket, RECIPE, starts_s))
    monkeypatch.setattr(validation.stage, "CheckTask", DeadlyCheck)
    assert validation.stage.run(settings).counts == {"failed:crashed": 1, "ok": 3}
