"""Uploads as videos, and videos with sound: what predictors that make sound share."""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from s2s.media import MediaLimits, add_sound, make_still_video, run_sandboxed, write_wav
from serving.models.contract import Made, Upload

__all__ = ["GenerationOptions", "video_of", "write_answer"]


class GenerationOptions(BaseModel):
    """Optional fields of the form."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    seed: int = Field(
        default=0, ge=0, le=2**32 - 1, description="Another seed gives another sound."
    )
    steps: int | None = Field(
        default=None, ge=1, le=100, description="Steps of the sampler; the model's own by default."
    )
    guidance: float | None = Field(
        default=None,
        ge=1,
        le=20,
        description="How closely the sound follows the picture; the model's own by default.",
    )
    duration_s: float = Field(
        default=5.0,
        ge=0.5,
        le=60,
        title="Duration",
        description="Seconds of sound for a still picture.",
    )
    format: Literal["mp4", "wav"] = Field(
        default="mp4", description="The video with its sound, or the sound alone."
    )


def video_of(upload: Upload, fps: int, duration_s: float, limits: MediaLimits) -> Path:
    """The upload, or a video that shows it all the time if it is a picture.

    Raises:
        MediaError: if it cannot be read.
    """
    if upload.kind == "video":
        return upload.path
    video = upload.folder / "still.mp4"
    duration_s = min(duration_s, limits.max_duration_s)
    run_sandboxed(
        make_still_video, upload.path, video, fps, duration_s, limits, folder=upload.folder
    )
    return video


def write_answer(
    upload: Upload, options: GenerationOptions, samples: np.ndarray, sample_rate_hz: int
) -> Made:
    """Write the answer: the video with the sound, or the sound alone.

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
    if options.format == "wav":
        return Made(wav, "audio/wav", "_sound.wav")
    video = upload.path if upload.kind == "video" else upload.folder / "still.mp4"
    run_sandboxed(add_sound, video, wav, output, folder=upload.folder)
    return Made(output, "video/mp4", "_with_sound.mp4")
