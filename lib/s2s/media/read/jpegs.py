"""Frames out of a folder of JPEG files, such as `write_jpegs` makes."""

import re
from pathlib import Path

import numpy as np
from av import VideoFrame
from av.video.reformatter import VideoReformatter

from s2s.errors import MediaError
from s2s.media.guard.door import open_picture
from s2s.media.read.frames import to_rgb
from s2s.reasons import Reason

__all__ = ["read_jpegs"]

_DEMUXER = "jpeg_pipe"
_NAME = re.compile(r"image_(\d+)\.jpg")


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
        MediaError: `no_video` if there is none, `corrupt` if one is missing or damaged.
    """
    files = _files(folder)
    count = max(1, round(duration_s * fps))
    # The middle of a step, as of videos.
    middles_s = (np.arange(count) + 0.5) / fps
    places = np.minimum(middles_s * len(files) / duration_s, len(files) - 1).astype(int)
    scaler, images = VideoReformatter(), {}
    for place in np.unique(places):
        images[int(place)] = to_rgb(_read(files[place]), size, scaler)
    return np.stack([images[int(place)] for place in places])


def _files(folder: Path) -> list[Path]:
    found = {
        int(match[1]): path
        for path in (folder.iterdir() if folder.is_dir() else ())
        if (match := _NAME.fullmatch(path.name))
    }
    if not found:
        raise MediaError(Reason.NO_VIDEO, f"{folder}: has no pictures named image_00001.jpg, ...")
    missing = set(range(1, max(found) + 1)) - found.keys()
    if missing:
        raise MediaError(
            Reason.CORRUPT, f"{folder}: image_{min(missing):05d}.jpg is missing: export it again"
        )
    return [found[number] for number in sorted(found)]


def _read(path: Path) -> VideoFrame:
    try:
        with open_picture(path, _DEMUXER) as file:
            for frame in file.decode(video=0):
                return frame
    except MediaError as error:
        if error.reason != Reason.REFUSED:
            raise
        message = f"{path.name}: no JPEG file: export it again"
        raise MediaError(Reason.CORRUPT, message) from error
    raise MediaError(Reason.CORRUPT, f"{path.name}: no picture can be decoded")
