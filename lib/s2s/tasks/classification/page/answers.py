"""Held-out clips with what the model said of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2s.dataset import DatasetClip, DatasetVersion
from s2s.settings import Recipe
from s2s.storage import Bucket
from s2s.tasks.common.html import render

__all__ = ["show_answers"]

_TEMPLATE = Path(__file__).with_name("answers.html.jinja")
_SHOWN = 24


@dataclass(frozen=True)
class _Answer:
    clip: DatasetClip
    video: bytes
    said: Mapping[str, float]
    is_right: bool


def show_answers(
    bucket: Bucket,
    recipe: Recipe,
    version: DatasetVersion,
    rows: Mapping[str, Mapping[str, Any]],
    folder: Path,
) -> str:
    """HTML of held-out clips with their most probable classes; wrong ones first.

    Args:
        bucket: where the clips are.
        recipe: whose they are.
        version: the data set version that the model was trained on.
        rows: what the judge kept of the model's answer to a clip, by clip.
        folder: not used: nothing is composed.
    """
    del recipe, folder
    listed = {clip.clip_id: clip for split in version.clips.values() for clip in split}
    names = sorted(rows, key=lambda name: (rows[name]["is_right"], name))[:_SHOWN]
    answers = [
        _Answer(
            clip=listed[name],
            video=bucket.read(listed[name].key),
            said=rows[name]["said"],
            is_right=rows[name]["is_right"],
        )
        for name in names
        if name in listed
    ]
    return render(_TEMPLATE, answers=answers) if answers else ""
