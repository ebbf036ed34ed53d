"""What approaches take for what, and the clips that tell them apart, with players."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2s.dataset import DatasetVersion
from s2s.storage import Bucket
from s2s.tasks.classification.page.confusion import matrix_of
from s2s.tasks.common.html import render

__all__ = ["show_comparison"]

_TEMPLATE = Path(__file__).with_name("comparison.html.jinja")
_SHOWN = 8


@dataclass(frozen=True)
class _Said:
    """What an approach says of a clip: of each seed's model, the class and whether it is right."""

    approach: str
    answers: Sequence[tuple[str, bool]]


@dataclass(frozen=True)
class _Clip:
    clip_id: str
    labels: Sequence[str]
    video: bytes
    said: Sequence[_Said]


def show_comparison(bucket: Bucket, version: DatasetVersion, content: Mapping[str, Any]) -> str:
    """HTML of every approach's confusion matrix over all seeds, and of clips that they differ in.

    Args:
        bucket: where the clips are.
        version: the data set version.
        content: what `comparison.json` says.
    """
    rows = content["clips"]
    matrices = {
        name: matrix_of(
            [(row["labels"], kept) for row in rows for kept in row["approaches"][name]],
            content["classes"],
        )
        for name in content["approaches"]
    }
    listed = {clip.clip_id: clip for split in version.clips.values() for clip in split}
    clips = [
        _Clip(row["clip_id"], row["labels"], bucket.read(listed[row["clip_id"]].key), _said(row))
        for row in _most_apart(rows)
        if row["clip_id"] in listed
    ]
    return render(_TEMPLATE, matrices=matrices, clips=clips)


def _most_apart(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Clips that some approaches get right with all seeds, and others with none, come first."""

    def apart(row: Mapping[str, Any]) -> float:
        shares = [
            sum(kept["is_right"] for kept in of_one) / len(of_one)
            for of_one in row["approaches"].values()
        ]
        return max(shares) - min(shares)

    return [row for row in sorted(rows, key=apart, reverse=True) if apart(row)][:_SHOWN]


def _said(row: Mapping[str, Any]) -> list[_Said]:
    return [
        _Said(name, [(next(iter(kept["said"])), kept["is_right"]) for kept in of_one])
        for name, of_one in row["approaches"].items()
    ]
