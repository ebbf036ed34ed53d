"""Sound as arrays."""

from pathlib import Path

import numpy as np

from s2s.errors import MediaError
from s2s.media.guard.door import only, open_guarded
from s2s.media.read.mono import MonoMixer
from s2s.media.read.segments import SoundSpan, resample
from s2s.reasons import Reason

__all__ = ["read_audio"]


def read_audio(path: Path, sample_rate_hz: int) -> np.ndarray:
    """Read the first sound stream, mixed to mono.

    Sound that starts late is padded with silence, so that sample 0 is time 0 of the file.

    Args:
        path: a video or a sound file.
        sample_rate_hz: samples a second to return.

    Returns:
        float32 (N,), -1..1.

    Raises:
        MediaError: `no_audio` without sound, `corrupt` if it cannot be decoded.
    """
    with open_guarded(path) as file:
        if not file.streams.audio:
            raise MediaError(Reason.NO_AUDIO, f"{path.name}: has no sound")
        stream = file.streams.audio[0]
        only(file, stream)
        rate_hz = stream.codec_context.sample_rate or sample_rate_hz
        mixer = MonoMixer(rate_hz)
        first_s: float | None = None
        pieces: list[np.ndarray] = []
        for frame in file.decode(stream):
            if first_s is None:
                first_s = frame.time or 0.0
            pieces.append(mixer.mix(frame))
    if first_s is None or not pieces:
        raise MediaError(Reason.NO_AUDIO, f"{path.name}: its sound holds nothing")
    late = np.zeros(max(0, round(first_s * sample_rate_hz)), np.float32)
    samples = resample(SoundSpan(np.concatenate(pieces), rate_hz), sample_rate_hz)
    return np.concatenate([late, samples])
