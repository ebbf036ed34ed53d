"""Pictures of a talker: a head that moves a little, before a room that is out of focus.

Legend: H height and W width in pixels, C red-green-blue, P pixels.
"""

import numpy as np
from numpy.typing import NDArray

from sample.cocktail_party.face import BOTTOM, SCALE_PX, SIDE, TOP, Face, Pose
from sample.cocktail_party.mouth import MOUTH_Y, Lips

__all__ = ["FPS", "SIZE_PX", "Painter"]

FPS = 25
SIZE_PX = 144
_GRAIN = 2.0
_CHIN_Y = MOUTH_Y + 0.5
_TURN, _NOD = 0.22, 0.16
"""How far what is in the middle of a face moves when it turns or nods, in units."""

Plane = NDArray[np.float32]


class Painter:
    """Draws one talker: face, clothes and room from a seed."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._face = Face(rng)
        self._room_HWC = _room(rng)
        self._clothes = rng.uniform(25, 220, 3).astype(np.float32)
        self._grain_KHW1 = rng.normal(0, _GRAIN, (8, SIZE_PX, SIZE_PX, 1)).astype(np.float32)
        at = np.arange(SIZE_PX, dtype=np.float32) + 0.5
        self._x_HW, self._y_HW = np.meshgrid(at, at)

    def picture(self, number: int, pose: Pose, lips: Lips) -> NDArray[np.uint8]:
        """The picture of an instant, uint8 (H, W, C).

        Args:
            number: which picture it is of its film.
            pose: how the head is held.
            lips: where the lips are.
        """
        face_HWC = self._face.draw(lips, pose.lids)
        image_HWC = self._room_HWC.copy()
        u_HW, v_HW = self._places(pose)
        _lay(image_HWC, (face_HWC, self._face.cover_HW), *_unturned(u_HW, v_HW, pose, lips.drop))
        self._dress(image_HWC, u_HW, v_HW)
        image_HWC += self._grain_KHW1[number % len(self._grain_KHW1)]
        return np.clip(image_HWC, 0, 255).astype(np.uint8)

    def _places(self, pose: Pose) -> tuple[Plane, Plane]:
        """Where each pixel is on the face as it is held, in units."""
        right = (self._x_HW - np.float32(pose.x * SIZE_PX)) / np.float32(pose.unit_px)
        down = (self._y_HW - np.float32(pose.y * SIZE_PX)) / np.float32(pose.unit_px)
        cos, sin = np.float32(np.cos(pose.roll)), np.float32(np.sin(pose.roll))
        along, across = cos * right + sin * down, cos * down - sin * right
        return np.asarray(along, np.float32), np.asarray(across, np.float32)

    def _dress(self, image_HWC: Plane, u_HW: Plane, v_HW: Plane) -> None:
        """Shoulders, which are wider the lower they are."""
        outside = np.abs(u_HW) - 0.62 - 1.5 * np.sqrt(np.clip(v_HW - 1.3, 0, None))
        collar = v_HW - 1.42 - 0.2 * np.sqrt(np.clip(1 - (u_HW / 0.6) ** 2, 0, None))
        cover_HW = np.clip(0.5 - 20 * outside, 0, 1) * np.clip(0.5 + 20 * collar, 0, 1)
        fold_HW = 0.85 + 0.12 * np.sin(6 * u_HW + 2 * v_HW)
        image_HWC += cover_HW[..., None] * (self._clothes * fold_HW[..., None] - image_HWC)


def _unturned(u_HW: Plane, v_HW: Plane, pose: Pose, drop: float) -> tuple[Plane, Plane]:
    """Where each pixel is on the face as it is drawn: straight ahead, with its jaw shut."""
    jaw_HW = np.clip((v_HW - MOUTH_Y) / (_CHIN_Y - MOUTH_Y), 0, 1)
    v_HW = np.asarray(v_HW - np.float32(drop) * jaw_HW, np.float32)
    bulge_HW = np.clip(1 - u_HW**2 - (v_HW / 1.35) ** 2, 0, None)
    return (
        np.asarray(u_HW - np.float32(_TURN * pose.turn) * bulge_HW, np.float32),
        np.asarray(v_HW - np.float32(_NOD * pose.nod) * bulge_HW, np.float32),
    )


def _lay(image_HWC: Plane, face: tuple[Plane, Plane], x_HW: Plane, y_HW: Plane) -> None:
    """Lay a drawn face over the picture, each pixel between the four that it falls among."""
    face_HWC, cover_HW = face
    height, width = cover_HW.shape
    column_HW, row_HW = (x_HW + SIDE) * SCALE_PX, (y_HW - TOP) * SCALE_PX
    inside_HW = (np.abs(x_HW) < SIDE - 0.05) & (row_HW > 1) & (y_HW < BOTTOM - 0.05)
    column_P, row_P = column_HW[inside_HW], row_HW[inside_HW]
    left_P, top_P = column_P.astype(np.int32), row_P.astype(np.int32)
    right_P1, low_P1 = (column_P - left_P)[:, None], (row_P - top_P)[:, None]
    texels = np.concatenate([face_HWC, cover_HW[..., None]], axis=2).reshape(height * width, 4)
    at_P = top_P * width + left_P
    upper_PC = texels[at_P] + right_P1 * (texels[at_P + 1] - texels[at_P])
    lower_PC = texels[at_P + width]
    lower_PC = lower_PC + right_P1 * (texels[at_P + width + 1] - lower_PC)
    found_PC = upper_PC + low_P1 * (lower_PC - upper_PC)
    under_PC = image_HWC[inside_HW]
    image_HWC[inside_HW] = under_PC + found_PC[:, 3:] * (found_PC[:, :3] - under_PC)


def _room(rng: np.random.Generator) -> Plane:
    """Blurred patches of a few colours, darker than most faces or lighter."""
    image_HWC = np.empty((SIZE_PX, SIZE_PX, 3), np.float32)
    image_HWC[:] = rng.uniform(40, 190, 3)
    at = np.arange(SIZE_PX) / SIZE_PX
    for _ in range(int(rng.integers(4, 9))):
        (x, y), (wide, high) = rng.uniform(0, 1, 2), rng.uniform(0.08, 0.35, 2)
        soft = 0.04 * rng.uniform(0.5, 2)
        across = 1 / (1 + np.exp((np.abs(at - x) - wide) / soft))
        down = 1 / (1 + np.exp((np.abs(at - y) - high) / soft))
        cover_HW1 = (down[:, None] * across).astype(np.float32)[..., None] * np.float32(0.8)
        image_HWC += cover_HW1 * (rng.uniform(20, 230, 3).astype(np.float32) - image_HWC)
    return image_HWC
