"""Uploads as videos, and videos with sound."""

from pathlib import Path

import numpy as np

from s2s.media import (
    ENCODE_MOST_S,
    MediaLimits,
    add_sound,
    make_preview,
    make_still_video,
    write_wav,
)
from s2s.tasks.contract import Made, MadeFile, Upload
from s2s.tasks.generation.predictor.offer import GenerationOptions

__all__ = ["video_of", "write_answer"]


def video_of(upload: Upload, fps: int, duration_s: float, limits: MediaLimits) -> Path:
    """The upload, or a video that shows it all the time if it is a picture.

    Raises:
        MediaError: if it cannot be read.
    """
    if upload.kind == "video":
        return upload.path
    video = upload.folder / "still.mp4"
    duration_s = min(duration_s, limits.max_duration_s)
    upload.run(make_still_video, upload.path, video, fps, duration_s, limits)
    return video


def write_answer(
    upload: Upload, options: GenerationOptions, samples: np.ndarray, sample_rate_hz: int
) -> Made:
    """Write the answer: the video with the sound, or the sound alone.

    Where browsers do not play the video's codec, a small one that they play is made beside what
    clients get; owners of files have programs of their own.

    Args:
        upload: what the sound is for.
        options: what was asked for.
        samples: float32 (N,), -1..1.
        sample_rate_hz: samples a second.

    Raises:
        MediaError: if the picture cannot be copied into an mp4.
    """
    wav, output = upload.folder / "sound.wav", upload.folder / "answer.mp4"
    write_wav(wav, samples, sample_rate_hz)
    document = {"seed": options.seed, "duration_s": round(len(samples) / sample_rate_hz, 3)}
    if options.format == "wav":
        return Made((MadeFile("sound", wav, "audio/wav", "_sound.wav"),), document)
    video = upload.path if upload.kind == "video" else upload.folder / "still.mp4"
    upload.run(add_sound, video, wav, output, most_s=ENCODE_MOST_S)
    files = [MadeFile("video", output, "video/mp4", "_with_sound.mp4")]
    preview = upload.folder / "preview.mp4"
    if not upload.is_own and upload.run(make_preview, output, preview, most_s=ENCODE_MOST_S):
        files.append(MadeFile("preview", preview, "video/mp4", "_preview.mp4"))
    return Made(tuple(files), document)
