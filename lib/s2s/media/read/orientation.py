"""Which way up a picture is shown: four turns, mirrored or not, as a display matrix says it."""

import struct
from dataclasses import dataclass

import numpy as np
from av import VideoFrame

__all__ = ["Orientation", "orientation_of"]

_MATRIX = "DISPLAYMATRIX"


@dataclass(frozen=True)
class Orientation:
    """What to do with stored pixels to show them, in this order.

    Attributes:
        is_transposed: rows become columns.
        is_mirrored: left becomes right.
        is_flipped: top becomes bottom.
    """

    is_transposed: bool = False
    is_mirrored: bool = False
    is_flipped: bool = False

    def show(self, image: np.ndarray) -> np.ndarray:
        """An image (H, W, ...) as it is shown; a view."""
        image = image.swapaxes(0, 1) if self.is_transposed else image
        image = image[:, ::-1] if self.is_mirrored else image
        return image[::-1] if self.is_flipped else image


def orientation_of(frame: VideoFrame) -> Orientation:
    """How a decoded frame is shown, to the nearest quarter of a turn."""
    try:
        matrix = frame.side_data.get(_MATRIX)
    except ValueError:  # there is side data of a type that PyAV does not know
        return _turned(round(frame.rotation / 90) % 4)
    if matrix is None:
        return Orientation()
    # x' = a x + c y, y' = b x + d y, in 1/65536, with y downwards (ISO/IEC 14496-12, 8.2.2).
    a, b, _, c, d = struct.unpack_from("<5i", bytes(matrix))
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(is_mirrored=a < 0, is_flipped=d < 0)
    return Orientation(is_transposed=True, is_mirrored=c < 0, is_flipped=b < 0)


def _turned(quarters: int) -> Orientation:
    """Turned counterclockwise so often."""
    return Orientation(quarters % 2 == 1, quarters in (2, 3), quarters in (1, 2))
