"""Still pictures as arrays."""

from pathlib import Path

import numpy as np
from av.video.reformatter import VideoReformatter

from s2s.errors import MediaError, UnsupportedMediaError
from s2s.media.guard.door import MediaLimits, open_picture
from s2s.media.guard.upload import PICTURE_TYPES, picture_demuxer
from s2s.media.read.frames import to_rgb
from s2s.reasons import Reason

__all__ = ["demuxer_of", "write_picture"]


def write_picture(
    picture: Path, output: Path, size: tuple[int, int], limits: MediaLimits | None = None
) -> None:
    """Write a picture's pixels to a file, scaled.

    Args:
        picture: a JPEG, PNG or WebP.
        output: the raw array, to be mapped as uint8 (1, H, W, 3).
        size: width and height to scale to, in pixels.
        limits: see `open_picture`.

    Raises:
        UnsupportedMediaError: if it is no such picture.
        MediaError: if it cannot be read, or is refused.
    """
    with open_picture(picture, demuxer_of(picture), limits or MediaLimits()) as file:
        frame = next(file.decode(video=0), None)
        if frame is None:
            raise MediaError(Reason.CORRUPT, f"{picture.name}: cannot be decoded")
        pixels_HWC = to_rgb(frame, size, VideoReformatter())
    output.write_bytes(np.ascontiguousarray(pixels_HWC).data)


def demuxer_of(picture: Path) -> str:
    """The demuxer that reads a picture.

    Raises:
        UnsupportedMediaError: if it is a picture of no type that is read.
    """
    demuxer = picture_demuxer(picture)
    if demuxer is None:
        raise UnsupportedMediaError(
            f"{picture.name}: not a picture of type {', '.join(PICTURE_TYPES)}"
        )
    return demuxer
