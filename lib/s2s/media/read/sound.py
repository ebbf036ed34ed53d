"""Sound as arrays."""

import math
from pathlib import Path

import av
import numpy as np

from s2s.errors import MediaError
from s2s.media.guard.door import MediaLimits, open_guarded
from s2s.media.guard.streams import only, sound_stream
from s2s.media.read.placement import decode_blocks, place_blocks
from s2s.media.read.segments import SoundSpan, resample
from s2s.reasons import Reason

__all__ = ["read_audio"]

# Time stamps may claim anything, and silence takes memory too.
_MAX_S = MediaLimits().max_duration_s


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
