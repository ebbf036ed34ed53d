"""Arrays that a stream of float16 is not: frames, JPEG files, faces; as other tasks need them."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from dataset_fixtures import SIDE_PX, MakeSettings, MakeVersion
from PIL import Image

from feature_extraction import shard as shard_module
from feature_extraction.shard import ShardMaker, plan_shards
from s2s.errors import MediaError
from s2s.features.arrays import Array, ArraySpec, ClipMedia
from s2s.features.shards import ShardReader
from s2s.layout import failure_key, features_prefix
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.storage import open_bucket
from s2s.tasks.generation.settings import GenerationRecipe

RATE_HZ, FPS, CROP_PX = 8000, 8, 24


class Faces:
    """Pictures around each clip's face, and the same as JPEG files."""

    arrays = (
        ArraySpec(name="face", shape=(CROP_PX, CROP_PX, 3), dtype="uint8", rate_hz=FPS),
        ArraySpec(name="jpegs", is_bytes=True, rate_hz=FPS),
        ArraySpec(name="position", shape=(2,), dtype="float32"),
    )

    def __call__(self, clip: ClipMedia) -> Mapping[str, Array]:
        assert clip.listed is not None
        if clip.listed.face_xy is None:
            raise MediaError(Reason.NO_VIDEO, f"{clip.listed.clip_id}: has no face")
        left, top = (round(at * SIDE_PX) - CROP_PX // 2 for at in clip.listed.face_xy)
        faces = clip.frames_THWC[:, top : top + CROP_PX, left : left + CROP_PX]
        files = [io.BytesIO() for _ in faces]
        for face, file in zip(faces, files, strict=True):
            Image.fromarray(face).save(file, "JPEG", quality=90)
        return {
            "face": faces,
            "jpegs": [np.frombuffer(file.getvalue(), np.uint8) for file in files],
            "position": np.array([clip.listed.face_xy]),
        }


class Loudness:
    """How loud each eighth of a second is."""

    arrays = (ArraySpec(name="loudness", rate_hz=FPS),)

    def __call__(self, clip: ClipMedia) -> Mapping[str, Array]:
        size = RATE_HZ // FPS
        whole = clip.samples_N[: len(clip.samples_N) // size * size]
        return {"loudness": np.abs(whole).reshape(-1, size).max(axis=1)}


@dataclass
class FaceProcessor:
    """Pictures as they are stored, at a rate of its own."""

    fps: int | None = FPS
    frame_size: tuple[int, int] | None = None
    sample_rate_hz: int | None = RATE_HZ
    extractors: Sequence[Faces | Loudness] = field(default_factory=lambda: (Faces(), Loudness()))


class FaceTask:
    """As much of a task as feature extraction asks for."""

    def __init__(self, processor: object) -> None:
        self.processor = processor
        self.recipe_class = GenerationRecipe

    def make_processor(self, _recipe: object, weights: Path | None) -> object:
        assert weights is None
        return self.processor


def make_shard(
    settings: Settings, clips: list, monkeypatch: pytest.MonkeyPatch, processor: object
) -> tuple[Outcome, ShardReader]:
    shard_module._load_processor.cache_clear()
    monkeypatch.setattr(shard_module, "load_task", lambda _: FaceTask(processor))
    (shard,) = plan_shards({"train": clips}, 64).values()
    outcome = ShardMaker(settings, "dataset_v1", settings.work_dir)(shard)
    path = settings.work_dir / "shard.safetensors"
    open_bucket(settings.bucket_url).download(outcome.key, path)
    shard_module._load_processor.cache_clear()
    return outcome, ShardReader(path).check(settings.recipe)


def test_faces_of_the_stored_picture_as_frames_and_as_jpegs(
    make_settings_of: MakeSettings, make_version: MakeVersion, monkeypatch: pytest.MonkeyPatch
):
    settings = make_settings_of()
    one, other, none = make_version(settings, {"train": (2.0, 1.0, 1.0)}).split("train")
    clips = [replace(one, face_xy=(0.5, 0.25)), replace(other, face_xy=(0.25, 0.75)), none]
    outcome, shard = make_shard(settings, clips, monkeypatch, FaceProcessor())
    assert outcome.status is Status.OK
    assert list(shard.header.clips) == [one.clip_id, other.clip_id]
    failure = failure_key(features_prefix(settings.recipe, "dataset_v1"), none.clip_id)
    assert b"no_video" in open_bucket(settings.bucket_url).read(failure)

    assert shard.shape(one.clip_id, "face") == (16, CROP_PX, CROP_PX, 3)
    assert shard.length(other.clip_id, "face") == shard.length(other.clip_id, "loudness") == 8
    np.testing.assert_allclose(shard.read(other.clip_id, "position"), [[0.25, 0.75]])
    faces = shard.read(one.clip_id, "face", 4, 7)
    files = shard.read_bytes(one.clip_id, "jpegs", 4, 7)
    for face, file in zip(faces, files, strict=True):
        shown = np.asarray(Image.open(io.BytesIO(file.tobytes())), np.int16)
        assert np.abs(shown - face).mean() < 8


def test_a_task_that_only_listens_never_reads_pictures(
    make_settings_of: MakeSettings, make_version: MakeVersion, monkeypatch: pytest.MonkeyPatch
):
    settings = make_settings_of()
    (clip,) = make_version(settings, {"train": (1.0,)}).split("train")
    open_bucket(settings.bucket_url).write(clip.key, b"never looked at", overwrite=True)
    listener = FaceProcessor(fps=None, extractors=(Loudness(),))
    _, shard = make_shard(settings, [clip], monkeypatch, listener)
    assert shard.read(clip.clip_id, "loudness").max() > 0.1


def test_an_array_that_is_not_what_was_said_fails_its_clip_alone(
    make_settings_of: MakeSettings, make_version: MakeVersion, monkeypatch: pytest.MonkeyPatch
):
    class Odd(Loudness):
        def __call__(self, clip: ClipMedia) -> Mapping[str, Array]:
            assert clip.listed is not None
            is_long = clip.listed.end_s > 1.5
            return {"loudness": np.full(4, 1e6) if is_long else np.zeros(4)}

    settings = make_settings_of()
    long, short = make_version(settings, {"train": (2.0, 1.0)}).split("train")
    _, shard = make_shard(settings, [long, short], monkeypatch, FaceProcessor(extractors=(Odd(),)))
    assert list(shard.header.clips) == [short.clip_id]
    failure = failure_key(features_prefix(settings.recipe, "dataset_v1"), long.clip_id)
    assert b"loudness holds NaN or infinity" in open_bucket(settings.bucket_url).read(failure)
