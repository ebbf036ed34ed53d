"""The mouth of a drawn face: lips, teeth, tongue and the dark between them.

Legend: H height and W width in pixels, C red-green-blue.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOUTH_Y", "Lips", "paint_mouth"]

MOUTH_Y = 0.66
"""Where the lips meet when they are shut, in units of half a face's width."""
_REACH = (0.62, 0.28, 0.62)
"""How far from there a mouth can reach: to each side, up, down."""
_HALF_WIDTH, _SPREAD = 0.36, 0.1
_UPPER, _LOWER = 0.085, 0.11
_OPENING = 0.34
_EDGE = 0.024
_DARK = np.array([42, 14, 16], np.float32)
_TEETH = np.array([226, 220, 208], np.float32)
_TONGUE = np.array([150, 70, 72], np.float32)

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Lips:
    """Where the lips are at an instant.

    Attributes:
        opening: between them, 0 (shut) to 1 (as far as in speech).
        spread: of their corners: -1 rounded, 0 at rest, 1 wide.
        press: how much shut lips are drawn in, 0..1, as for p, b and m.
    """

    opening: float
    spread: float
    press: float = 0.0

    @property
    def drop(self) -> float:
        """How far the jaw is lower than at rest, in units of half a face's width."""
        return 0.6 * _OPENING * self.opening


def paint_mouth(
    image_HWC: Plane,
    grid: tuple[Plane, Plane],
    lips: Lips,
    colour: NDArray[np.float32],
    light_HW1: Plane,
) -> None:
    """Paint a mouth onto a face that looks straight ahead.

    Args:
        image_HWC: the face.
        grid: x (W,) and y (H, 1) of its pixels, in units of half its width.
        lips: where the lips are.
        colour: of the lips.
        light_HW1: how light falls on the face, about 1.
    """
    part, x, y = _window(grid)
    half = _HALF_WIDTH + _SPREAD * lips.spread
    gap = _OPENING * lips.opening
    arc = np.clip(1 - (x / half) ** 2, 0, None)
    inner = np.clip(1 - (x / (0.86 * half)) ** 2, 0, None)
    thin = 1 - 0.45 * lips.press - 0.12 * lips.spread
    bow = 1 - 0.25 * np.exp(-((x / 0.07) ** 2))
    upper_in, lower_in = -0.3 * gap * inner, 0.7 * gap * inner
    upper_out = -0.3 * gap * arc - _UPPER * thin * arc**0.8 * bow
    lower_out = 0.7 * gap * arc + _LOWER * thin * arc**0.7
    image, light = image_HWC[part], light_HW1[part]
    # The shade under the lower lip, then the lips, then what is seen between them.
    shade = np.exp(-((x / 0.24) ** 2) - ((y - lower_out - 0.06) / 0.05) ** 2)
    image *= 1 - 0.3 * shade[..., None]
    between = _soft(np.abs(x) - half)
    lip = between * _soft(np.maximum(upper_out - y, y - lower_out))
    roundness = np.where(y < 0.2 * gap, 0.84, 1.02 - 2.2 * np.abs(y - (lower_out + lower_in) / 2))
    _over(image, colour * light * roundness[..., None], lip)
    inside = _soft(np.maximum(upper_in - y, y - lower_in)) * _soft(np.abs(x) - 0.86 * half)
    _over(image, _DARK, inside)
    teeth = inside * _soft(y - upper_in - 0.075) * _soft(np.abs(x) - 0.7 * half)
    _over(image, _TEETH * (0.55 + 0.45 * light), 0.9 * teeth)
    tongue = inside * _soft(lower_in - 0.1 - y) * _soft(np.abs(x) - 0.62 * half)
    _over(image, _TONGUE, 0.7 * tongue)
    line = np.abs(y - (upper_in + lower_in) / 2) - 0.012
    shut = _soft(line) * _soft(np.abs(x) - 0.95 * half) * np.float32(1 - min(1, 6 * lips.opening))
    _over(image, colour * np.float32(0.38), 0.85 * shut)
    for side in (-1, 1):
        corner = np.exp(-(((x - side * half) / 0.035) ** 2) - (y / 0.03) ** 2)
        _over(image, colour * np.float32(0.4), 0.6 * corner)


def _window(grid: tuple[Plane, Plane]) -> tuple[tuple[slice, slice], Plane, Plane]:
    """The part of a face that a mouth can touch, with x and y counted from the mouth."""
    x, y = grid[0], grid[1][:, 0] - np.float32(MOUTH_Y)
    side, up, down = _REACH
    columns = slice(*np.searchsorted(x, (-side, side)))
    rows = slice(*np.searchsorted(y, (-up, down)))
    return (rows, columns), x[columns], y[rows, None]


def _soft(outside: NDArray[np.floating]) -> Plane:
    return np.clip(0.5 - outside / _EDGE, 0, 1).astype(np.float32)


def _over(image_HWC: Plane, colour: NDArray[np.floating], cover_HW: NDArray[np.floating]) -> None:
    image_HWC += cover_HW[..., None] * (colour.astype(np.float32) - image_HWC)
