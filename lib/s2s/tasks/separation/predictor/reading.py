"""What a predictor reads of a file: done where the file cannot do any harm.

Legend: F faces, T pictures, D values.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from s2s.errors import MediaError
from s2s.media import MediaLimits, picture_start_s, stream_frames, write_samples
from s2s.reasons import Reason
from s2s.tasks.separation.extractors import FaceTracker

__all__ = [
    "FACES_FILE",
    "LONGEST_PX",
    "MOST_S",
    "SOUND_FILE",
    "picture_name",
    "read_faces",
    "read_sound",
]

LONGEST_PX = 640
"""Larger pictures are scaled down before faces are looked for."""
MOST_S = 1200
"""Time that it may take to follow faces through a video, or to encode its picture."""
FACES_FILE, SOUND_FILE = "faces.npz", "samples"


def read_faces(
    path: Path,
    folder: Path,
    fps: int,
    max_faces: int,
    limits: MediaLimits,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Mapping[str, Any]:
    """Follow the faces of a video, from left to right; what they show is written to files.

    `FACES_FILE` gets `lips` (F, T, D), `seen` (F, T) and `boxes` (F, T, 4), fractions of the
    picture; every face gets a JPEG.

    Args:
        path: the video.
        folder: where files are written.
        fps: pictures a second that are looked at.
        max_faces: faces that are followed.
        limits: what the video may ask for.
        on_progress: told how much is done, 0..1.

    Returns:
        `left_out`: faces beyond the limit that were in one picture; `start_s`: when the picture
        starts in the file; `decode_s` and `follow_s`: time that was taken.

    Raises:
        MediaError: `no_face` without one; what `stream_frames` raises.
    """
    started_s, follow_s = time.monotonic(), 0.0
    start_s = picture_start_s(path, limits)
    tracker, height, width = FaceTracker(fps, max_faces), 1, 1
    for frame_HWC in stream_frames(path, fps, LONGEST_PX, limits, on_progress):
        height, width = frame_HWC.shape[:2]
        before_s = time.monotonic()
        tracker.see(frame_HWC)
        follow_s += time.monotonic() - before_s
    tracks = tracker.tracks()
    if not tracks:
        raise MediaError(
            Reason.NO_FACE,
            "no face was found in the picture; send a video in which those who talk are seen from "
            "the front or half from the side, well lit",
        )
    for number, track in enumerate(tracks, start=1):
        Image.fromarray(track.picture_HWC).save(folder / picture_name(number), "JPEG", quality=90)
    size = np.array([width, height, width, height], np.float32)
    np.savez(
        folder / FACES_FILE,
        lips=np.stack([track.lips_TD for track in tracks]),
        seen=np.stack([track.seen_T for track in tracks]),
        boxes=np.stack([track.boxes_T4 / size for track in tracks]),
    )
    return {
        "left_out": tracker.left_out,
        "start_s": start_s,
        "decode_s": time.monotonic() - started_s - follow_s,
        "follow_s": follow_s,
    }


def read_sound(path: Path, folder: Path, sample_rate_hz: int, limits: MediaLimits) -> None:
    """Write a video's sound to `SOUND_FILE`, see `s2s.media.write_samples`.

    Raises:
        MediaError: `no_audio` without sound, `silent` if there is nothing in it.
    """
    output = folder / SOUND_FILE
    try:
        write_samples(path, output, sample_rate_hz, limits)
    except MediaError as error:
        if error.reason != Reason.NO_AUDIO:
            raise
        message = "the video has no sound: there is no voice to be found; send one with sound"
        raise MediaError(Reason.NO_AUDIO, message) from error
    if not np.fromfile(output, np.float32).any():
        message = "the video's sound is silent: there is no voice to be found"
        raise MediaError(Reason.SILENT, message)


def picture_name(number: int) -> str:
    """The file of a face's picture; faces are counted from 1."""
    return f"face-{number}.jpg"
