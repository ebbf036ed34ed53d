"""Still pictures as arrays."""

from pathlib import Path

from s2s.errors import MediaError, UnsupportedMediaError
from s2s.media.ffmpeg import picture_args, run_ffmpeg
from s2s.media.guard.door import MediaLimits, open_picture
from s2s.media.guard.upload import PICTURE_TYPES, picture_demuxer
from s2s.reasons import Reason

__all__ = ["demuxer_of", "write_picture"]


def write_picture(
    picture: Path, output: Path, size: tuple[int, int], limits: MediaLimits | None = None
) -> None:
    """Write a picture's pixels to a file, scaled, the way up that its EXIF data says.

    Args:
        picture: a JPEG, PNG or WebP.
        output: the raw array, to be mapped as uint8 (1, H, W, 3).
        size: width and height to scale to, in pixels.
        limits: see `open_picture`.

    Raises:
        UnsupportedMediaError: if it is no such picture.
        MediaError: if it cannot be read, or is refused.
    """
    demuxer = demuxer_of(picture)
    with open_picture(picture, demuxer, limits or MediaLimits()):
        pass
    width, height = size
    run_ffmpeg(
        [
            *picture_args(picture, demuxer),
            *["-vf", f"scale={width}:{height}:flags=area", "-frames:v", "1"],
            *["-pix_fmt", "rgb24", "-threads", "1", "-f", "rawvideo"],
            f"file:{output.absolute()}",
        ],
        name=picture.name,
    )
    if output.stat().st_size != width * height * 3:
        raise MediaError(Reason.CORRUPT, f"{picture.name}: cannot be decoded")


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
