"""Spans of a file's sound: decoded once, sliced as often as asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av import AudioFrame, AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from s2s.errors import MediaError
from s2s.media.guard.door import only, open_guarded
from s2s.media.read.mono import MonoMixer
from s2s.reasons import Reason

__all__ = ["SoundSpan", "read_segments", "read_span", "resample"]

# The packet before is decoded too, since codecs add what overlaps.
_RUN_UP_S = 0.2
# Time stamps are rounded, in Matroska to 1 ms; what is further off is a hole or a jump.
_JITTER_S = 0.02


@dataclass(frozen=True)
class SoundSpan:
    """A stretch of sound.

    Attributes:
        samples: float32 (N,), mono, -1..1; silent where the file has nothing.
        rate_hz: samples a second, the file's own.
    """

    samples: np.ndarray
    rate_hz: int


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
    with open_guarded(path) as file:
        if not file.streams.audio:
            raise MediaError(Reason.NO_AUDIO, f"{path.name}: has no sound")
        stream = file.streams.audio[0]
        only(file, stream)
        rate_hz = stream.codec_context.sample_rate
        if not rate_hz:
            raise MediaError(Reason.CORRUPT, f"{path.name}: its sound has no sample rate")
        origin_s = (file.start_time or 0) / av.time_base + start_s
        samples = np.zeros(round(duration_s * rate_hz), np.float32)
        if start_s > _RUN_UP_S:
            file.seek(int((origin_s - _RUN_UP_S) * av.time_base))
        for first, block in _blocks(file, stream, rate_hz, origin_s):
            if first >= len(samples):
                break
            begin, skipped = max(first, 0), max(-first, 0)
            piece = block[skipped : skipped + len(samples) - begin]
            samples[begin : begin + len(piece)] = piece
    return SoundSpan(samples, rate_hz)


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


def _blocks(
    file: InputContainer, stream: AudioStream, rate_hz: int, origin_s: float
) -> Iterator[tuple[int, np.ndarray]]:
    """Mono blocks, each with the place of its first sample."""
    mixer = MonoMixer(rate_hz)
    place: int | None = None
    for frame in file.decode(stream):
        stamped = None if frame.time is None else round((frame.time - origin_s) * rate_hz)
        block = mixer.mix(frame)
        if stamped is not None and (place is None or abs(stamped - place) > _JITTER_S * rate_hz):
            place = stamped
        if place is not None:
            yield place, block
            place += len(block)
