"""One face, as it is followed from picture to picture, and what is known of it in the end.

Legend: T pictures, K points, H height, W width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import Image

from s2s.tasks.separation.extractors.detector import overlap
from s2s.tasks.separation.extractors.lips import EYES, POINTS, lip_stream
from s2s.tasks.separation.extractors.mesh import Mesh, Region, cut_out, region_of_points

__all__ = ["FaceTrack", "Followed", "look_of", "similarity"]

PICTURE_PX = 192
_LOOK_PX, _LOOK_CELLS = 48, 8
_SMOOTHING = 5


@dataclass(frozen=True)
class FaceTrack:
    """One face of a video.

    Attributes:
        points_TK3: float32, points of the mesh (`s2s.tasks.separation.extractors.lips.POINTS`), in
            pixels; NaN where the face was not there. Short gaps are bridged.
        boxes_T4: float32, left, top, right, bottom in pixels, smoothed; NaN where it was not there.
        lips_TD: float16, see `lip_stream`.
        seen_T: bool, whether it was there.
        picture_HWC: uint8 (192, 192, 3), its best look.
    """

    points_TK3: np.ndarray
    boxes_T4: np.ndarray
    lips_TD: np.ndarray
    seen_T: np.ndarray
    picture_HWC: np.ndarray

    @property
    def place(self) -> tuple[float, float]:
        """The middle of its box where it mostly is, in pixels."""
        left, top, right, bottom = np.nanmedian(self.boxes_T4, axis=0)
        return float(left + right) / 2, float(top + bottom) / 2

    @property
    def side(self) -> float:
        """The longer side of its box as it mostly is, in pixels."""
        left, top, right, bottom = np.nanmedian(self.boxes_T4, axis=0)
        return float(max(right - left, bottom - top))


class Followed:
    """A face while it is followed.

    Args:
        mesh: its points where it was first found.
        at: number of that picture.
        picture: that picture.
    """

    def __init__(self, mesh: Mesh, at: int, picture: Image.Image) -> None:
        self.rows: dict[int, np.ndarray] = {}
        self.boxes: dict[int, tuple[float, float, float, float]] = {}
        self.looks: list[np.ndarray] = []
        self.shot = 0
        self._best, self.picture = 0.0, picture
        self.add(mesh, at)
        self.remember(picture)

    def add(self, mesh: Mesh, at: int) -> None:
        """It is in a picture."""
        self.mesh, self.last = mesh, at
        self.rows[at] = mesh.points_P3[list(POINTS)]
        self.boxes[at] = mesh.box

    @property
    def region(self) -> Region:
        """Where it is looked for next."""
        return region_of_points(self.mesh.points_P3)

    def remember(self, picture: Image.Image) -> None:
        """Keep how it looks, and the best picture of it: large, and from the front."""
        self.looks = [*self.looks[:1], look_of(picture, self.region)]
        left, right = self.mesh.points_P3[EYES[0]], self.mesh.points_P3[EYES[1]]
        frontal = float(np.linalg.norm(left[:2] - right[:2]))
        if frontal > 1.1 * self._best:
            self._best, self.picture = frontal, cut_out(picture, self.region, PICTURE_PX)

    def looks_like(self, look: np.ndarray) -> float:
        """How alike it is to how it looked first or last, -1..1."""
        return max(similarity(look, known) for known in self.looks)

    def track(self, cuts: Sequence[int], length: int, fps: float, most_gap: int) -> FaceTrack:
        """All there is to know of it.

        Args:
            cuts: first pictures of shots.
            length: T, pictures of the video.
            fps: pictures a second.
            most_gap: pictures; longer gaps, and those with a cut, are not bridged.
        """
        at = np.array(sorted(self.rows))
        points = np.stack([self.rows[n].reshape(-1) for n in at])
        boxes = np.array([self.boxes[n] for n in at], np.float32)
        filled = _bridged(np.hstack([points, boxes]), at, _shots(cuts, length), most_gap)
        points_TK3 = filled[:, :-4].reshape(length, len(POINTS), 3)
        seen_T = np.isfinite(filled[:, 0])
        picture = np.asarray(self.picture)
        return FaceTrack(
            points_TK3,
            _smoothed(filled[:, -4:], seen_T),
            lip_stream(points_TK3, fps),
            seen_T,
            picture,
        )


def look_of(picture: Image.Image, region: Region) -> np.ndarray:
    """How a face looks, float32: a small picture of it, of no mean and a length of one."""
    cut = np.asarray(cut_out(picture, region, _LOOK_PX), np.float32)
    step = _LOOK_PX // _LOOK_CELLS
    cells = cut.reshape(_LOOK_CELLS, step, _LOOK_CELLS, step, 3).mean(axis=(1, 3)).ravel()
    cells -= cells.mean()
    return cells / max(float(np.linalg.norm(cells)), 1e-6)


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """How alike two looks are, -1..1."""
    return float(one @ other)


def _shots(cuts: Sequence[int], length: int) -> np.ndarray:
    """Which shot each picture is of, int (T,)."""
    is_cut_T = np.zeros(length, int)
    is_cut_T[list(cuts)] = 1
    return np.cumsum(is_cut_T)


def _bridged(known: np.ndarray, at: np.ndarray, shot_T: np.ndarray, most_gap: int) -> np.ndarray:
    """Rows for all pictures: those between two that are near are interpolated, others NaN.

    The last four of a row are its box. Two rows are near if they are of one shot, or in one place:
    a flash, or a title, may have come between. What is missing at the beginning and at the end is
    taken to be as next to it, if it is short.
    """
    length = len(shot_T)
    filled = np.full((length, known.shape[1]), np.nan, np.float32)
    filled[at] = known
    for first, after in pairwise(at):
        is_near = shot_T[first] == shot_T[after] or overlap(filled[first, -4:], filled[after, -4:])
        if 1 < after - first <= most_gap + 1 and is_near:
            share = (np.arange(first + 1, after) - first)[:, None] / (after - first)
            filled[first + 1 : after] = (1 - share) * filled[first] + share * filled[after]
    if at[0] <= most_gap and shot_T[at[0]] == shot_T[0]:
        filled[: at[0]] = filled[at[0]]
    if length - 1 - at[-1] <= most_gap and shot_T[at[-1]] == shot_T[-1]:
        filled[at[-1] + 1 :] = filled[at[-1]]
    return filled


def _smoothed(boxes_T4: np.ndarray, seen_T: np.ndarray) -> np.ndarray:
    """The median of five pictures; a hole has no part in it."""
    around = _SMOOTHING // 2
    padded = np.pad(boxes_T4, ((around, around), (0, 0)), constant_values=np.nan)
    views = np.lib.stride_tricks.sliding_window_view(padded, _SMOOTHING, axis=0)
    smooth = np.full_like(boxes_T4, np.nan)
    smooth[seen_T] = np.nanmedian(views[seen_T], axis=2)
    return smooth
