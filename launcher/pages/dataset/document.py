"""What the page's script reads: clips in columns, pairs, clips that were lost, pictures.

Columns, not objects, and numbers as short as they are precise: ten thousand clips are 1 MB.
"""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from launcher.pages.dataset.outliers import KINDS, CheckedFigures
from launcher.pages.dataset.shown import Shown
from s2s.dataset import SPLITS, DatasetClip

__all__ = ["add_pictures", "build_document", "script_json"]


def build_document(shown: Shown) -> dict[str, Any]:
    """Everything that the script reads, but for pictures and players."""
    labels = sorted({label for clip in shown.clips for label in clip.labels})
    number_of = {label: number for number, label in enumerate(labels)}
    place_of = {clip.clip_id: place for place, clip in enumerate(shown.clips)}
    return {
        "splits": SPLITS,
        "labels": labels,
        "kinds": [[kind.name, kind.about] for kind in KINDS],
        "bucket": shown.bucket,
        "clips": _columns(shown, number_of),
        "pairs": _pairs(shown, place_of),
        "extremes": [
            [place_of[name] for name in shown.extremes.get(kind.name, ()) if name in place_of]
            for kind in KINDS
        ],
        "examples": [
            place_of[example.clip.clip_id]
            for example in shown.examples
            if example.clip.clip_id in place_of
        ],
        "lost": [
            [
                clip.clip_id,
                clip.stage,
                clip.reason,
                clip.message,
                list(clip.labels),
                clip.key,
                round(clip.start_s, 2),
                clip.source_path,
            ]
            for clip in shown.lost
        ],
    }


def add_pictures(document: dict[str, Any], shown: Shown) -> None:
    """Put pictures and players into a document."""
    document["thumbnails"] = {name: _text(data) for name, data in shown.thumbnails.items()}
    document["strips"] = {
        example.clip.clip_id: [_text(example.strip), _text(example.spectrogram)]
        for example in shown.examples
    }
    document["players"] = {name: _text(data) for name, data in shown.players.items()}


def script_json(document: object) -> Markup:
    """JSON that can stand in a script element: nothing in it can end the element."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028"))  # noqa: S704 - escaped


def _pairs(shown: Shown, place_of: Mapping[str, int]) -> list[list[Any]]:
    """A row for each pair; clips that were lost have places behind the others."""
    lost = {clip.clip_id: n for n, clip in enumerate(shown.lost, start=len(shown.clips))}
    return [
        [
            place_of.get(pair.first, -1),
            place_of.get(pair.second, lost.get(pair.second, -1)),
            int(pair.reason == "duplicate"),
            pair.picture_bits,
            pair.sound_bits,
            int(pair.around_a_moment),
        ]
        for pair in shown.pairs
    ]


def _columns(shown: Shown, number_of: Mapping[str, int]) -> dict[str, list]:
    clips, figures = shown.clips, shown.figures
    sizes = sorted({(clip.width, clip.height) for clip in clips})
    folders = sorted({_folder(clip) for clip in clips})
    kinds = list(shown.kinds.values())

    def checked(figure: Callable[[CheckedFigures], float], digits: int) -> list[float | None]:
        return [
            round(figure(figures[clip.clip_id]), digits) if clip.clip_id in figures else None
            for clip in clips
        ]

    def measured(values: Callable[[DatasetClip], float], digits: int) -> list[float | None]:
        return [round(values(clip), digits) if clip.duration_s else None for clip in clips]

    return {
        "id": [clip.clip_id for clip in clips],
        "split": [SPLITS.index(clip.split) for clip in clips],
        "fold": [clip.fold for clip in clips] if any(c.fold is not None for c in clips) else [],
        "labels": [[number_of[label] for label in clip.labels] for clip in clips],
        "length": measured(lambda clip: clip.duration_s, 2),
        "peak": measured(lambda clip: clip.loudness_dbfs, 1),
        "mean": measured(lambda clip: clip.mean_dbfs, 1),
        "kb": [round((clip.size + clip.wav_size) / 1e3) for clip in clips],
        "fps": [round(clip.fps, 2) for clip in clips],
        "sizes": [list(size) for size in sizes],
        "size": [sizes.index((clip.width, clip.height)) for clip in clips],
        "motion": checked(lambda found: found.motion, 0),
        "brightness": checked(lambda found: found.brightness, 0),
        "clipped": checked(lambda found: 100 * found.clipped_share, 2),
        "kinds": [
            sum(1 << bit for bit, names in enumerate(kinds) if clip.clip_id in names)
            for clip in clips
        ],
        "path": [c.source_path for c in clips] if any(c.source_path for c in clips) else [],
        "folders": folders,
        "folder": [folders.index(_folder(clip)) for clip in clips],
    }


def _folder(clip: DatasetClip) -> str:
    """Where a clip's mp4 is; its whole key where it is not called after the clip."""
    end = f"{clip.clip_id}.mp4"
    return clip.key.removesuffix(end) if clip.key.endswith("/" + end) else clip.key


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
