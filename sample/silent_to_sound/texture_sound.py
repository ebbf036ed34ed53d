"""Sound of rain, fire, wind and a crowd: noise and many small events, as strong as in the picture.

Legend: N samples.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sample.silent_to_sound.textures import TextureScene

__all__ = ["synthesize_texture"]

_DROPS_PER_S, _DROP_KINDS = 260.0, 6
_CRACKS_PER_S, _CRACK_KINDS = 22.0, 6
_VOICES = 10

Samples = NDArray[np.floating]
Make = Callable[[Samples, int, np.random.Generator], Samples]


def synthesize_texture(scene: TextureScene, sample_rate_hz: int) -> NDArray[np.float32]:
    """Sound of a whole scene.

    Returns:
        float32 (N,), mono, in -1..1.
    """
    rng = np.random.default_rng([*scene.seed, 11])
    times_s = np.arange(round(scene.duration_s * sample_rate_hz)) / sample_rate_hz
    sound = _MAKERS[scene.texture.name](scene.strength(times_s), sample_rate_hz, rng)
    return np.tanh(sound).astype(np.float32)


def _rain(strength_N: Samples, rate_hz: int, rng: np.random.Generator) -> Samples:
    """A hiss, and drops on a hard ground."""
    hiss_N = 0.05 * strength_N**1.5 * _noise(len(strength_N), rate_hz, (1500, 9000), rng)
    sound_N = hiss_N
    for _ in range(_DROP_KINDS):
        drop = _ringing(rng.uniform(1500, 6000), rng.uniform(0.002, 0.006), rate_hz)
        drops = _events(_DROPS_PER_S / _DROP_KINDS * strength_N**1.5, rate_hz, rng)
        sound_N = sound_N + 0.12 * _placed(drops, drop)
    return sound_N


def _fire(strength_N: Samples, rate_hz: int, rng: np.random.Generator) -> Samples:
    """A low rumble, and twigs that crack."""
    sound_N = 0.09 * strength_N * _noise(len(strength_N), rate_hz, (40, 350), rng)
    for _ in range(_CRACK_KINDS):
        length = int(0.03 * rate_hz)
        decay_s = rng.uniform(0.001, 0.006)
        crack = rng.standard_normal(length) * np.exp(-np.arange(length) / (decay_s * rate_hz))
        cracks = _events(_CRACKS_PER_S / _CRACK_KINDS * strength_N, rate_hz, rng)
        sound_N = sound_N + 0.2 * _placed(cracks, crack)
    return sound_N


def _wind(strength_N: Samples, rate_hz: int, rng: np.random.Generator) -> Samples:
    """Noise that gets higher as it gets stronger."""
    bands_hz = ((80, 250), (250, 600), (600, 1400))
    rises = (0.8, 1.6, 3.0)
    sound_N = np.zeros(len(strength_N))
    for band_hz, rise in zip(bands_hz, rises, strict=True):
        sound_N += 0.09 * strength_N**rise * _noise(len(strength_N), rate_hz, band_hz, rng)
    return sound_N


def _crowd(strength_N: Samples, rate_hz: int, rng: np.random.Generator) -> Samples:
    """Voices that come in one after another as it gets stronger, each in syllables of its own."""
    times_s = np.arange(len(strength_N)) / rate_hz
    sound_N = 0.04 * strength_N * _noise(len(strength_N), rate_hz, (300, 3000), rng)
    for voice in range(_VOICES):
        pitch_hz = rng.uniform(110, 320) * (1 + 0.06 * _slow(times_s, 3.0, rng))
        phase_N = 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
        formants_hz = rng.uniform((350, 900), (850, 2300))
        tone_N = np.zeros(len(times_s))
        for harmonic in range(1, 12):
            near = np.abs(np.log(harmonic * pitch_hz.mean() / formants_hz)).min()
            tone_N += np.exp(-4 * near) / harmonic**0.3 * np.sin(harmonic * phase_N)
        syllables_N = np.clip(_slow(times_s, rng.uniform(3, 6), rng), 0, None)
        present_N = np.clip(strength_N * _VOICES - voice, 0, 1)
        sound_N += 0.04 * present_N * syllables_N * tone_N
    return sound_N


_MAKERS: dict[str, Make] = {"rain": _rain, "fire": _fire, "wind": _wind, "crowd": _crowd}


def _noise(
    length: int, rate_hz: int, band_hz: tuple[float, float], rng: np.random.Generator
) -> Samples:
    """Noise of a deviation of one, mostly between two frequencies."""
    pitch_hz = np.fft.rfftfreq(length, 1 / rate_hz) + 1e-3
    low_hz, high_hz = band_hz
    gain = 1 / (1 + (low_hz / pitch_hz) ** 4) / (1 + (pitch_hz / high_hz) ** 4)
    shaped_N = np.fft.irfft(np.fft.rfft(rng.standard_normal(length)) * gain, length)
    return shaped_N / shaped_N.std()


def _slow(times_s: Samples, changes_hz: float, rng: np.random.Generator) -> Samples:
    """Something between -1 and 1 that changes so many times a second."""
    knots_s = np.arange(0, times_s[-1] + 2 / changes_hz, 1 / changes_hz)
    return np.interp(times_s, knots_s, rng.uniform(-1, 1, len(knots_s)))


def _events(per_s: Samples, rate_hz: int, rng: np.random.Generator) -> Samples:
    """Impulses of random strength at random instants, so many a second."""
    happens_N = rng.random(len(per_s)) < per_s / rate_hz
    return happens_N * rng.exponential(0.6, len(per_s))


def _ringing(pitch_hz: float, decay_s: float, rate_hz: int) -> Samples:
    times_s = np.arange(int(6 * decay_s * rate_hz)) / rate_hz
    return np.sin(2 * np.pi * pitch_hz * times_s) * np.exp(-times_s / decay_s)


def _placed(impulses_N: Samples, event: Samples) -> Samples:
    """The event at every impulse."""
    size = 1 << (len(impulses_N) + len(event)).bit_length()  # fast, whatever the length
    product = np.fft.rfft(impulses_N, size) * np.fft.rfft(event, size)
    return np.fft.irfft(product, size)[: len(impulses_N)]
