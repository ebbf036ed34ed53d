"""Interlaced frames as pictures: of their two fields, half a frame apart in time, the upper one."""

import numpy as np
from av import VideoFrame
from av.video.reformatter import ColorRange

__all__ = ["DEINTERLACE", "as_one_picture"]

DEINTERLACE = "estdif=mode=frame:parity=tff:deint=interlaced"
"""ffmpeg's filter that shows the upper field, too, with the lines between drawn along edges.

It needs no other frame: a clip is the same wherever cutting begins."""


def as_one_picture(frame: VideoFrame, pixels: str) -> VideoFrame:
    """A frame without combs where something moves, to be scaled as one picture.

    swscale scales the two fields of an interlaced frame apart, and puts the results together line
    by line: of a small height, that is another picture.

    Args:
        frame: a decoded frame.
        pixels: the format that it is scaled to, `rgb24` or `gray`, full range.

    Returns:
        the frame itself where it is progressive; else each line of its upper field twice, in
        the same size.
    """
    if not frame.interlaced_frame:
        return frame
    whole = frame.reformat(format=pixels, dst_color_range=ColorRange.JPEG).to_ndarray()
    upper = np.asarray(whole[::2].repeat(2, axis=0)[: frame.height], np.uint8, order="C")
    picture = VideoFrame.from_ndarray(upper, pixels)
    picture.color_range = ColorRange.JPEG
    return picture
