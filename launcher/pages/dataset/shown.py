"""What a page shows of a version, and how much of it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from launcher.pages.dataset.alike import ClosePair
from launcher.pages.dataset.examples import Example
from launcher.pages.dataset.lost import LostClip
from launcher.pages.dataset.outliers import CheckedFigures, kinds_of, most_extreme
from s2s.dataset import DatasetClip

__all__ = ["PageLimits", "Shown", "choose_shown"]


@dataclass(frozen=True)
class PageLimits:
    """How much a page holds.

    Attributes:
        thumbnails: clips with a small picture.
        page_bytes: players are put in as long as the page stays below; 4/3 of a video's bytes each.
        clips: rows; of more an even choice is shown, those that stand out first.
        pairs: pairs of clips that are alike, the closest first.
        lost: clips that are not in the version.
        extremes: clips of each kind of outlier.
        labels: rows of the label table.
    """

    thumbnails: int = 160
    page_bytes: int = 4_700_000
    clips: int = 20_000
    pairs: int = 2_000
    lost: int = 1_000
    extremes: int = 8
    labels: int = 400


@dataclass
class Shown:
    """What the page shows.

    Attributes:
        clips: rows, in the order of splits.
        figures: what checks found, by clip id.
        kinds: ids of the clips that stand out, by kind.
        extremes: ids of the most extreme, by kind.
        pairs: clips that are alike.
        lost: clips that are not in the version.
        examples: clips with strips and spectrograms.
        thumbnails: JPEGs by clip id.
        players: videos by clip id.
        bucket: where the page finds the bucket's files: a relative path, or a console's address.
    """

    clips: Sequence[DatasetClip]
    figures: Mapping[str, CheckedFigures]
    kinds: Mapping[str, set[str]]
    extremes: Mapping[str, list[str]]
    pairs: Sequence[ClosePair]
    lost: Sequence[LostClip] = ()
    examples: Sequence[Example] = ()
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)
    players: Mapping[str, bytes] = field(default_factory=dict)
    bucket: str = ""


def choose_shown(
    clips: Sequence[DatasetClip],
    figures: Mapping[str, CheckedFigures],
    pairs: Sequence[ClosePair],
    limits: PageLimits,
) -> Shown:
    """Choose what a page shows.

    Of more clips than fit, those that stand out or are alike are shown, and an even choice of the
    others.

    Args:
        clips: all of the version.
        figures: what checks found of them.
        pairs: clips that are alike, the closest first.
        limits: how much is shown.
    """
    kinds = kinds_of(clips, figures)
    held = pairs[: limits.pairs]
    wanted = {name for pair in held for name in (pair.first, pair.second)}.union(*kinds.values())
    chosen = clips if len(clips) <= limits.clips else _even(clips, wanted, limits.clips)
    return Shown(chosen, figures, kinds, most_extreme(chosen, figures, limits.extremes), held)


def _even(clips: Sequence[DatasetClip], wanted: set[str], most: int) -> list[DatasetClip]:
    ranked = sorted(
        clips,
        key=lambda clip: (
            clip.clip_id not in wanted,
            hashlib.sha256(clip.clip_id.encode()).hexdigest(),
        ),
    )
    chosen = {clip.clip_id for clip in ranked[:most]}
    return [clip for clip in clips if clip.clip_id in chosen]
