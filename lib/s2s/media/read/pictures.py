"""Still pictures as arrays: an upload, or a folder of JPEG files as `write_jpegs` makes it."""

import re
from pathlib import Path

import numpy as np
from av import VideoFrame
from av.video.reformatter import VideoReformatter

from s2s.errors import MediaError, UnsupportedMediaError
from s2s.media.ffmpeg import picture_args, run_ffmpeg
from s2s.media.guard.containers import PICTURE_TYPES
from s2s.media.guard.opening import MediaLimits, open_picture
from s2s.media.guard.upload import picture_demuxer
from s2s.media.read.frames import to_rgb
from s2s.reasons import Reason

__all__ = ["checked_demuxer", "read_jpegs", "write_picture"]

_JPEG_DEMUXER = "jpeg_pipe"
_JPEG_NAME = re.compile(r"image_(\d+)\.jpg")


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
    demuxer = checked_demuxer(picture, limits)
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


def checked_demuxer(picture: Path, limits: MediaLimits | None = None) -> str:
    """The demuxer that reads a picture, which was opened once to see that it may be read.

    Raises:
        UnsupportedMediaError: if it is a picture of no type that is read.
        MediaError: if it cannot be read, or is refused.
    """
    demuxer = picture_demuxer(picture)
    if demuxer is None:
        raise UnsupportedMediaError(
            f"{picture.name}: not a picture of type {', '.join(PICTURE_TYPES)}"
        )
    with open_picture(picture, demuxer, limits or MediaLimits()):
        return demuxer


def read_jpegs(
    folder: Path, fps: int, size: tuple[int, int] | None, duration_s: float
) -> np.ndarray:
    """Read the frames that are on screen at k / fps seconds, as `read_frames` does of a video.

    Args:
        folder: has `image_00001.jpg`, `image_00002.jpg`, ..., as far apart in time.
        fps: frames a second to return.
        size: width and height to scale to, in pixels, or to `Cover`; None keeps them as they are.
        duration_s: how long all of them last.

    Returns:
        uint8 (T, H, W, 3), RGB.

    Raises:
        MediaError: `no_video` if there is none, `corrupt` if one is missing, damaged, or of
            another size than the others.
    """
    files = _jpeg_files(folder)
    count = max(1, round(duration_s * fps))
    # The middle of a step, as of videos.
    middles_s = (np.arange(count) + 0.5) / fps
    places = np.minimum(middles_s * len(files) / duration_s, len(files) - 1).astype(int)
    scaler, images, known = VideoReformatter(), {}, None
    for place in np.unique(places):
        frame = _read_jpeg(files[place])
        known = known or (frame.width, frame.height)
        if (frame.width, frame.height) != known:
            raise MediaError(
                Reason.CORRUPT,
                f"{files[place]}: has {frame.width}x{frame.height} pixels, and the one before "
                f"{known[0]}x{known[1]}: export it again",
            )
        images[int(place)] = to_rgb(frame, size, scaler)
    return np.stack([images[int(place)] for place in places])


def _jpeg_files(folder: Path) -> list[Path]:
    found = {
        int(match[1]): path
        for path in (folder.iterdir() if folder.is_dir() else ())
        if (match := _JPEG_NAME.fullmatch(path.name))
    }
    if not found:
        message = f"{folder}: has no pictures named image_00001.jpg, ...: export the clip again"
        raise MediaError(Reason.NO_VIDEO, message)
    numbers = sorted(found)
    for wanted, number in enumerate(numbers, start=min(1, numbers[0])):
        if number != wanted:
            raise MediaError(
                Reason.CORRUPT, f"{folder}: image_{wanted:05d}.jpg is missing: export it again"
            )
    return [found[number] for number in numbers]


def _read_jpeg(path: Path) -> VideoFrame:
    try:
        with open_picture(path, _JPEG_DEMUXER) as file:
            for frame in file.decode(video=0):
                return frame
    except MediaError as error:
        if error.reason != Reason.REFUSED:
            raise
        message = f"{path.name}: no JPEG file: export it again"
        raise MediaError(Reason.CORRUPT, message) from error
    raise MediaError(Reason.CORRUPT, f"{path.name}: no picture can be decoded")
