"""Whether a picture is a still: nothing in it moves of its own.

What the makers of such videos add to a still is taken out first: film grain (averaged away), fades
(frames are compared but for brightness and contrast), a slow zoom or pan over it (Ken Burns;
registered as by Lucas and Kanade 1981, with one zoom and one shift for the whole), and a drawn
equaliser or wave form: a strip in which many columns change all the time, and nothing does
elsewhere. Limits were set on rendered stills of each kind and real clips, see
`benchmarks/dataset_alike.py`.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["is_still"]

_LEAST_FRAMES = 4
# Average brightness of a tile: below, grain and codec are to blame; what moves changes far more.
_NOISE, _MOVES = 14.0, 16.0
# Of a slow zoom or pan: what the registration leaves at most, and of all; tiles a step, share of a
# step that it may change by from one to the next.
_LEFT, _UNEXPLAINED, _FASTEST, _JERK = 18.0, 0.5, 3.0, 0.25
_FULL_CONTRAST = 25.0
_STATIC = 2.0
_STATIC_SHARE = 0.6
_STRIP_SHARE, _STRIP_SPAN, _BUSY_SHARE = 0.4, 0.4, 0.25
_HELD_SHARE, _ALWAYS_SHARE = 0.45, 0.6
_ITERATIONS = 4


def is_still(tiles_TYX: NDArray[np.float32]) -> bool:
    """Whether frames at equal steps of time, a quarter of a second or so, show one still.

    Args:
        tiles_TYX: average brightness of small tiles of each frame, bars trimmed, 0..255.
    """
    if len(tiles_TYX) < _LEAST_FRAMES:
        return bool(np.ptp(tiles_TYX, axis=0).max(initial=0) <= _STATIC)
    soft = _smooth(tiles_TYX)
    return _is_one_picture(soft) or _is_under_an_overlay(tiles_TYX) or _is_one_slow_move(soft)


def _smooth(tiles_TYX: NDArray[np.float32]) -> NDArray[np.float32]:
    """Averages of 3 by 3 tiles, which grain does not survive."""
    padded = np.pad(tiles_TYX, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    sums = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]
    return (sums / 9).astype(np.float32)


def _is_one_picture(soft_TYX: NDArray[np.float32]) -> bool:
    """Whether frames differ in brightness and contrast only."""
    # A frame in the middle: the first may be black before a fade.
    reference = soft_TYX[soft_TYX.std(axis=(1, 2)).argmax()]
    most = _NOISE * _contrast(soft_TYX)
    return all(np.abs(_faded(reference, frame) - frame).max() <= most for frame in soft_TYX)


def _contrast(soft_TYX: NDArray[np.float32]) -> float:
    """Less than 1 where so little is to be seen that what moves changes little, too."""
    return min(1.0, float(soft_TYX.std(axis=(1, 2)).max()) / _FULL_CONTRAST)


def _faded(reference_YX: NDArray[np.float32], frame_YX: NDArray[np.float32]) -> NDArray:
    """A picture with the brightness and the contrast of another."""
    centred = reference_YX - reference_YX.mean()
    contrast = float((centred * (frame_YX - frame_YX.mean())).sum() / max((centred**2).sum(), 1e-6))
    return centred * np.clip(contrast, 0, 2) + frame_YX.mean()


def _is_under_an_overlay(tiles_TYX: NDArray[np.float32]) -> bool:
    """Whether all that moves is a strip, along an edge of which everything changes all the time."""
    spread = np.ptp(tiles_TYX, axis=0)
    moves = spread > _MOVES
    if not moves.any() or (spread < _STATIC).mean() < _STATIC_SHARE:
        return False
    away = np.abs(tiles_TYX - np.median(tiles_TYX, axis=0))[:, moves]
    if (away <= _MOVES / 2).mean() < _HELD_SHARE:  # a train that passes; a bar goes up and down
        return False
    changes = np.abs(np.diff(tiles_TYX, axis=0)) > _MOVES / 2
    return _is_strip(moves, changes) or _is_strip(moves.T, changes.transpose(0, 2, 1))


def _is_strip(moves_YX: NDArray[np.bool_], changes_TYX: NDArray[np.bool_]) -> bool:
    """Whether what moves is low and wide, and at work from the first to the last, everywhere."""
    rows, columns = (np.flatnonzero(moves_YX.any(axis=axis)) for axis in (1, 0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    if height > _STRIP_SHARE * len(moves_YX) or width < _STRIP_SPAN * moves_YX.shape[1]:
        return False
    busy_TX = changes_TYX[:, :, columns[0] : columns[-1] + 1].any(axis=1)
    # What walks or drives by has left a column for good.
    always_X = np.all([part.any(axis=0) for part in np.array_split(busy_TX, 3)], axis=0)
    is_busy = np.percentile(busy_TX.mean(axis=1), 25) >= _BUSY_SHARE
    return bool(is_busy and always_X.mean() >= _ALWAYS_SHARE)


def _is_one_slow_move(soft_TYX: NDArray[np.float32]) -> bool:
    """Whether each frame is the one before it, a little shifted and zoomed, at a steady pace."""
    if (np.ptp(soft_TYX, axis=0) < _STATIC).mean() > 1 - _STATIC_SHARE:
        return False
    moves, left, most = [], [], _LEFT * _contrast(soft_TYX)
    for before, after in pairwise(soft_TYX):
        move, rest, unexplained = _register(before, after)
        if rest > most or np.abs(move).max() > _FASTEST:
            return False
        moves.append(move)
        left.append(unexplained)
    steps = np.array(moves)
    pace = np.median(steps, axis=0)
    size = float(np.abs(pace).max())
    # A camera in a hand, or what only looks like a move of the whole, does not keep its pace.
    is_steady = np.abs(steps - pace).mean() <= _JERK * size
    return size > 0 and bool(is_steady and np.median(left) <= _UNEXPLAINED)


def _register(
    before_YX: NDArray[np.float32], after_YX: NDArray[np.float32]
) -> tuple[NDArray[np.float64], float, float]:
    """The shift and zoom that makes one frame of another.

    Returns:
        shift along both axes and by zoom at the edge, in tiles; the largest difference left; and
        the share of the differences' energy that is left.
    """
    height, width = before_YX.shape
    y, x = np.mgrid[:height, :width].astype(np.float64)
    from_middle = y - (height - 1) / 2, x - (width - 1) / 2
    half = max(height, width) / 2
    move = np.zeros(3)
    warped = before_YX
    inside = np.s_[3:-3, 3:-3]
    for _ in range(_ITERATIONS):
        slope_y, slope_x = np.gradient(warped)
        zoom = (slope_y * from_middle[0] + slope_x * from_middle[1]) / half
        columns = [slope_y, slope_x, zoom, np.ones_like(y)]
        matrix = np.stack([column[inside].ravel() for column in columns], axis=1)
        rest = (after_YX - warped)[inside].ravel()
        found = np.linalg.lstsq(matrix, rest, rcond=None)[0]
        move += found[:3]
        at = [y + move[0] + move[2] * from_middle[0] / half]
        at.append(x + move[1] + move[2] * from_middle[1] / half)
        warped = _sample(before_YX, at[0], at[1]) + found[3]
    rest = (after_YX - warped)[inside]
    energy = float(((after_YX - before_YX)[inside] ** 2).sum())
    return move, float(np.abs(rest).max()), float((rest**2).sum()) / max(energy, 1e-6)


def _sample(image_YX: NDArray, y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray:
    """An image between its tiles, bilinear; beyond its edges it goes on as they are."""
    height, width = image_YX.shape
    y, x = np.clip(y, 0, height - 1.001), np.clip(x, 0, width - 1.001)
    top, left = y.astype(int), x.astype(int)
    down, right = y - top, x - left
    upper = image_YX[top, left] * (1 - right) + image_YX[top, left + 1] * right
    lower = image_YX[top + 1, left] * (1 - right) + image_YX[top + 1, left + 1] * right
    return upper * (1 - down) + lower * down
