"""Rooms: synthetic impulse responses, and what of them a listener takes for the voice itself.

Legend: N samples.
"""

import numpy as np
from scipy.signal import fftconvolve

__all__ = ["in_room"]

_DECAY_S = (0.15, 0.6)
"""Reverberation time: how long the sound takes to fall by 60 dB."""
_DIRECT_DB = (0.0, 12.0)
"""How much stronger the direct sound is than all that follows."""
_EARLY_S = 0.05
"""What comes within 50 ms is heard as one with the direct sound (Haas 1951)."""
_FIRST_ECHO_S = (0.002, 0.012)


def in_room(voice_N: np.ndarray, sample_rate_hz: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A voice somewhere in a room: noise that decays exponentially follows the direct sound.

    Polack 1988, "La transmission de l'énergie sonore dans les salles": late reverberation is like
    noise under an exponential envelope.

    Args:
        voice_N: float32, dry.
        sample_rate_hz: its rate.
        seed: of the room and the place in it.

    Returns:
        what is heard, and what is to be found: the direct sound and the first 50 ms; both as long
        as the voice.
    """
    rng = np.random.default_rng(seed)
    decay_s, first_s = rng.uniform(*_DECAY_S), rng.uniform(*_FIRST_ECHO_S)
    length, first = round(decay_s * sample_rate_hz), round(first_s * sample_rate_hz)
    time_N = np.arange(length) / sample_rate_hz
    tail_N = rng.normal(size=length) * 10 ** (-3 * time_N / decay_s)
    tail_N[:first] = 0
    tail_N *= 10 ** (-rng.uniform(*_DIRECT_DB) / 20) / max(float(np.linalg.norm(tail_N)), 1e-9)
    tail_N[0] = 1.0
    early = round(_EARLY_S * sample_rate_hz)
    heard, wanted = (
        fftconvolve(voice_N, response)[: len(voice_N)].astype(np.float32)
        for response in (tail_N, tail_N[:early])
    )
    return heard, wanted
