"""Losses over a training's steps as a chart of the page: as wide as it is, in its colours."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from launcher.pages.page import read_if_there
from s2s.storage import Bucket

__all__ = ["Chart", "Line", "Tick", "losses_chart", "read_losses"]

_SIDE = 1000
"""Of the square that lines are drawn in; the page stretches it."""
_MOST_TICKS = 5


@dataclass(frozen=True)
class Line:
    """Losses of one training on one kind of clips.

    Attributes:
        name: what is drawn.
        losses: steps, and the loss at each.
        colour: a number of the page's colours; lines of one name share one.
    """

    name: str
    losses: Sequence[tuple[float, float]]
    colour: int


@dataclass(frozen=True)
class Tick:
    """A number beside an axis.

    Attributes:
        at: how far along the axis, in percent.
        label: the number.
    """

    at: float
    label: str


@dataclass(frozen=True)
class Chart:
    """What a template draws.

    Attributes:
        names: of the lines, each with its colour.
        lines: points of each, as SVG writes them, and its colour.
        steps: numbers below, from the left.
        losses: numbers at the left, from the top.
    """

    names: Sequence[tuple[str, int]]
    lines: Sequence[tuple[str, int]]
    steps: Sequence[Tick]
    losses: Sequence[Tick]


def read_losses(bucket: Bucket, prefix: str) -> Chart | None:
    """The chart of a model's training; None where nothing was noted of it.

    Args:
        bucket: where the model is.
        prefix: of the model's directory.

    Raises:
        BucketUnavailableError: if the bucket does not answer.
    """
    data = read_if_there(bucket, prefix + "metrics.csv")
    rows = list(csv.DictReader(io.StringIO((data or b"").decode())))
    lines = [
        Line(name, [(int(row["step"]), float(row[key])) for row in rows if row.get(key)], colour)
        for colour, (name, key) in enumerate(
            [("training clips", "train_loss"), ("validation clips", "val_loss")]
        )
    ]
    return losses_chart(lines)


def losses_chart(lines: Sequence[Line]) -> Chart | None:
    """A chart of lines; None where there are no points.

    The losses' axis is logarithmic, as ratios tell how training goes on; linear, where a loss may
    be zero or less.
    """
    drawn = [
        (line, [(step, loss) for step, loss in line.losses if math.isfinite(loss)])
        for line in lines
    ]
    drawn = [(line, points) for line, points in drawn if points]
    losses = [loss for _, points in drawn for _, loss in points]
    if not losses:
        return None
    is_log = min(losses) > 0
    last = max(step for _, points in drawn for step, _ in points) or 1
    low, high = _range(min(losses), max(losses), is_log=is_log)

    def height(loss: float) -> float:
        here, least, most = (math.log(x) if is_log else x for x in (loss, low, high))
        return 1 - (here - least) / (most - least)

    return Chart(
        names=list(dict.fromkeys((line.name, line.colour) for line, _ in drawn)),
        lines=[
            (
                " ".join(
                    f"{_SIDE * step / last:.1f},{_SIDE * height(loss):.1f}"
                    # A line of one point is a dot.
                    for step, loss in (points * 2 if len(points) == 1 else points)
                ),
                line.colour,
            )
            for line, points in drawn
        ],
        steps=[Tick(100 * step / last, f"{step:,}") for step in _steps(last)],
        losses=[Tick(100 * height(loss), f"{loss:g}") for loss in _marks(low, high, is_log=is_log)],
    )


def _range(low: float, high: float, *, is_log: bool) -> tuple[float, float]:
    """A little more than the losses cover."""
    if is_log:
        margin = max((high / low) ** 0.05, 1.05)
        return low / margin, high * margin
    margin = 0.05 * (high - low) or 1.0
    return low - margin, high + margin


def _steps(last: float) -> list[int]:
    """Round numbers of steps, no more than a narrow screen has room for."""
    size = max(1, round(_round_size(last / (_MOST_TICKS - 1))))
    return list(range(0, math.floor(last) + 1, size))


def _marks(low: float, high: float, *, is_log: bool) -> list[float]:
    """Round numbers between two losses, from the highest."""
    if is_log:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for digits in ((1,), (1, 3), (1, 2, 5), range(1, 10)):
            found = [d * 10.0**power for power in powers for d in digits]
            found = [loss for loss in found if low <= loss <= high]
            if len(found) > 2:
                return [float(f"{loss:.3g}") for loss in reversed(found)]
    size = _round_size((high - low) / _MOST_TICKS)
    first, last = math.ceil(low / size), math.floor(high / size)
    return [float(f"{n * size:.6g}") for n in range(last, first - 1, -1)]


def _round_size(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not less."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(d * power for d in (1, 2, 5, 10) if d * power >= least * (1 - 1e-9))
