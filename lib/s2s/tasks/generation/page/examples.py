"""Clips that an evaluation chose: their video, and sounds to compare."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2s.dataset import read_version
from s2s.layout import evaluation_prefix
from s2s.media import read_audio
from s2s.settings import Recipe
from s2s.storage import Bucket
from s2s.tasks.common.html import render
from s2s.tasks.common.spectrogram import draw_spectrogram
from s2s.workspace import scratch

__all__ = ["show_examples"]

_TEMPLATE = Path(__file__).with_name("examples.html.jinja")
_HEARD = {
    "real": "original",
    "model": "generated",
    "regression": "by regression",
    "real_mel": "original through the vocoder",
}


@dataclass(frozen=True)
class _Sound:
    title: str
    wav: bytes
    spectrogram: bytes


@dataclass(frozen=True)
class _Example:
    clip_id: str
    labels: tuple[str, ...]
    why: str
    generated: bytes
    original: bytes
    sounds: tuple[_Sound, ...]


def show_examples(bucket: Bucket, recipe: Recipe, content: Mapping[str, Any]) -> str:
    """HTML of the clips that an evaluation chose.

    Args:
        bucket: where their sounds are.
        recipe: whose model was evaluated.
        content: what `evaluation.json` says.

    Raises:
        VersionError: if there is no such data set version.
        MediaError: if a sound cannot be read.
        BucketUnavailableError: if the bucket does not answer.
    """
    version = read_version(bucket, recipe, content["version"])
    listed = {clip.clip_id: clip for clips in version.clips.values() for clip in clips}
    prefix = f"{evaluation_prefix(recipe, version.name)}examples/"
    examples = [
        _Example(
            clip_id=row["clip_id"],
            labels=listed[row["clip_id"]].labels,
            why=row["why"],
            generated=bucket.read(f"{prefix}{row['clip_id']}.mp4"),
            original=bucket.read(listed[row["clip_id"]].key),
            sounds=tuple(
                _sound(bucket.read(f"{prefix}{row['clip_id']}.{system}.wav"), title, recipe)
                for system, title in _HEARD.items()
            ),
        )
        for row in content["examples"]
    ]
    return render(_TEMPLATE, examples=examples)


def _sound(wav: bytes, title: str, recipe: Recipe) -> _Sound:
    rate_hz = recipe.spec.sample_rate_hz
    with scratch() as folder:
        path = folder / "sound.wav"
        path.write_bytes(wav)
        return _Sound(title, wav, draw_spectrogram(read_audio(path, rate_hz), rate_hz))
