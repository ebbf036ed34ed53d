"""Small data set versions in a bucket, made of rendered clips: a square blinks and clicks."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from s2s.dataset import DatasetClip, DatasetVersion, Split, write_version
from s2s.media import write_wav
from s2s.records import build_clip_id
from s2s.settings import Settings
from s2s.storage import Bucket, ObjectInfo, open_bucket
from s2s.tasks.generation.settings import GenerationRecipe

FPS, RATE_HZ, SIDE_PX = 25, 16_000, 64
MakeSettings = Callable[..., Settings]
MakeVersion = Callable[..., DatasetVersion]


def clicking_clip(seed: int, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """A square that jumps down every 12 frames or so, with a decaying tone at each jump.

    Returns:
        uint8 frames (T, H, W, 3) and float32 samples (N,).
    """
    rng = np.random.default_rng(seed)
    frames = np.full((round(seconds * FPS), SIDE_PX, SIDE_PX, 3), 60, np.uint8)
    samples = rng.normal(0, 1e-4, round(seconds * RATE_HZ)).astype(np.float32)
    top, k = 8, 5
    times_s = np.arange(RATE_HZ // 5) / RATE_HZ
    tone = 0.5 * np.sin(2 * np.pi * (500 + 100 * seed) * times_s) * np.exp(-times_s / 0.04)
    for t in range(len(frames)):
        if t == k:
            top = 40 if top == 8 else 8
            start = t * RATE_HZ // FPS
            samples[start : start + len(tone)] += tone[: len(samples) - start]
            k += int(rng.integers(9, 15))
        frames[t, top : top + 16, 24:40] = (200, 50 + 20 * seed, 90)
    return frames, samples.astype(np.float32)


def encode(path: Path, frames: np.ndarray) -> Path:
    """Write frames as an H.264 mp4 without sound."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=FPS)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "18"}
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode(None))
    return path


def store_clip(
    bucket: Bucket, folder: Path, seed: int, split: Split, seconds: float, label: str
) -> DatasetClip:
    """Render a clip, upload its files, and list it."""
    frames, samples = clicking_clip(seed, seconds)
    video, wav = encode(folder / f"{seed}.mp4", frames), folder / f"{seed}.wav"
    write_wav(wav, samples, RATE_HZ)
    return list_clip(bucket, (video, wav), f"-source{seed}", split, seconds, label)


def list_clip(
    bucket: Bucket,
    files: tuple[Path, Path],
    source_id: str,
    split: Split,
    seconds: float,
    label: str,
) -> DatasetClip:
    """Upload a clip's picture and sound, and list it."""
    clip_id = build_clip_id(source_id, 0, seconds)
    video, wav = files
    stored: list[tuple[ObjectInfo, str]] = [
        (
            bucket.upload(path, f"clips/{clip_id}{path.suffix}"),
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in (video, wav)
    ]
    (mp4_info, mp4_hash), (wav_info, wav_hash) = stored
    return DatasetClip(
        clip_id=clip_id,
        source_id=source_id,
        start_s=0.0,
        end_s=seconds,
        labels=(label,),
        split=split,
        key=mp4_info.key,
        size=mp4_info.size,
        crc32c=mp4_info.crc32c,
        sha256=mp4_hash,
        wav_key=wav_info.key,
        wav_size=wav_info.size,
        wav_crc32c=wav_info.crc32c,
        wav_sha256=wav_hash,
    )


def listed_clip(clip_id: str, split: Split = "train", **values: Any) -> DatasetClip:
    """A clip of a data set version that has no files; its id is its source's as well."""
    row: dict[str, Any] = {"source_id": clip_id, "start_s": 0.0, "end_s": 1.0, "size": 1}
    row |= {"wav_size": 1, "key": f"clips/{clip_id}.mp4", "wav_key": f"clips/{clip_id}.wav"}
    row |= {"crc32c": "AAAAAA==", "wav_crc32c": "AAAAAA=="}
    row |= {"sha256": "0" * 64, "wav_sha256": "0" * 64}
    return DatasetClip(clip_id=clip_id, split=split, **(row | values))


def settings_in(folder: Path, **sections: object) -> Settings:
    """Settings of a small recipe on an empty bucket in a folder."""
    recipe = GenerationRecipe.model_validate(
        {
            "name": "clicks",
            "spec": {"duration_s": 2},
            "collection": {"catalog": "none.csv"},
            "tracking": {"trackers": []},  # slow to import, and has tests of its own
            **sections,
        }
    )
    return Settings(
        recipe=recipe,
        recipe_path=folder / "clicks.yaml",
        bucket_url=f"file://{folder}/bucket",
        work_dir=folder / "work",
        workers=1,
    )


def store_version(
    folder: Path,
    settings: Settings,
    seconds: Mapping[Split, Sequence[float]],
    labels: Sequence[str] = ("high", "low"),
) -> DatasetVersion:
    """Store a data set version: each number is a clip of so many seconds; labels take turns."""
    bucket = open_bucket(settings.bucket_url)
    seed, clips = 0, {}
    for split, lengths in seconds.items():
        rows = []
        for length in lengths:
            label = labels[seed % len(labels)]
            rows.append(store_clip(bucket, folder, seed, split, length, label))
            seed += 1
        clips[split] = tuple(rows)
    version = DatasetVersion("dataset_v1", clips)
    write_version(bucket, settings.recipe, version)
    return version


@pytest.fixture
def make_settings_of(tmp_path: Path) -> MakeSettings:
    """Settings of a small recipe on an empty bucket: `make_settings_of(training={...})`."""
    return partial(settings_in, tmp_path)


@pytest.fixture
def make_version(tmp_path: Path) -> MakeVersion:
    """Store a data set version: `make_version(settings, {"train": (2.0, 2.0), "test": (1.2,)})`."""
    return partial(store_version, tmp_path)
