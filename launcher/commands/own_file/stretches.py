"""A video labelled over time: stretches of which the same classes hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

__all__ = ["Stretch", "stretches_of"]

_HALF = 0.5


@dataclass(frozen=True)
class Stretch:
    """A part of a video with one label.

    Attributes:
        start_s: where it begins, in seconds.
        end_s: where it ends.
        label: a class that holds all through it.
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


def stretches_of(windows: Sequence[Mapping[str, Any]], *, several: bool = False) -> list[Stretch]:
    """Join windows that follow one another and have the same classes: the most probable one.

    Windows overlap: each stands for the time around its middle, as far as half-way to the middles
    of its neighbours.

    Args:
        windows: `start_s`, `end_s` and `classes`, the most probable first, in order of time.
        several: whether classes are independent: all that are above a half hold then, or the most
            probable one where none is.

    Returns:
        stretches without gaps or overlaps, from the first window's start to the last one's end;
        one for each class where several hold.
    """
    if not windows:
        return []
    middles = [(window["start_s"] + window["end_s"]) / 2 for window in windows]
    between = [(one + other) / 2 for one, other in pairwise(middles)]
    bounds = [windows[0]["start_s"], *between, windows[-1]["end_s"]]
    found, first = [], 0
    for _, group in groupby(windows, key=lambda window: sorted(_holding(window, several=several))):
        same = [_holding(window, several=several) for window in group]
        after = first + len(same)
        for label in same[0]:
            mean = sum(said[label] for said in same) / len(same)
            found.append(Stretch(bounds[first], bounds[after], label, mean))
        first = after
    return found


def _holding(window: Mapping[str, Any], *, several: bool) -> dict[str, float]:
    """The classes that hold in a window, with their probabilities."""
    said = {row["label"]: row["probability"] for row in window["classes"]}
    above = {label: chance for label, chance in said.items() if several and chance > _HALF}
    return above or dict(list(said.items())[:1])
