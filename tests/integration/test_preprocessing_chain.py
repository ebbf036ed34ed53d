"""From a source to shards in every mode: what training reads is the same, and on one grid."""

from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from dataset_fixtures import FPS, RATE_HZ, clicking_clip, encode

import feature_extraction.stage
import preprocessing.stage
import validation.stage
from s2s.catalog import catalog_lines
from s2s.features.shards import ShardReader
from s2s.layout import catalog_key, features_prefix, manifest_key, raw_prefix
from s2s.manifest import read_manifest
from s2s.media import add_sound, input_args, run_ffmpeg, write_wav
from s2s.reasons import Reason, Status
from s2s.records import ClipRecord
from s2s.settings import Settings
from s2s.storage import open_bucket
from s2s.tasks.generation.settings import GenerationRecipe

CLIP_S, SEEDS = 3, (1, 2)
STARTS_S = (2.52, 6.3)
MODES = ("encode", "copy", "smart")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Ten seconds each of a square that clicks where it jumps; keyframes every 48 frames."""
    folder = tmp_path_factory.mktemp("sources")
    paths = []
    for seed in SEEDS:
        frames, samples = clicking_clip(seed, 10.0)
        write_wav(folder / "a.wav", samples, RATE_HZ)
        add_sound(encode(folder / "a.mp4", frames), folder / "a.wav", folder / "b.mp4")
        path = folder / f"source{seed}.mp4"
        options = ["-c:v", "libx264", "-g", "48", "-sc_threshold", "0", "-c:a", "copy"]
        run_ffmpeg([*input_args(folder / "b.mp4"), *options, str(path)], path.name)
        paths.append(path)
    return paths


def settings_of(folder: Path, mode: str) -> Settings:
    recipe = {
        "name": "chain",
        "spec": {"fps": FPS, "sample_rate_hz": RATE_HZ, "duration_s": CLIP_S},
        "collection": {"catalog": "c.csv"},
        "preprocessing": {"video": mode, "short_side_px": 64},
    }
    return Settings(
        recipe=GenerationRecipe.model_validate(recipe),
        recipe_path=folder / "chain.yaml",
        bucket_url=f"file://{folder / 'bucket'}",
        work_dir=folder / "work",
        workers=1,
    )


def put(settings: Settings, sources: list[Path], starts_s: tuple[float, ...]) -> list[ClipRecord]:
    """Store sources, and a catalog of clips of them."""
    bucket = open_bucket(settings.bucket_url)
    for path in sources:
        bucket.upload(path, f"{raw_prefix()}{path.name}")
    clips = [
        ClipRecord(source_id=path.stem, start_s=s, end_s=s + CLIP_S, labels=(path.stem,))
        for path in sources
        for s in starts_s
    ]
    bucket.write(catalog_key(settings.recipe), "".join(catalog_lines(clips)).encode())
    return clips


def features(folder: Path, sources: list[Path], mode: str) -> dict[str, dict[str, np.ndarray]]:
    """Motion and mel of each clip, as they are in the shards."""
    settings = settings_of(folder / mode, mode)
    clips = put(settings, sources, STARTS_S)
    for stage in (preprocessing.stage, validation.stage, feature_extraction.stage):
        assert stage.run(settings).counts == {"ok": len(clips)}
    bucket = open_bucket(settings.bucket_url)
    found: dict[str, dict[str, np.ndarray]] = {}
    for key in bucket.keys(features_prefix(settings.recipe, "dataset_v1")):
        if key.endswith(".safetensors"):
            bucket.download(key, folder / Path(key).name)
            shard = ShardReader(folder / Path(key).name)
            for clip in clips:
                if clip.clip_id in shard.header.clips:
                    found[clip.clip_id] = {
                        name: shard.read(clip.clip_id, name).astype(float)
                        for name in ("motion", "mel")
                    }
    assert len(found) == len(clips)
    return found


def lag(first: np.ndarray, second: np.ndarray) -> int:
    """By how many steps one curve has to be shifted to fit another best."""
    n = min(len(first), len(second))
    curves = [curve[:n] - curve[:n].mean() for curve in (first, second)]
    return int(np.correlate(curves[0], curves[1], "full").argmax()) - (n - 1)


def test_every_mode_gives_training_the_same_motion_and_mel(sources: list[Path], tmp_path: Path):
    by_mode = {mode: features(tmp_path, sources, mode) for mode in MODES}
    for mode in MODES[1:]:
        for clip_id, expected in by_mode["encode"].items():
            found = by_mode[mode][clip_id]
            per_frame = round(len(expected["mel"]) / len(expected["motion"]))
            for name, steps in (("motion", 1), ("mel", per_frame)):
                assert abs(len(found[name]) - len(expected[name])) <= steps, (mode, clip_id, name)
                curves = [array.sum(axis=1) for array in (found[name], expected[name])]
                assert abs(lag(*curves)) <= steps, (mode, clip_id, name)
            levels = [
                array[per_frame:-per_frame].mean() for array in (found["mel"], expected["mel"])
            ]
            assert levels[0] == pytest.approx(levels[1], abs=0.1), "equally loud"


def test_validation_finds_damage_that_was_copied(
    sources: list[Path], real_data: Path, tmp_path: Path
):
    settings = settings_of(tmp_path, "copy")
    real = real_data / "clips" / "vggsound" / "54bz5yqN2IA_4000_14000.mp4"
    data = bytearray(real.read_bytes())
    with av.open(str(real)) as file:
        packet = next(islice(file.demux(video=0), 30, None))
    half = packet.size // 2
    data[(packet.pos or 0) + half : (packet.pos or 0) + packet.size] = bytes(packet.size - half)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(data)
    [*_, bad] = put(settings, [*sources, damaged], (0.0,))
    assert preprocessing.stage.run(settings).counts == {"ok": 3}
    validation.stage.run(settings)
    rows = read_manifest(
        open_bucket(settings.bucket_url), manifest_key(settings.recipe, "validation")
    )
    found = {row.clip_id: (row.status, row.reason) for row in rows}
    assert found[bad.clip_id] == (Status.FAILED, Reason.CORRUPT)
