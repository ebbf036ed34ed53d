"""A video labelled over time: stretches of which one class is the most probable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

__all__ = ["Stretch", "stretches_of"]


@dataclass(frozen=True)
class Stretch:
    """A part of a video with one label.

    Attributes:
        start_s: where it begins, in seconds.
        end_s: where it ends.
        label: the most probable class all through it.
        probability: its mean over the windows of the stretch.
    """

    start_s: float
    end_s: float
    label: str
    probability: float

    def to_json(self) -> dict[str, Any]:
        """Rounded as the other numbers of an answer are."""
        return {
            "start_s": round(self.start_s, 3),
            "end_s": round(self.end_s, 3),
            "label": self.label,
            "probability": round(self.probability, 5),
        }


def stretches_of(windows: Sequence[Mapping[str, Any]]) -> list[Stretch]:
    """Join windows that follow one another and have the same most probable class.

    Windows overlap: each stands for the time around its middle, as far as half-way to the middles
    of its neighbours.

    Args:
        windows: `start_s`, `end_s` and `classes`, the most probable first, in order of time.

    Returns:
        stretches without gaps or overlaps, from the first window's start to the last one's end.
    """
    if not windows:
        return []
    middles = [(window["start_s"] + window["end_s"]) / 2 for window in windows]
    between = [(one + other) / 2 for one, other in pairwise(middles)]
    bounds = [windows[0]["start_s"], *between, windows[-1]["end_s"]]
    found, first = [], 0
    for label, group in groupby(window["classes"][0]["label"] for window in windows):
        after = first + len(list(group))
        said = [window["classes"][0]["probability"] for window in windows[first:after]]
        found.append(Stretch(bounds[first], bounds[after], label, sum(said) / len(said)))
        first = after
    return found
