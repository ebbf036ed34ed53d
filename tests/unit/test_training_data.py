"""Windows of clips for training, and the scale of their mel."""

from pathlib import Path

import numpy as np
import pytest
from dataset_fixtures import listed_clip

from s2s.features.arrays import ArraySpec
from s2s.features.shards import ShardHeader, ShardReader, write_shard
from s2s.features.stored import StoredClip
from s2s.settings import FEATURES
from s2s.tasks.generation.data import WindowDataset, measure_mel, window_of
from s2s.tasks.generation.settings import GenerationRecipe

RECIPE = GenerationRecipe.model_validate({"name": "r", "collection": {"catalog": "c.csv"}})
BANDS, PER_FRAME = RECIPE.spec.n_mels, RECIPE.spec.mel_per_frame


@pytest.fixture
def clips(tmp_path: Path) -> list[StoredClip]:
    """Two clips, of 40 and of 6 frames, in which every number says which frame it is of."""
    arrays = {
        name: {
            "mel": np.repeat(np.arange(frames), PER_FRAME)[:, None] * np.ones((1, BANDS)),
            "motion": np.arange(frames)[:, None] * np.ones((1, 3)),
            "appearance": 100 + np.arange(frames)[:, None] * np.ones((1, 2)),
        }
        for name, frames in (("long", 40), ("short", 6))
    }
    header = ShardHeader(
        recipe="r",
        settings=RECIPE.named_settings(FEATURES),
        arrays=(
            ArraySpec(name="mel", shape=(BANDS,), rate_hz=100),
            ArraySpec(name="motion", shape=(3,), rate_hz=25),
            ArraySpec(name="appearance", shape=(2,), rate_hz=25),
        ),
        clips=dict.fromkeys(arrays, "checksums"),
    )
    write_shard(tmp_path / "shard.safetensors", header, arrays)
    shard = ShardReader(tmp_path / "shard.safetensors")
    return [StoredClip(listed_clip(name), shard) for name in arrays]


def test_mel_and_what_is_seen_in_a_window_are_of_the_same_frames(clips: list[StoredClip]):
    tokens, seen = window_of(clips[0], 12, 5)
    assert tokens.shape == (5, PER_FRAME * BANDS)
    assert tokens.dtype == seen.dtype == np.float16
    np.testing.assert_array_equal(tokens[:, 0], [12, 13, 14, 15, 16])
    np.testing.assert_array_equal(tokens[:, 0], tokens[:, -1])
    np.testing.assert_array_equal(seen[:, :3], tokens[:, :3])
    np.testing.assert_array_equal(seen[:, 3:], 100 + tokens[:, :2])


def test_a_clip_that_is_too_short_is_repeated(clips: list[StoredClip]):
    tokens, seen = window_of(clips[1], 0, 8)
    np.testing.assert_array_equal(seen[:, 0], [0, 1, 2, 3, 4, 5, 0, 1])
    np.testing.assert_array_equal(tokens[:, 0], seen[:, 0])


def test_windows_are_the_same_every_time(clips: list[StoredClip]):
    first, second = (WindowDataset(clips, 5, 30, seed=1) for _ in range(2))
    other = WindowDataset(clips, 5, 30, seed=2)
    starts = [float(first[i][1][0, 0]) for i in range(30)]
    assert starts == [float(second[i][1][0, 0]) for i in range(30)]
    assert starts != [float(other[i][1][0, 0]) for i in range(30)]
    assert len(set(starts)) > 5


def test_the_scale_is_that_of_all_values(clips: list[StoredClip]):
    scale = measure_mel(clips)
    values = np.concatenate([np.arange(40), np.arange(6)])
    assert scale.mean == pytest.approx(values.mean())
    assert scale.std == pytest.approx(values.std())
