"""Pictures of mouth and face, for networks that want them.

Legend: T pictures, H height, W width, C channels, K points.
"""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from s2s.tasks.separation.extractors.followed import FaceTrack
from s2s.tasks.separation.extractors.lips import EYES, POINTS, running_median
from s2s.tasks.separation.extractors.mesh import Region, cut_out

__all__ = ["FACE_PX", "MOUTH_PX", "crops_of"]

MOUTH_PX, FACE_PX = 88, 112
_MOUTH_CORNERS = (61, 291)
_MOUTH_WIDTH, _FACE_MARGIN = 1.1, 1.4
"""Width of a mouth's picture in distances between the eyes; of a face's, in sides of its box."""
_SMOOTHING = 5


def crops_of(frames_THWC: np.ndarray, track: FaceTrack) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of a face, turned upright and smoothed by the median of five pictures.

    Args:
        frames_THWC: the video's pictures, uint8.
        track: the face.

    Returns:
        mouths in grey, uint8 (T, 88, 88), and faces, uint8 (T, 112, 112, 3); black where the face
        was not seen.
    """
    mouths = np.zeros((len(frames_THWC), MOUTH_PX, MOUTH_PX), np.uint8)
    faces = np.zeros((len(frames_THWC), FACE_PX, FACE_PX, 3), np.uint8)
    at = np.flatnonzero(track.seen_T)
    regions = zip(at, *_regions(track.points_TK3[at], track.boxes_T4[at]), strict=True)
    for n, mouth, face in regions:
        picture = Image.fromarray(frames_THWC[n])
        mouths[n] = np.asarray(cut_out(picture, mouth, MOUTH_PX).convert("L"))
        faces[n] = np.asarray(cut_out(picture, face, FACE_PX))
    return mouths, faces


def _regions(
    points_TK3: np.ndarray, boxes_T4: np.ndarray
) -> tuple[Sequence[Region], Sequence[Region]]:
    """Where mouth and face are in each picture."""

    def point(number: int) -> np.ndarray:
        return points_TK3[:, POINTS.index(number), :2]

    eyes_T2 = point(EYES[1]) - point(EYES[0])
    turn_T = np.arctan2(eyes_T2[:, 1], eyes_T2[:, 0])
    mouth_T2 = (point(_MOUTH_CORNERS[0]) + point(_MOUTH_CORNERS[1])) / 2
    apart_T = np.linalg.norm(eyes_T2, axis=1)
    middle_T2 = (boxes_T4[:, :2] + boxes_T4[:, 2:]) / 2
    side_T = (boxes_T4[:, 2:] - boxes_T4[:, :2]).max(axis=1)
    mouths = (*mouth_T2.T, _MOUTH_WIDTH * apart_T, turn_T)
    faces = (*middle_T2.T, _FACE_MARGIN * side_T, turn_T)
    return _squares(mouths), _squares(faces)


def _squares(courses: Sequence[np.ndarray]) -> list[Region]:
    smooth = [running_median(course_T, _SMOOTHING) for course_T in courses]
    return [
        Region(float(x), float(y), max(2.0, float(side)), math.remainder(float(turn), math.tau))
        for x, y, side, turn in zip(*smooth, strict=True)
    ]
