"""Still pictures as videos."""

import math
from pathlib import Path

from s2s.media.ffmpeg import input_args, picture_args, run_ffmpeg
from s2s.media.guard.opening import MediaLimits
from s2s.media.read.pictures import checked_demuxer

__all__ = ["make_still_video"]

# So much is encoded, and repeated; each time it begins with a whole picture.
_PART_S = 5
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
    demuxer = checked_demuxer(picture, limits)
    n_frames = math.floor(duration_s * fps + 0.5)
    some, part = output.with_name(f".{output.name}.part"), min(n_frames, _PART_S * fps)
    shown = f"{_SCALE},loop=loop=-1:size=1,setpts=N/{fps}/TB"
    # Without B-frames, what is shown follows in the order in which it is stored, so that a few
    # seconds' packets can be repeated: to encode a minute takes as many times as long.
    encoding = ["-c:v", "libx264", "-preset", "veryfast", "-tune", "stillimage", "-bf", "0"]
    try:
        run_ffmpeg(
            [
                *picture_args(picture, demuxer),
                *["-vf", shown, "-r", str(fps), "-frames:v", str(part), *encoding],
                *["-pix_fmt", "yuv420p", "-threads", "1", "-f", "mp4", f"file:{some.absolute()}"],
            ],
            name=picture.name,
        )
        again = ["-c", "copy", "-frames:v", str(n_frames), "-f", "mp4"]
        run_ffmpeg(
            [*input_args(some, "-stream_loop", "-1"), *again, f"file:{output.absolute()}"],
            name=picture.name,
        )
    finally:
        some.unlink(missing_ok=True)
