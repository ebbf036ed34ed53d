"""Where faces are in a picture, by BlazeFace.

Bazarevsky et al., BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs, 2019: anchors
(section 3.2), boxes that overlap are averaged instead of suppressed (section 3.4). The two networks
are MediaPipe's, the short range (faces within 2 m of a camera) and the full range (5 m).

Legend: H height, W width, A anchors, F faces, K points.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from s2s.tasks.separation.extractors.package_files import LiteNetwork

__all__ = ["Detection", "FaceDetector", "overlap"]

_LEAST_SCORE, _SAME_FACE = 0.5, 0.3
_KEYPOINTS = 6
_MOST_LOGIT = 50.0


@dataclass(frozen=True)
class Detection:
    """A face in a picture.

    Attributes:
        box: left, top, right, bottom, in pixels of the picture.
        eyes: x and y of the eye on the picture's left, and of the one on its right.
        score: how sure it is, 0..1.
    """

    box: tuple[float, float, float, float]
    eyes: tuple[tuple[float, float], tuple[float, float]]
    score: float


class FaceDetector:
    """Finds faces of every size.

    The short range finds near faces, drawn ones too; the full range finds small ones. A wide or a
    high picture is looked at in its squares besides, where faces are larger.
    """

    def __init__(self) -> None:
        self._short = _Range("face_detection_short_range", _anchors(128, (8, 16, 16, 16)))
        self._full = _Range("face_detection_full_range", _anchors(192, (4,), each=1))

    def __call__(self, picture_HWC: np.ndarray) -> Sequence[Detection]:
        """Faces of a picture, uint8 (H, W, 3), the surest first."""
        height, width = picture_HWC.shape[:2]
        found = [*self._short.find(picture_HWC), *self._full.find(picture_HWC)]
        side = min(height, width)
        if max(height, width) > 1.25 * side:
            for left, top in {(0, 0), (width - side, height - side)}:
                square = picture_HWC[top : top + side, left : left + side]
                found += [_moved(one, left, top) for one in self._short.find(square)]
        return _merged(found)


class _Range:
    """One of BlazeFace's networks.

    Args:
        name: its file.
        anchors_A2: the middle of each anchor, as fractions of the picture.
    """

    def __init__(self, name: str, anchors_A2: np.ndarray) -> None:
        self._network = LiteNetwork(name)
        self._anchors_A2 = anchors_A2

    def find(self, picture_HWC: np.ndarray) -> list[Detection]:
        """Faces of a picture; one face may be found many times."""
        side, (height, width) = self._network.side_px, picture_HWC.shape[:2]
        scale = side / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = Image.fromarray(picture_HWC).resize(size, Image.Resampling.BILINEAR, reducing_gap=2)
        padded = np.zeros((side, side, 3), np.float32)
        padded[: size[1], : size[0]] = np.asarray(small, np.float32) / 127.5 - 1
        places_A16, logits_A1 = self._network(padded)
        scores_A = 1 / (1 + np.exp(-np.clip(logits_A1[:, 0], -_MOST_LOGIT, _MOST_LOGIT)))
        kept = scores_A >= _LEAST_SCORE
        centres_F2 = self._anchors_A2[kept] * side
        places_F16, scale_xy = places_A16[kept], np.array([width / size[0], height / size[1]])
        points_FK2 = places_F16.reshape(len(places_F16), 2 + _KEYPOINTS, 2)
        # Sizes stand at the second place, and are no points.
        sizes_F2 = points_FK2[:, 1] * scale_xy
        points_FK2 = (points_FK2 + centres_F2[:, None]) * scale_xy
        corners_F4 = np.hstack([points_FK2[:, 0] - sizes_F2 / 2, points_FK2[:, 0] + sizes_F2 / 2])
        return [
            Detection(
                (float(box[0]), float(box[1]), float(box[2]), float(box[3])),
                (
                    (float(points[2, 0]), float(points[2, 1])),
                    (float(points[3, 0]), float(points[3, 1])),
                ),
                float(score),
            )
            for box, points, score in zip(corners_F4, points_FK2, scores_A[kept], strict=True)
        ]


def overlap(one: Sequence[float] | np.ndarray, other: Sequence[float] | np.ndarray) -> float:
    """Intersection over union of two boxes (left, top, right, bottom)."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return wide * high / (sum(areas) - wide * high)


def _anchors(side_px: int, strides: Sequence[int], each: int = 2) -> np.ndarray:
    """Middles of anchors, (A, 2) fractions: `each` at every place of every layer.

    Layers of one stride share their places: those of the first of them come with all their anchors.
    """
    parts = []
    for stride in sorted(set(strides)):
        cells = side_px // stride
        middles = (np.arange(cells) + 0.5) / cells
        y_CC, x_CC = np.meshgrid(middles, middles, indexing="ij")
        places_C2 = np.stack([x_CC.ravel(), y_CC.ravel()], axis=1)
        parts.append(np.repeat(places_C2, each * list(strides).count(stride), axis=0))
    return np.concatenate(parts).astype(np.float32)


def _moved(one: Detection, left: float, top: float) -> Detection:
    box, eyes = one.box, one.eyes
    return Detection(
        (box[0] + left, box[1] + top, box[2] + left, box[3] + top),
        ((eyes[0][0] + left, eyes[0][1] + top), (eyes[1][0] + left, eyes[1][1] + top)),
        one.score,
    )


def _merged(found: Sequence[Detection]) -> list[Detection]:
    """Detections of one face as one: the mean, weighted by how sure each is."""
    left, faces = sorted(found, key=lambda one: -one.score), []
    while left:
        best = left[0]
        same = [one for one in left if overlap(best.box, one.box) > _SAME_FACE]
        left = [one for one in left if one not in same]
        weights = np.array([one.score for one in same])
        box = np.average([one.box for one in same], axis=0, weights=weights)
        eyes = np.average([one.eyes for one in same], axis=0, weights=weights)
        faces.append(
            Detection(
                (float(box[0]), float(box[1]), float(box[2]), float(box[3])),
                (
                    (float(eyes[0, 0]), float(eyes[0, 1])),
                    (float(eyes[1, 0]), float(eyes[1, 1])),
                ),
                best.score,
            )
        )
    return faces
