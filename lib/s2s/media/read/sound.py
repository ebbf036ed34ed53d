"""Sound as arrays: of a whole file, or spans of it, decoded once and sliced as often as asked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av import AudioFrame, AudioResampler

from s2s.errors import MediaError
from s2s.media.guard.opening import MediaLimits, open_guarded
from s2s.media.guard.streams import only, sound_stream
from s2s.media.read.placement import decode_blocks, place_blocks
from s2s.reasons import Reason

__all__ = ["SoundSpan", "read_audio", "read_segments", "read_span", "resample"]

# Where seeking goes to so long before a span, its first packet should not lie after the span's
# start; where it does, from further back; and at last from the start of the file.
_RUN_UPS_S = (0.5, 5.0)


# Time stamps may claim anything, and silence takes memory too.
_MAX_S = MediaLimits().max_duration_s


@dataclass(frozen=True)
class SoundSpan:
    """A stretch of sound.

    Attributes:
        samples: float32 (N,), mono, -1..1; silent where the file has nothing.
        rate_hz: samples a second, the file's own.
    """

    samples: np.ndarray
    rate_hz: int


def read_audio(path: Path, sample_rate_hz: int) -> np.ndarray:
    """Read the first sound stream, mixed to mono.

    Where it starts late or has a hole is silence, so that every sample is where its time stamp
    says; sample 0 is the start of the file.

    Args:
        path: a video or a sound file.
        sample_rate_hz: samples a second to return.

    Returns:
        float32 (N,), -1..1.

    Raises:
        MediaError: `no_audio` without sound, `corrupt` if it cannot be decoded, `refused` if it is
            too long.
    """
    with open_guarded(path) as file:
        stream = sound_stream(file)
        if stream is None:
            raise MediaError(Reason.NO_AUDIO, f"{path.name}: has no sound")
        only(file, stream)
        rate_hz = stream.codec_context.sample_rate or sample_rate_hz
        span_s = ((file.start_time or 0) / av.time_base, math.inf)
        placed = list(place_blocks([*decode_blocks(path, file, stream, rate_hz, span_s)], rate_hz))
    if not placed:
        raise MediaError(Reason.NO_AUDIO, f"{path.name}: its sound holds nothing")
    n_samples = max(first + len(block) for first, block in placed)
    if n_samples > _MAX_S * rate_hz:
        message = f"{path.name}: its sound says that it goes on for {n_samples / rate_hz:.0f} s"
        raise MediaError(Reason.REFUSED, message)
    samples = np.zeros(max(0, n_samples), np.float32)
    for first, block in placed:
        begin = max(first, 0)
        samples[begin : first + len(block)] = block[begin - first :]
    return resample(SoundSpan(samples, rate_hz), sample_rate_hz)


def read_span(path: Path, start_s: float, duration_s: float) -> SoundSpan:
    """Decode one stretch of a file's first sound stream, at its own rate.

    Samples are placed by their time stamps: sound that starts late or has a hole stays in its
    place. Nothing before the stretch is decoded but a run-up.

    Args:
        path: a video or a sound file.
        start_s: where sample 0 lies, in seconds from the start of the file.
        duration_s: length in seconds.

    Raises:
        MediaError: `no_audio` without sound, `corrupt` if it cannot be decoded.
    """
    for run_up_s in _RUN_UPS_S:
        span, first_s = _read_span(path, start_s, duration_s, run_up_s)
        if first_s <= 0:
            return span
    return _read_span(path, start_s, duration_s, None)[0]


def _read_span(
    path: Path, start_s: float, duration_s: float, run_up_s: float | None
) -> tuple[SoundSpan, float]:
    """The span, and when in it the first sound was found; 0 at most, if none was missed."""
    with open_guarded(path) as file:
        stream = sound_stream(file)
        if stream is None:
            raise MediaError(Reason.NO_AUDIO, f"{path.name}: has no sound")
        only(file, stream)
        rate_hz = stream.codec_context.sample_rate
        if not rate_hz:
            raise MediaError(Reason.CORRUPT, f"{path.name}: its sound has no sample rate")
        origin_s = (file.start_time or 0) / av.time_base + start_s
        if run_up_s is not None and start_s > run_up_s:
            try:
                file.seek(round((origin_s - run_up_s) / (stream.time_base or 1)), stream=stream)
            except PermissionError:  # what ffmpeg says where a container cannot seek there
                return _read_span(path, start_s, duration_s, None)
        blocks = list(decode_blocks(path, file, stream, rate_hz, (origin_s, duration_s)))
    samples = np.zeros(round(duration_s * rate_hz), np.float32)
    earliest = len(samples) if run_up_s is not None and start_s > run_up_s else 0
    for first, block in place_blocks(blocks, rate_hz):
        begin, skipped = max(first, 0), max(-first, 0)
        piece = block[skipped : skipped + max(0, len(samples) - begin)]
        samples[begin : begin + len(piece)] = piece
        earliest = min(earliest, first)
    return SoundSpan(samples, rate_hz), earliest / rate_hz


def read_segments(
    path: Path, starts_s: Sequence[float], duration_s: float, sample_rate_hz: int
) -> np.ndarray:
    """Read segments of one length that may overlap, such as AVSpeech's of 3 s, in one pass.

    Args:
        path: a video or a sound file.
        starts_s: where each segment starts, in seconds from the start of the file.
        duration_s: length of each, in seconds.
        sample_rate_hz: samples a second to return.

    Returns:
        float32 (segments, N), mono, -1..1; silent where the file has nothing.

    Raises:
        MediaError: see `read_span`.
    """
    n_samples = round(duration_s * sample_rate_hz)
    if not len(starts_s):
        return np.zeros((0, n_samples), np.float32)
    first_s = min(starts_s)
    span = read_span(path, first_s, max(starts_s) - first_s + duration_s)
    samples = resample(span, sample_rate_hz)
    firsts = [round((start_s - first_s) * sample_rate_hz) for start_s in starts_s]
    segments = np.zeros((len(firsts), n_samples), np.float32)
    for segment, first in zip(segments, firsts, strict=True):
        piece = samples[first : first + n_samples]
        segment[: len(piece)] = piece
    return segments


def resample(span: SoundSpan, sample_rate_hz: int) -> np.ndarray:
    """A stretch at another rate.

    Args:
        span: what to resample.
        sample_rate_hz: samples a second to return.

    Returns:
        float32 (N,), mono.
    """
    if span.rate_hz == sample_rate_hz or not len(span.samples):
        return span.samples
    frame = AudioFrame.from_ndarray(span.samples[None], format="flt", layout="mono")
    frame.sample_rate, frame.time_base = span.rate_hz, Fraction(1, span.rate_hz)
    frame.pts = 0
    resampler = AudioResampler(format="flt", layout="mono", rate=sample_rate_hz)
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    n_samples = round(len(span.samples) * sample_rate_hz / span.rate_hz)
    samples = np.concatenate([piece.to_ndarray()[0] for piece in pieces])[:n_samples]
    return np.pad(samples, (0, n_samples - len(samples)))
