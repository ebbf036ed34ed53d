"""Pairs of held-out talkers that serving answered: heard at once, one alone, and as recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from s2s.dataset import DatasetClip, DatasetVersion
from s2s.dataset.held_out import choose_held_out
from s2s.layout import held_out_prefix
from s2s.media import read_audio, read_frames
from s2s.settings import Recipe
from s2s.storage import Bucket
from s2s.tasks.common.html import render
from s2s.tasks.common.pictures import jpeg_of
from s2s.tasks.common.spectrogram import draw_spectrogram
from s2s.tasks.separation.page.published import LIPS_ALONE
from s2s.tasks.separation.predictor.pair import compose_pair

__all__ = ["show_answers"]

_TEMPLATE = Path(__file__).with_name("answers.html.jinja")


@dataclass(frozen=True)
class _Panel:
    """One way to hear a talker: title and caption stand over it."""

    title: str
    caption: str
    video: bytes
    poster: bytes
    spectrogram: bytes


@dataclass(frozen=True)
class _Answered:
    clip: DatasetClip
    other: DatasetClip
    panels: tuple[_Panel, ...]


def show_answers(
    bucket: Bucket,
    recipe: Recipe,
    version: DatasetVersion,
    rows: Mapping[str, Mapping[str, Any]],
    folder: Path,
) -> str:
    """HTML of the pairs that serving answered; composes what was sent once more.

    Args:
        bucket: where the clips and the answers are.
        recipe: whose they are.
        version: the data set version that the model was trained on.
        rows: not used: they are of the mixtures of the evaluation.
        folder: keeps the videos; made when missing.

    Returns:
        nothing where there are none.

    Raises:
        MediaError: if a stored clip cannot be read.
    """
    del rows
    folder.mkdir(parents=True, exist_ok=True)
    prefix = held_out_prefix(recipe, version.name)
    answers = {key.removeprefix(prefix): key for key in bucket.keys(prefix)}
    held_out = choose_held_out(version, recipe.serving.show_clips)
    answered = []
    for clip in held_out.clips:
        if key := answers.get(f"{clip.clip_id}.mp4"):
            other = held_out.other(clip)
            stored = _fetch(bucket, {"truth": clip.key, "other": other.key, "found": key}, folder)
            rate_hz = recipe.spec.sample_rate_hz
            answered.append(_Answered(clip, other, _panels(stored, rate_hz)))
    return render(_TEMPLATE, answered=answered, lips_alone=LIPS_ALONE) if answered else ""


def _fetch(bucket: Bucket, keys: Mapping[str, str], folder: Path) -> Mapping[str, Path]:
    """Files of one pair, and the film that was sent."""
    paths = {name: folder / f"{name}.mp4" for name in (*keys, "sent")}
    for name, key in keys.items():
        bucket.download(key, paths[name])
    compose_pair(paths["truth"], paths["other"], paths["sent"])
    return paths


def _panels(paths: Mapping[str, Path], rate_hz: int) -> tuple[_Panel, ...]:
    return (
        _panel("both at once", "what was sent", paths["sent"], rate_hz),
        _panel("the left one", "as the model found it", paths["found"], rate_hz),
        _panel("the left one", "as recorded", paths["truth"], rate_hz),
    )


def _panel(title: str, caption: str, video: Path, rate_hz: int) -> _Panel:
    return _Panel(
        title=title,
        caption=caption,
        video=video.read_bytes(),
        poster=jpeg_of(Image.fromarray(read_frames(video, fps=1)[0])),
        spectrogram=draw_spectrogram(read_audio(video, rate_hz), rate_hz),
    )
