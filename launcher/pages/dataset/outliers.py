"""Clips that stand out: figures that their checks found, and which of them are unusual.

Fences are Tukey's (Exploratory Data Analysis, 1977): 1.5 times the distance between the quartiles
below the first or above the third.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict

from s2s.dataset import DatasetClip
from s2s.layout import checks_prefix, dataset_prefix
from s2s.settings import Recipe
from s2s.storage import Bucket

__all__ = ["KINDS", "CheckedFigures", "kinds_of", "most_extreme", "read_figures"]

_READS_AT_A_TIME = 16
_MOST_READS = 20_000
_FULL_SCALE_DBFS = -0.01
_CLIPPED_SHARE = 0.001
_HARDLY_MOVES = 16.0
_DARK = 40.0


class CheckedFigures(BaseModel):
    """What validation's check of a clip found that a manifest does not have.

    Attributes:
        motion: most that a pixel differs from its first value, 0..255.
        brightness: average of the brightest frame, 0..255.
        clipped_share: share of the samples at full scale.
    """

    model_config = ConfigDict(frozen=True)

    motion: float
    brightness: float
    clipped_share: float


class _Picture(BaseModel):
    motion: float
    brightness: float


class _Sound(BaseModel):
    clipped_share: float


class _Check(BaseModel):
    """The part of a check that is read here; what else it has does not matter."""

    key: str
    crc32c: str
    picture: _Picture
    sound: _Sound


Figures = Mapping[str, CheckedFigures]


@dataclass(frozen=True)
class Kind:
    """A way to stand out.

    Attributes:
        name: what a person calls it.
        about: the same in a sentence.
        figure: a clip's figure, the most unusual first when sorted; None where not measured.
        bound: figures up to here stand out, given all of them.
    """

    name: str
    about: str
    figure: Callable[[DatasetClip, CheckedFigures | None], float | None]
    bound: Callable[[np.ndarray], float]


def _low_fence(slack: float, at_least: float = -np.inf) -> Callable[[np.ndarray], float]:
    """Tukey's lower fence, below the quartile by `slack` or more; what is under `at_least` too."""

    def bound(values: np.ndarray) -> float:
        first, third = np.percentile(values, [25, 75])
        return max(float(first - max(1.5 * (third - first), slack)), at_least)

    return bound


KINDS = (
    Kind(
        "quiet",
        "softest on average",
        lambda clip, _: clip.mean_dbfs if clip.duration_s else None,
        _low_fence(slack=3.0),
    ),
    Kind(
        "full scale",
        "most samples at full scale",
        lambda clip, seen: (
            (-seen.clipped_share if seen else _at_full_scale(clip)) if clip.duration_s else None
        ),
        lambda _: -_CLIPPED_SHARE,
    ),
    Kind(
        "short",
        "shortest",
        lambda clip, _: clip.duration_s or None,
        _low_fence(slack=0.1),
    ),
    Kind(
        "long",
        "longest",
        lambda clip, _: -clip.duration_s if clip.duration_s else None,
        _low_fence(slack=0.1),
    ),
    Kind(
        "still",
        "least motion",
        lambda _, seen: seen.motion if seen else None,
        _low_fence(slack=8.0, at_least=_HARDLY_MOVES),
    ),
    Kind(
        "dark",
        "darkest",
        lambda _, seen: seen.brightness if seen else None,
        _low_fence(slack=8.0, at_least=_DARK),
    ),
    Kind(
        "few bytes",
        "fewest bytes of video a second",
        lambda clip, _: clip.size / clip.duration_s if clip.duration_s else None,
        _low_fence(slack=1000.0),
    ),
)


def read_figures(bucket: Bucket, recipe: Recipe, clips: Sequence[DatasetClip]) -> Figures:
    """Figures by clip id, of those clips of whose very files there is a check.

    It may be one for other limits than the recipe has now: what was found does not depend on them.
    Of very large versions the first 20,000 checks are read.
    """
    row_of = {clip.clip_id: clip for clip in clips}
    own, found = checks_prefix(recipe), {}
    for key in sorted(bucket.keys(f"{dataset_prefix(recipe)}checks-"), key=lambda key: own in key):
        name = key.rpartition("/")[2].removesuffix(".json")
        if name in row_of:
            found[name] = key

    def read(item: tuple[str, str]) -> tuple[str, CheckedFigures | None]:
        name, key = item
        check = _Check.model_validate_json(bucket.read(key))
        if (check.key, check.crc32c) != (row_of[name].key, row_of[name].crc32c):
            return name, None
        return name, CheckedFigures(
            motion=check.picture.motion,
            brightness=check.picture.brightness,
            clipped_share=check.sound.clipped_share,
        )

    with ThreadPoolExecutor(_READS_AT_A_TIME) as pool:
        read_ones = pool.map(read, list(found.items())[:_MOST_READS])
        return {name: figures for name, figures in read_ones if figures}


def kinds_of(clips: Sequence[DatasetClip], figures: Figures) -> dict[str, set[str]]:
    """Ids of the clips that stand out, by kind."""
    found: dict[str, set[str]] = {}
    for kind in KINDS:
        values = _values(kind, clips, figures)
        bound = kind.bound(np.array([*values.values()])) if values else 0.0
        found[kind.name] = {name for name, value in values.items() if value <= bound}
    return found


def most_extreme(
    clips: Sequence[DatasetClip], figures: Figures, number: int
) -> dict[str, list[str]]:
    """Ids of the most extreme clips, by kind, whether they stand out or not."""
    return {
        kind.name: sorted(values, key=lambda name: (values[name], name))[:number]
        for kind in KINDS
        if (values := _values(kind, clips, figures))
    }


def _values(kind: Kind, clips: Sequence[DatasetClip], figures: Figures) -> dict[str, float]:
    found = {clip.clip_id: kind.figure(clip, figures.get(clip.clip_id)) for clip in clips}
    return {name: value for name, value in found.items() if value is not None}


def _at_full_scale(clip: DatasetClip) -> float:
    """Where samples were not counted: those that have one at full scale before all others."""
    return -1.0 if clip.loudness_dbfs >= _FULL_SCALE_DBFS else 0.0
