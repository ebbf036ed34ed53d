"""Clips of talkers as features, made in a moment: each voice is a hum that comes and goes."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from dataset_fixtures import listed_clip

from s2s.features.arrays import ArraySpec
from s2s.features.shards import ShardHeader, ShardReader, write_shard
from s2s.features.stored import StoredClip
from s2s.settings import FEATURES
from s2s.tasks.separation.extractors import LIPS
from s2s.tasks.separation.settings import SeparationRecipe

__all__ = ["FPS", "PICTURES", "RATE_HZ", "separation_recipe", "store_talkers"]

FPS, RATE_HZ, PICTURES = 25, 8000, 25


def separation_recipe(**sections: dict) -> SeparationRecipe:
    return SeparationRecipe.model_validate(
        {
            "name": "r",
            "collection": {"catalog": "c.csv"},
            "spec": {"fps": FPS, "sample_rate_hz": RATE_HZ, "duration_s": 1, "n_mels": 20},
            "training": {"window_s": 1, **sections.pop("training", {})},
            **sections,
        }
    )


def store_talkers(
    folder: Path, speakers: Sequence[str], pictures: int = PICTURES, split: str = "train"
) -> list[StoredClip]:
    """A clip for each name; clips of one name are of one speaker."""
    arrays = {f"clip-{n}": _talk(n, pictures) for n in range(len(speakers))}
    header = ShardHeader(
        recipe="r",
        settings=separation_recipe().named_settings(FEATURES),
        arrays=(
            ArraySpec(name="voice", dtype="int16", rate_hz=RATE_HZ),
            ArraySpec(name="lips", shape=(LIPS,), rate_hz=FPS),
            ArraySpec(name="seen", dtype="bool", rate_hz=FPS),
        ),
        clips=dict.fromkeys(arrays, "checksums"),
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_shard(folder / "shard.safetensors", header, arrays)
    shard = ShardReader(folder / "shard.safetensors")
    return [
        StoredClip(
            replace(listed_clip(clip_id), source_id=clip_id, labels=(name,), split=split), shard
        )
        for clip_id, name in zip(arrays, speakers, strict=True)
    ]


def _talk(number: int, pictures: int) -> dict[str, np.ndarray]:
    """Opening lips and a louder hum; quiet, and closed, at the end."""
    rng = np.random.default_rng(number)
    opening_T = np.clip(np.repeat(rng.uniform(0, 1, pictures // 3 + 1), 3)[:pictures], 0.05, 1)
    opening_T[-3:] = 0
    loudness_N = np.repeat(opening_T, RATE_HZ // FPS)
    pitch_hz = 110 * 2 ** (number / 5)
    time_N = np.arange(len(loudness_N)) / RATE_HZ
    hum_N = sum(np.sin(2 * np.pi * pitch_hz * k * time_N + k) / k for k in range(1, 6))
    lips_TD = np.repeat(opening_T[:, None], LIPS, axis=1)
    voice_N = np.round(4000 * loudness_N * hum_N).astype(np.int16)
    return {"voice": voice_N, "lips": lips_TD, "seen": np.ones(pictures, bool)}
