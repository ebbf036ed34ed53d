"""Still pictures as videos."""

from pathlib import Path

from s2s.media.ffmpeg import picture_args, run_ffmpeg
from s2s.media.guard.door import MediaLimits, open_picture
from s2s.media.read.picture import demuxer_of

__all__ = ["make_still_video"]

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
    demuxer = demuxer_of(picture)
    with open_picture(picture, demuxer, limits or MediaLimits()):
        pass
    shown = f"{_SCALE},loop=loop=-1:size=1,setpts=N/{fps}/TB"
    encoding = ["-c:v", "libx264", "-preset", "veryfast", "-tune", "stillimage"]
    run_ffmpeg(
        [
            *picture_args(picture, demuxer),
            *["-vf", shown, "-r", str(fps), "-t", f"{duration_s:.3f}", *encoding],
            *["-pix_fmt", "yuv420p", "-threads", "1", "-f", "mp4", f"file:{output.absolute()}"],
        ],
        name=picture.name,
    )
