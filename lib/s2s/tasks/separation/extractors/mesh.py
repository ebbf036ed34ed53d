"""The 468 points of a face, by MediaPipe's face mesh.

Kartynnik et al., Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs, 2019: the
face is cut out, turned so that the eyes are level (section 2), and in the next picture it is looked
for where its points were.

Legend: H height, W width, P points.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from s2s.tasks.separation.extractors.detector import Detection
from s2s.tasks.separation.extractors.package_files import LiteNetwork

__all__ = ["FaceMesh", "Mesh", "Region", "cut_out", "region_of_detection", "region_of_points"]

_MARGIN = 1.5
_LEAST_SCORE = 0.5
_PROFILE = 0.34
LEFT_EYE, RIGHT_EYE = 33, 263
"""Outer corners of the eye on the picture's left, and of the one on its right."""


@dataclass(frozen=True)
class Region:
    """A square of a picture, which may be turned.

    Attributes:
        x: its middle, in pixels.
        y: the same, downwards.
        side: in pixels.
        turn: of its upper edge, in radians clockwise.
    """

    x: float
    y: float
    side: float
    turn: float


@dataclass(frozen=True)
class Mesh:
    """A face's points.

    Attributes:
        points_P3: float32 (468, 3): x and y in pixels of the picture, and depth in the same unit,
            towards the camera negative.
        score: how sure it is that there is a face, 0..1.
    """

    points_P3: np.ndarray
    score: float

    @property
    def is_face(self) -> bool:
        """Whether there is a face whose lips can be read: none that is seen from the side."""
        return self.score >= _LEAST_SCORE and not self.is_profile

    @property
    def is_profile(self) -> bool:
        """Whether the line through the eyes points towards the camera, 70 degrees or more."""
        line = self.points_P3[RIGHT_EYE] - self.points_P3[LEFT_EYE]
        return bool(np.linalg.norm(line[:2]) < _PROFILE * np.linalg.norm(line))

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of its points, in pixels."""
        (left, top), (right, bottom) = self.points_P3[:, :2].min(0), self.points_P3[:, :2].max(0)
        return float(left), float(top), float(right), float(bottom)


class FaceMesh:
    """Finds the points of one face."""

    def __init__(self) -> None:
        self._network = LiteNetwork("face_landmark")

    def __call__(self, picture: Image.Image, region: Region) -> Mesh:
        """The points of the face in a region.

        Args:
            picture: RGB.
            region: where the face is, with a margin.
        """
        side = self._network.side_px
        cut = cut_out(picture, region, side)
        flat, logit = self._network(np.asarray(cut, np.float32) / 255)
        points_P3 = flat.reshape(-1, 3) * np.float32(region.side / side)
        x, y = points_P3[:, 0] - region.side / 2, points_P3[:, 1] - region.side / 2
        cos, sin = math.cos(region.turn), math.sin(region.turn)
        placed = np.stack(
            [region.x + cos * x - sin * y, region.y + sin * x + cos * y, points_P3[:, 2]], axis=1
        )
        return Mesh(placed.astype(np.float32), 1 / (1 + math.exp(-float(logit.ravel()[0]))))


def cut_out(picture: Image.Image, region: Region, side_px: int) -> Image.Image:
    """A region of a picture, turned upright: `side_px` squared."""
    scale = region.side / side_px
    cos, sin = scale * math.cos(region.turn), scale * math.sin(region.turn)
    half = side_px / 2
    matrix = (
        cos, -sin, region.x - cos * half + sin * half,
        sin, cos, region.y - sin * half - cos * half,
    )  # fmt: skip
    size = (side_px, side_px)
    return picture.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def region_of_detection(face: Detection) -> Region:
    """Where the mesh looks for a face that was detected."""
    return _region(face.box, *face.eyes)


def region_of_points(points_P3: np.ndarray) -> Region:
    """Where the mesh looks for a face whose points were found in the picture before."""
    (left, top), (right, bottom) = points_P3[:, :2].min(axis=0), points_P3[:, :2].max(axis=0)
    box = (float(left), float(top), float(right), float(bottom))
    return _region(box, points_P3[LEFT_EYE, :2].tolist(), points_P3[RIGHT_EYE, :2].tolist())


def _region(box: Sequence[float], left_eye: Sequence[float], right_eye: Sequence[float]) -> Region:
    turn = math.atan2(right_eye[1] - left_eye[1], right_eye[0] - left_eye[0])
    side = _MARGIN * max(box[2] - box[0], box[3] - box[1])
    return Region((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, side, turn)
