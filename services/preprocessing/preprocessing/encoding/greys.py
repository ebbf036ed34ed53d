"""Small grey pictures of frames, by which two ways of reading them are compared."""

import numpy as np
from av import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from s2s.media.interlaced import as_one_picture
from s2s.media.read.orientation import orientation_of

__all__ = ["GREY_PX", "is_same", "small_grey"]

GREY_PX = 32
"""Width and height of the pictures."""
# Two ways to scale one picture differ by less than this, of 255, on the average.
_SAME = 5.0
# Where each pixel is another than the next (snow on a screen, cellular automata), they differ
# by more, but only from pixel to pixel: of pixels in fours hardly anything is left. What another
# frame shows differs over wider areas.
_SAME_AS_NOISE = 12.0
_LEFT_OF_NOISE = 0.46
# Of a picture with another dynamic range, only light and dark can be compared.
_ALIKE = 0.8
_FLAT = 6.0


def small_grey(frame: VideoFrame, scaler: VideoReformatter) -> np.ndarray:
    """A frame, the way up that its metadata says: uint8 (GREY_PX, GREY_PX)."""
    grey = scaler.reformat(
        as_one_picture(frame, "gray"),
        GREY_PX,
        GREY_PX,
        "gray",
        interpolation=Interpolation.AREA,
        dst_color_range=ColorRange.JPEG,
        threads=1,
    )
    return orientation_of(frame).show(grey.to_ndarray())


def is_same(one: np.ndarray, other: np.ndarray, *, is_hdr: bool = False) -> bool:
    """Whether two small grey pictures are of one frame.

    Args:
        one: uint8 (GREY_PX, GREY_PX).
        other: the same.
        is_hdr: whether one of them was mapped from a high dynamic range.
    """
    first, second = one.astype(np.float32), other.astype(np.float32)
    if not is_hdr:
        difference = first - second
        size = float(np.abs(difference).mean())
        fours = difference.reshape(GREY_PX // 2, 2, GREY_PX // 2, 2).mean((1, 3))
        is_noise = float(np.abs(fours).mean()) <= _LEFT_OF_NOISE * size
        return size <= (_SAME_AS_NOISE if is_noise else _SAME)
    if min(first.std(), second.std()) < _FLAT:
        return True
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1]) >= _ALIKE
