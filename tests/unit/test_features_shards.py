"""Shards come back as they were written, in windows, and tell what they are."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from s2s.errors import ModelError
from s2s.features.index import ShardHeader
from s2s.features.shards import ShardReader, write_shard
from s2s.tasks.generation.processor import open_sight
from s2s.tasks.generation.settings import GenerationRecipe

RECIPE = GenerationRecipe.model_validate({"name": "r", "collection": {"catalog": "c.csv"}})
DIMS = {"mel": RECIPE.spec.n_mels} | open_sight(RECIPE.spec, RECIPE.feature_extraction).dims


def make_arrays(frames: int = 10) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(frames)
    return {
        "mel": rng.normal(size=(4 * frames, RECIPE.spec.n_mels)).astype(np.float32),
        "motion": rng.normal(size=(frames, DIMS["motion"])).astype(np.float32),
        "semantic": rng.normal(size=(frames, DIMS["semantic"])).astype(np.float32),
    }


def write(path: Path, clips: dict[str, dict[str, np.ndarray]]) -> Path:
    header = ShardHeader(
        recipe="r",
        spec=RECIPE.spec,
        features=RECIPE.feature_extraction,
        dims=DIMS,
        clips=dict.fromkeys(clips, "checksums"),
    )
    write_shard(path, header, clips)
    return path


def test_windows_come_back(tmp_path: Path):
    clips = {"-a": make_arrays(10), "b": make_arrays(7)}
    shard = ShardReader(write(tmp_path / "s.safetensors", clips))
    assert list(shard.header.clips) == ["-a", "b"]
    assert shard.length("b", "mel") == 28
    window = shard.read("-a", "mel", 8, 20)
    assert window.dtype == np.float16
    np.testing.assert_allclose(window, clips["-a"]["mel"][8:20], atol=2e-3)
    np.testing.assert_allclose(shard.read("b", "motion"), clips["b"]["motion"], atol=2e-3)


def test_it_travels_to_other_processes(tmp_path: Path):
    shard = ShardReader(write(tmp_path / "s.safetensors", {"a": make_arrays()}))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(shard.length, ("a", "motion")) == 10


def test_a_shard_without_clips_is_a_shard(tmp_path: Path):
    shard = ShardReader(write(tmp_path / "s.safetensors", {}))
    assert shard.check(RECIPE).header.clips == {}


def test_nan_is_never_written(tmp_path: Path):
    arrays = make_arrays()
    arrays["mel"][3, 3] = np.nan
    with pytest.raises(ValueError, match="a/mel"):
        write(tmp_path / "s.safetensors", {"a": arrays})


def test_nan_is_found(tmp_path: Path):
    path = write(tmp_path / "s.safetensors", {"a": make_arrays()})
    data = bytearray(path.read_bytes())
    data[-2:] = np.array(np.nan, np.float16).tobytes()
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"a/\w+ holds NaN.*run feature_extraction again"):
        ShardReader(path).check(RECIPE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "other"}, "its recipe is r"),
        ({"spec": {"fps": 20}}, "its spec is"),
        ({"feature_extraction": {"colour_grid": 3}}, "its features is"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, change: dict[str, object], message: str):
    shard = ShardReader(write(tmp_path / "s.safetensors", {"a": make_arrays()}))
    other = GenerationRecipe.model_validate(RECIPE.model_dump() | change)
    with pytest.raises(ModelError, match=message):
        shard.check(other)


def test_arrays_of_another_size_are_refused(tmp_path: Path):
    arrays = make_arrays()
    arrays["motion"] = arrays["motion"][:, :5]
    shard = ShardReader(write(tmp_path / "s.safetensors", {"a": arrays}))
    with pytest.raises(ModelError, match=r"a/motion has shape \(10, 5\)"):
        shard.check(RECIPE)


@pytest.mark.parametrize("content", [b"", b"not a shard at all", b"\xff" * 100])
def test_another_file_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "s.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a feature shard"):
        ShardReader(path)


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(ModelError, match=r"none\.safetensors"):
        ShardReader(tmp_path / "none.safetensors")
