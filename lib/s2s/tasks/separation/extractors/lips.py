"""What lips and jaw do, as a few numbers for each picture.

Distances between points of the mesh are taken in space, so that a head that turns or nods changes
little, and in tenths of the distance between the outer corners of the eyes, so that neither the
size of the face nor of the picture counts.

Legend: T pictures, K points, D values.
"""

import numpy as np

__all__ = [
    "EYES",
    "HARDLY",
    "LIPS",
    "LIP_NAMES",
    "POINTS",
    "STILL",
    "lip_movement",
    "lip_state",
    "lip_stream",
    "running_median",
]

_PAIRS = {
    "opening": ((13, 14), (82, 87), (312, 317)),
    "height": ((0, 17),),
    "inner_width": ((78, 308),),
    "width": ((61, 291),),
    "jaw": ((2, 152),),
    "upper_lip": ((2, 13),),
    "lower_lip": ((14, 17),),
}
"""Distances between points of MediaPipe's face mesh, each the mean over some pairs: between the
lips, over both lips, between the inner and between the outer corners of the mouth, from the nose to
the chin, from the nose to the upper lip, and how thick the lower lip is."""
LIP_NAMES = (*_PAIRS, *(f"{name}_speed" for name in _PAIRS))
LIPS = len(LIP_NAMES)
"""Values at an instant: distances, and their speeds."""
EYES = (33, 263)
"""Outer corners of the eyes."""
POINTS = tuple(
    sorted({*EYES, 10, 234, 454, *(k for p in _PAIRS.values() for pair in p for k in pair)})
)
"""What is kept of the mesh: what is measured, and the outline of the face."""
_PLACE = {point: place for place, point in enumerate(POINTS)}
_TENTHS = 10.0
STILL = 0.065
"""Lips that move less (see `lip_movement`) say nothing: those of a photograph, for one."""
HARDLY = 0.04
"""Lips that move between this and `STILL` may be a talker's, seen in a video of a low bit rate."""
_HEAD_S, _LIP_PICTURES = 0.4, 3
_MOST = 30.0
_SPOKEN_S = 2.0


def lip_stream(points_TK3: np.ndarray, fps: float) -> np.ndarray:
    """The lip stream of a face.

    Lips are smoothed by the median of three pictures, the distance between the eyes by that of
    0.4 s. All distances but the opening are what they differ from their median, so that it does
    not count whose face it is.

    Args:
        points_TK3: float (T, K, 3), the points in `POINTS`, in pixels; NaN where there is no face.
        fps: pictures a second.

    Returns:
        float16 (T, D), in the order of `LIP_NAMES`: tenths of the distance between the eyes, and
        distances between the eyes a second; zero where there is no face.
    """
    seen_T = np.asarray(np.isfinite(points_TK3).all(axis=(1, 2)))
    lips_TD = np.zeros((len(points_TK3), LIPS), np.float32)
    if not seen_T.any():
        return lips_TD.astype(np.float16)
    head = 2 * round(_HEAD_S * fps / 2) + 1
    for first, stop in _runs(seen_T):
        part_TK3 = points_TK3[first:stop]
        eyes_T = running_median(_length(part_TK3, *EYES), head)
        for column, pairs in enumerate(_PAIRS.values()):
            lengths_T = np.mean([_length(part_TK3, *pair) for pair in pairs], axis=0)
            share_T = lengths_T / np.maximum(eyes_T, 1e-3)
            lips_TD[first:stop, column] = running_median(share_T, _LIP_PICTURES)
    n = len(_PAIRS)
    lips_TD[seen_T, 1:n] -= np.median(lips_TD[seen_T, 1:n], axis=0)
    for first, stop in _runs(seen_T):
        if stop - first > 1:
            lips_TD[first:stop, n:] = np.gradient(lips_TD[first:stop, :n], axis=0) * fps
    lips_TD[:, :n] *= _TENTHS
    return np.clip(lips_TD, -_MOST, _MOST).astype(np.float16)


def lip_movement(lips_TD: np.ndarray, seen_T: np.ndarray, fps: float) -> float:
    """How much a face's lips move as they do in speech: in tenths of the distance between its eyes.

    It is the standard deviation of the opening, of what is slower than 0.2 s and faster than a
    second, in the two seconds where it is largest. Six talkers of GRID had 0.08 and more; still
    pictures of them that a hand moves before the camera, 0.05 at most.
    """
    opening_T = lips_TD[seen_T, 0].astype(np.float32)
    if not len(opening_T):
        return 0.0
    band_T = _mean_of(opening_T, round(0.2 * fps)) - _mean_of(opening_T, round(fps))
    window = min(len(band_T), round(_SPOKEN_S * fps))
    starts = range(0, len(band_T) - window + 1, max(1, window // 2))
    return max(float(band_T[start : start + window].std()) for start in starts)


def lip_state(lips_TD: np.ndarray, seen_T: np.ndarray, fps: float) -> str:
    """Whether a face's lips are `moving`, `hardly moving` or `still`.

    Of less than a second nobody can tell: such lips are taken to move.
    """
    movement = lip_movement(lips_TD, seen_T, fps)
    if movement >= STILL or seen_T.sum() < fps:
        return "moving"
    return "hardly moving" if movement >= HARDLY else "still"


def running_median(values_T: np.ndarray, width: int) -> np.ndarray:
    """The median of so many values around each, an odd number; the ends are repeated."""
    padded = np.pad(values_T, width // 2, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)


def _mean_of(values_T: np.ndarray, width: int) -> np.ndarray:
    width = max(1, width) | 1
    padded = np.pad(values_T, width // 2, mode="edge")
    return np.convolve(padded, np.full(width, 1 / width), "valid")


def _length(points_TK3: np.ndarray, one: int, other: int) -> np.ndarray:
    return np.linalg.norm(points_TK3[:, _PLACE[one]] - points_TK3[:, _PLACE[other]], axis=1)


def _runs(seen_T: np.ndarray) -> list[tuple[int, int]]:
    """First and last but one of each run of pictures with a face."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], seen_T, [False]]).astype(np.int8)))
    return [(int(first), int(stop)) for first, stop in zip(edges[::2], edges[1::2], strict=True)]
