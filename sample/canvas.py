"""What pictures are drawn on: their size, and a brush that touches a part of them.

Shape suffixes: H height and W width in pixels, C red-green-blue.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["FPS", "SIZE_PX", "Image", "Window", "smooth_noise"]

FPS = 25
SIZE_PX = 128

Image = NDArray[np.floating]


@dataclass(frozen=True)
class Window:
    """The part of the picture that a shape can touch, and its pixel centres."""

    part: tuple[slice, slice]
    x_W: NDArray[np.float32]
    y_H1: NDArray[np.float32]

    @classmethod
    def around(cls, x: float, y: float, half_width: float, half_height: float) -> "Window":
        """So many pixels to each side of a point."""
        left, right = _inside(x - half_width), _inside(x + half_width + 1)
        top, low = _inside(y - half_height), _inside(y + half_height + 1)
        return cls(
            part=(slice(top, low), slice(left, right)),
            x_W=np.arange(left, right, dtype=np.float32) + np.float32(0.5 - x),
            y_H1=np.arange(top, low, dtype=np.float32)[:, None] + np.float32(0.5 - y),
        )

    def blend(self, image_HWC: Image, cover_HW: Image, colour: ArrayLike) -> None:
        """Lay a colour over the picture where it is covered."""
        part = image_HWC[self.part]
        part += cover_HW[..., None] * (np.asarray(colour, dtype=np.float32) - part)


def smooth_noise(rng: np.random.Generator, cells: int) -> NDArray[np.float64]:
    """Random values on a coarse grid, interpolated to (SIZE_PX, SIZE_PX)."""
    coarse = rng.normal(0, 1, (cells, cells))
    at = np.linspace(0, cells - 1, SIZE_PX)
    rows = np.stack([np.interp(at, np.arange(cells), column) for column in coarse.T], axis=1)
    return np.stack([np.interp(at, np.arange(cells), row) for row in rows])


def _inside(pixel: float) -> int:
    return min(max(int(pixel), 0), SIZE_PX)
