"""Sound as raw files of samples: what a sandbox hands over."""

from pathlib import Path

from s2s.media.guard.opening import ROUNDING_S, MediaLimits
from s2s.media.read.sound import read_audio, read_span, resample

__all__ = ["write_samples"]


def write_samples(
    path: Path,
    output: Path,
    sample_rate_hz: int,
    limits: MediaLimits | None = None,
    span_s: tuple[float, float] | None = None,
) -> None:
    """Write a file's sound, see `read_audio`, as float32 one after the other.

    Args:
        path: a video or a sound file.
        output: the raw file, to be read with `numpy.fromfile(output, numpy.float32)`.
        sample_rate_hz: samples a second.
        limits: sound that is longer than a file may be is cut off there.
        span_s: start and end of a part that is read alone, see `read_span`; None for the whole.

    Raises:
        MediaError: `no_audio` without sound, `corrupt` if it cannot be decoded.
    """
    if span_s is None:
        samples_N = read_audio(path, sample_rate_hz)
    else:
        start_s, end_s = span_s
        samples_N = resample(read_span(path, start_s, end_s - start_s), sample_rate_hz)
    if limits is not None:
        samples_N = samples_N[: int((limits.max_duration_s + ROUNDING_S) * sample_rate_hz)]
    samples_N.tofile(output)
