"""A decoded frame as a picture."""

from typing import NamedTuple

import numpy as np
from av import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from s2s.media.interlaced import as_one_picture
from s2s.media.read.orientation import orientation_of

__all__ = ["Cover", "Size", "to_rgb"]

Size = tuple[int, int] | int | None
"""Width and height in pixels, or the longer of the two at most; None for the video's own."""


class Cover(NamedTuple):
    """A size that pictures cover: scaled as they are shaped, and cropped around their middle.

    Wherever a size is asked for; a plain width and height stretches pictures to these instead.

    Attributes:
        width: in pixels.
        height: in pixels.
    """

    width: int
    height: int


def to_rgb(
    frame: VideoFrame,
    size: Size,
    scaler: VideoReformatter,
    pixel_aspect: float = 1.0,
) -> np.ndarray:
    """A decoded frame as an array, the way up that its metadata says.

    Args:
        frame: the frame.
        size: width and height to scale to, in pixels, or to `Cover`, or the longer of both at
            most; None keeps the video's own.
        scaler: the video's; to make one takes longer than to scale.
        pixel_aspect: width of a stored pixel over its height; it counts where a size is covered.

    Returns:
        uint8 (H, W, 3), RGB.
    """
    orientation = orientation_of(frame)
    if isinstance(size, int):
        share = min(1.0, size / max(frame.width, frame.height))
        width, height = (max(1, round(side * share)) for side in (frame.width, frame.height))
    else:
        width, height = size or (0, 0)
        if orientation.is_transposed:
            width, height = height, width
    wide, high = width, height
    if isinstance(size, Cover):
        shown_wide = frame.width * pixel_aspect
        scale = max(width / shown_wide, height / frame.height)
        wide = max(width, round(shown_wide * scale))
        high = max(height, round(frame.height * scale))
    scaled = scaler.reformat(
        as_one_picture(frame, "rgb24"),
        width=wide or None,
        height=high or None,
        format="rgb24",
        interpolation=Interpolation.AREA,
        threads=1,
    )
    image = scaled.to_ndarray()
    if (wide, high) != (width, height):
        left, top = (wide - width) // 2, (high - height) // 2
        image = image[top : top + height, left : left + width]
    return orientation.show(image)
