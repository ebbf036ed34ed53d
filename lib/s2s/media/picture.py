"""Still pictures: as arrays, and as videos."""

from pathlib import Path

import numpy as np
from av.video.reformatter import VideoReformatter

from s2s.errors import MediaError, UnsupportedMediaError
from s2s.media.ffmpeg import run_ffmpeg
from s2s.media.frames import to_rgb
from s2s.media.guard import PICTURE_FORMATS, PROTOCOLS, MediaLimits, open_picture
from s2s.media.upload import PICTURE_TYPES, picture_demuxer
from s2s.reasons import Reason

__all__ = ["make_still_video", "write_picture"]

# No larger than full HD, and even: H.264 has no odd sizes in 4:2:0.
_SCALE = (
    "scale=w=trunc(min(1\\,1920/max(iw\\,ih))*iw/2)*2:h=trunc(min(1\\,1920/max(iw\\,ih))*ih/2)*2,"
    "setsar=1"
)


def make_still_video(
    picture: Path, output: Path, fps: int, duration_s: float, limits: MediaLimits | None = None
) -> None:
    """Write an mp4 that shows a picture all the time.

    Args:
        picture: a JPEG, PNG or WebP.
        output: the mp4, H.264.
        fps: frames a second.
        duration_s: its length in seconds.
        limits: see `open_picture`.

    Raises:
        UnsupportedMediaError: if it is no such picture.
        MediaError: if it cannot be read, or is refused.
    """
    demuxer = _demuxer_of(picture)
    with open_picture(picture, demuxer, limits or MediaLimits()):
        pass
    guard = ["-protocol_whitelist", PROTOCOLS, "-format_whitelist", PICTURE_FORMATS]
    shown = f"{_SCALE},loop=loop=-1:size=1,setpts=N/{fps}/TB"
    encoding = ["-c:v", "libx264", "-preset", "veryfast", "-tune", "stillimage"]
    run_ffmpeg(
        [
            *["-f", demuxer, *guard, "-i", f"file:{picture.absolute()}"],
            *["-vf", shown, "-r", str(fps), "-t", f"{duration_s:.3f}", *encoding],
            *["-pix_fmt", "yuv420p", "-threads", "1", "-f", "mp4", f"file:{output.absolute()}"],
        ],
        name=picture.name,
    )


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
    with open_picture(picture, _demuxer_of(picture), limits or MediaLimits()) as file:
        frame = next(file.decode(video=0), None)
        if frame is None:
            raise MediaError(Reason.CORRUPT, f"{picture.name}: cannot be decoded")
        pixels_HWC = to_rgb(frame, size, VideoReformatter())
    output.write_bytes(np.ascontiguousarray(pixels_HWC).data)


def _demuxer_of(picture: Path) -> str:
    demuxer = picture_demuxer(picture)
    if demuxer is None:
        raise UnsupportedMediaError(
            f"{picture.name}: not a picture of type {', '.join(PICTURE_TYPES)}"
        )
    return demuxer
