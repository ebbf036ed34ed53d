"""One spec for time: every rate is set here, every length is derived from it."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["TimeSpec"]


class TimeSpec(BaseModel):
    """Rates of picture and sound on one grid, and the lengths that follow.

    One video frame is one token and `mel_per_frame` mel frames, so nothing is interpolated.

    Attributes:
        fps: video frames a second; also tokens a second.
        sample_rate_hz: sound samples a second.
        mel_per_frame: mel frames in one video frame.
        n_mels: mel bands.
        duration_s: length of a clip, in seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fps: int = Field(default=25, ge=1, le=120)
    sample_rate_hz: int = Field(default=16_000, ge=8_000, le=48_000)
    mel_per_frame: int = Field(default=4, ge=1, le=16)
    n_mels: int = Field(default=80, ge=8, le=256)
    duration_s: float = Field(default=10.0, gt=0, le=600)

    @model_validator(mode="after")
    def _check_grid(self) -> Self:
        if self.sample_rate_hz % (self.fps * self.mel_per_frame):
            fitting = [n for n in range(1, 17) if self.sample_rate_hz % (self.fps * n) == 0]
            raise ValueError(
                f"sample_rate_hz {self.sample_rate_hz} does not divide into "
                f"{self.fps} frames of {self.mel_per_frame} mel frames a second: "
                f"choose a multiple of {self.fps * self.mel_per_frame}"
                + (f", or a mel_per_frame of {fitting}" if fitting else "")
            )
        return self

    @property
    def hop(self) -> int:
        """Samples from one mel frame to the next."""
        return self.sample_rate_hz // (self.fps * self.mel_per_frame)

    @property
    def samples_per_frame(self) -> int:
        """Samples of sound that belong to one video frame."""
        return self.hop * self.mel_per_frame

    @property
    def n_fft(self) -> int:
        """Length of the analysis window in samples: the power of two next above 4 hops."""
        return 1 << (4 * self.hop - 1).bit_length()

    @property
    def mel_rate_hz(self) -> int:
        """Mel frames a second."""
        return self.fps * self.mel_per_frame

    @property
    def token_dim(self) -> int:
        """Mel values in one token."""
        return self.mel_per_frame * self.n_mels

    def frames(self, duration_s: float | None = None) -> int:
        """Video frames (and tokens) in a duration, by default a whole clip's; at least one."""
        seconds = self.duration_s if duration_s is None else duration_s
        return max(1, round(seconds * self.fps))

    def mel_frames(self, frames: int) -> int:
        """Mel frames that belong to so many video frames."""
        return frames * self.mel_per_frame

    def samples(self, frames: int) -> int:
        """Sound samples that belong to so many video frames."""
        return frames * self.samples_per_frame
