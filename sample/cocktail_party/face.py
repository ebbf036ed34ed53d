"""A talker's face: drawn with light and shade, so that detectors of real faces find it.

Places on a face are in units of half its width: the middle between the eyes is near (0, -0.15), the
mouth at y = 0.68, the chin at 1.2; x to the right and y down, as in pictures.

Legend: H height and W width in pixels, C red-green-blue.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sample.cocktail_party.mouth import Lips, paint_mouth

__all__ = ["BOTTOM", "SCALE_PX", "SIDE", "TOP", "Face", "Pose"]

SCALE_PX = 50
"""Pixels of a unit in the drawing of a face, before it is put into a picture."""
SIDE, TOP, BOTTOM = 1.3, -1.5, 1.7
"""How far a drawing reaches: to each side, up and down."""

_SKINS = ((236, 194, 168), (224, 178, 146), (205, 156, 122), (168, 116, 84), (130, 86, 62))
_HAIRS = ((42, 30, 24), (84, 56, 34), (150, 112, 62), (28, 26, 28), (120, 118, 120), (96, 44, 26))
_IRISES = ((74, 52, 36), (70, 96, 124), (84, 104, 70), (44, 32, 26))
_EDGE = 1.2 / SCALE_PX

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Pose:
    """How a face is held and what it does at an instant.

    Attributes:
        x: where its middle is, as a fraction of the picture's width.
        y: the same of its height.
        unit_px: half its width, in pixels of the picture.
        turn: to the side, -1..1; about 25 degrees at most.
        nod: up or down, -1..1.
        roll: to the shoulder, in radians.
        lids: how far the eyes are open, 0..1.
    """

    x: float
    y: float
    unit_px: float
    turn: float
    nod: float
    roll: float
    lids: float


class Face:
    """One face. All that does not move is drawn once, from its seed."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self.skin = _shade_of(rng, _SKINS)
        self._hair = _shade_of(rng, _HAIRS)
        self._iris = _shade_of(rng, _IRISES)
        self._eye_x = float(rng.uniform(0.40, 0.45))
        self._eye_y = float(rng.uniform(-0.2, -0.14))
        self._eye_size = float(rng.uniform(0.17, 0.2))
        self._nose = float(rng.uniform(0.85, 1.15))
        self._brow = float(rng.uniform(0.035, 0.06))
        self._lip = self.skin * np.array([0.86, 0.58, 0.58], np.float32)
        self._lip += rng.uniform(-8, 8, 3).astype(np.float32)
        self._light = np.array([rng.uniform(-0.5, 0.5), rng.uniform(-0.7, -0.25), 0.9])
        self.x_W, self.y_H1 = _grid()
        self._base_HWC, self.cover_HW = self._draw_head()
        self._open_HWC, self._shut_HWC = self._draw_eyes(1.0), self._draw_eyes(0.08)
        self._light_HW1 = self._shading()[..., None]

    def draw(self, lips: Lips, lids: float) -> Plane:
        """The face as it looks straight ahead.

        Args:
            lips: where its mouth is.
            lids: how far its eyes are open, 0..1.

        Returns:
            float32 (H, W, C) in 0..255; what is no head is of no account.
        """
        opened_HWC = np.float32(lids) * (self._open_HWC - self._shut_HWC)
        image_HWC = np.asarray(self._shut_HWC + opened_HWC, np.float32)
        paint_mouth(image_HWC, (self.x_W, self.y_H1), lips, self._lip, self._light_HW1)
        return image_HWC

    def _draw_head(self) -> tuple[Plane, Plane]:
        x, y = self.x_W, self.y_H1
        rng = self._rng
        colour_HWC = np.broadcast_to(self.skin, (len(y), len(x), 3)).copy()
        # Cheeks are redder, and skin is never quite even.
        for side in (-1, 1):
            blush = np.exp(-(((x - side * 0.52) / 0.25) ** 2) - ((y - 0.33) / 0.2) ** 2)
            colour_HWC += blush[..., None] * np.array([6, -10, -8], np.float32)
        colour_HWC += rng.normal(0, 1.6, (len(y), len(x), 1)).astype(np.float32)
        shaded_HWC = colour_HWC * self._shading()[..., None]
        head_HW = self._outline()
        hair_HW = self._hairline()
        strands = 1 + 0.07 * np.sin(23 * x + 4 * np.sin(3 * y) + 2 * x * y)
        strands = strands * (0.75 + 0.35 * np.clip(-y, 0, 1.4))
        hair_HWC = self._hair * strands[..., None].astype(np.float32)
        back_HW = _soft((x / 1.12) ** 2 + ((y + 0.2) / 1.24) ** 2 - 1)
        neck_HW = _soft(np.abs(x) - 0.5 - 0.05 * y) * _soft(0.4 - y)
        neck_HWC = self.skin * np.float32(0.62) * (1 - 0.3 * np.abs(x / 0.6))[None, :, None]
        image_HWC = hair_HWC * back_HW[..., None]
        _over(image_HWC, neck_HWC, neck_HW)
        _over(image_HWC, shaded_HWC, head_HW)
        _over(image_HWC, hair_HWC, hair_HW)
        cover_HW = np.maximum.reduce([head_HW, back_HW * _soft(y - 0.55), neck_HW])
        return image_HWC.astype(np.float32), cover_HW.astype(np.float32)

    def _outline(self) -> Plane:
        """Where the head is: an egg with a jaw."""
        width = np.where(self.y_H1 > 0.1, 1 - 0.27 * np.clip(self.y_H1 - 0.1, 0, 2) ** 1.7, 1.0)
        return _soft((self.x_W / np.maximum(width, 0.2)) ** 2 + (self.y_H1 / 1.3) ** 2 - 1)

    def _hairline(self) -> Plane:
        x, y = self.x_W, self.y_H1
        inside = _soft((x / 1.1) ** 2 + ((y + 0.12) / 1.3) ** 2 - 1)
        fringe = _soft(y + 0.86 - 0.45 * np.abs(x) ** 3 - 0.05 * np.sin(9 * x))
        temple = _soft(0.86 + 0.06 * y - np.abs(x)) * _soft(y - 0.1)
        return inside * np.maximum(fringe, temple)

    def _shading(self) -> Plane:
        """How light falls on it: (H, W), about 1."""
        x, y = self.x_W, self.y_H1
        bulge = np.sqrt(np.clip(1.12 - (x / 1.05) ** 2 - (y / 1.42) ** 2, 0.02, None))
        ridge = np.clip((y + 0.12) / 0.42, 0, 1) * np.clip((0.4 - y) / 0.1, 0, 1)
        nose = 0.24 * self._nose * ridge * np.exp(-((x / 0.13) ** 2))
        tip = 0.13 * np.exp(-(((x / 0.14) ** 2) + ((y - 0.3) / 0.1) ** 2))
        wings = sum(
            0.05 * np.exp(-(((x - s * 0.17) / 0.07) ** 2) - ((y - 0.33) / 0.07) ** 2)
            for s in (-1, 1)
        )
        sockets = sum(
            -0.1 * np.exp(-(((x - s * self._eye_x) / 0.24) ** 2) - ((y - self._eye_y) / 0.15) ** 2)
            for s in (-1, 1)
        )
        chin = 0.06 * np.exp(-((x / 0.22) ** 2) - ((y - 1.05) / 0.15) ** 2)
        height = bulge + nose + tip + wings + sockets + chin
        dy, dx = np.gradient(height, 1 / SCALE_PX)
        length = np.sqrt(dx**2 + dy**2 + 1)
        light = self._light / np.linalg.norm(self._light)
        lit = (-dx * light[0] - dy * light[1] + light[2]) / length
        return (0.5 + 0.6 * np.clip(lit, 0, None)).astype(np.float32)

    def _draw_eyes(self, lids: float) -> Plane:
        """The head with its eyes so far open."""
        image_HWC = self._base_HWC.copy()
        x, y = self.x_W, self.y_H1
        dark = np.array([38, 26, 24], np.float32)
        for side in (-1, 1):
            u, v = x - side * self._eye_x, y - self._eye_y
            size = self._eye_size
            lid = 1 - (u / size) ** 2
            upper, lower = -0.5 * size * lids * lid, 0.36 * size * max(lids, 0.3) * lid
            white_HW = _soft(np.maximum(upper - v, v - lower)) * _soft(np.abs(u) - size)
            _over(image_HWC, np.array([238, 234, 230], np.float32) * 0.92, white_HW)
            radius = np.hypot(u, v + 0.01)
            _over(image_HWC, self._iris, white_HW * _soft(radius - 0.4 * size))
            _over(image_HWC, dark, white_HW * _soft(radius - 0.19 * size))
            glint = np.hypot(u + 0.025, v + 0.035)
            _over(image_HWC, np.full(3, 250, np.float32), white_HW * _soft(glint - 0.018))
            lash = np.abs(v - upper) - 0.017 * (1 + 0.4 * lids)
            _over(image_HWC, dark, 0.9 * _soft(lash) * _soft(np.abs(u) - size))
            crease = np.abs(v - (upper - 0.055)) - 0.008
            _over(image_HWC, self.skin * 0.6, 0.6 * _soft(crease) * _soft(np.abs(u) - size))
            rim = np.abs(v - lower) - 0.006
            _over(image_HWC, self.skin * 0.6, 0.6 * _soft(rim) * _soft(np.abs(u) - size))
            self._draw_brow(image_HWC, side)
        self._draw_nostrils(image_HWC)
        return image_HWC

    def _draw_brow(self, image_HWC: Plane, side: int) -> None:
        u = (self.x_W - side * self._eye_x) * side
        arch = self._eye_y - 0.23 - 0.07 * (1 - ((u - 0.05) / 0.3) ** 2)
        thick = self._brow * np.clip(1 - (u + 0.02) / 0.5, 0.3, 1)
        brow_HW = _soft(np.abs(self.y_H1 - arch) - thick) * _soft(np.abs(u - 0.02) - 0.27)
        _over(image_HWC, self._hair * np.float32(0.8), 0.85 * brow_HW)

    def _draw_nostrils(self, image_HWC: Plane) -> None:
        for side in (-1, 1):
            u, v = self.x_W - side * 0.09, self.y_H1 - 0.385
            hole = (u / 0.055) ** 2 + (v / 0.026) ** 2 - 1
            _over(image_HWC, self.skin * np.float32(0.3), 0.8 * _soft(0.03 * hole))
        under = np.exp(-((self.x_W / 0.22) ** 2) - ((self.y_H1 - 0.44) / 0.04) ** 2)
        _over(image_HWC, self.skin * np.float32(0.55), 0.4 * under)
        groove = np.exp(-((self.x_W / 0.035) ** 2) - ((self.y_H1 - 0.52) / 0.06) ** 2)
        _over(image_HWC, self.skin * np.float32(0.7), 0.3 * groove)


def _grid() -> tuple[Plane, Plane]:
    x_W = np.arange(-SIDE, SIDE, 1 / SCALE_PX, dtype=np.float32)
    y_H1 = np.arange(TOP, BOTTOM, 1 / SCALE_PX, dtype=np.float32)[:, None]
    return x_W, y_H1


def _soft(outside: NDArray[np.floating]) -> Plane:
    """How much a pixel is inside, 0..1, of a distance in units that is negative inside."""
    return np.clip(0.5 - np.asarray(outside) / _EDGE, 0, 1).astype(np.float32)


def _over(image_HWC: Plane, colour: NDArray[np.floating], cover_HW: NDArray[np.floating]) -> None:
    image_HWC += cover_HW[..., None] * (np.asarray(colour, np.float32) - image_HWC)


def _shade_of(rng: np.random.Generator, colours: tuple[tuple[int, int, int], ...]) -> Plane:
    colour = np.array(colours[rng.integers(len(colours))], np.float32)
    return np.clip(colour + rng.normal(0, 5, 3), 10, 250).astype(np.float32)
