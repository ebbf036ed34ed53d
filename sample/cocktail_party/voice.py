"""A talker's voice: a source and a filter, as in formant synthesis.

Every pulse of the glottis rings in the tract as it is at that instant: a sum of decaying waves, one
a formant, with the weights that a cascade of resonators gives them (Klatt 1980, figure 3; pulses
that ring one by one after Rodet, "Time-Domain Formant-Wave-Function Synthesis", 1984). Breath and
hiss are noise in the shape of the tract, or of the place where it is made.

Legend: T instants, K formants, N samples, P pulses, F frequencies.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sample.cocktail_party.speech import RATE_HZ, Tracks

__all__ = ["SAMPLE_RATE_HZ", "Voice", "make_voice", "sing"]

SAMPLE_RATE_HZ = 16_000
_UPPER_FORMANTS_HZ = (3500.0, 4500.0, 5500.0)
_BANDWIDTHS_HZ = (70.0, 90.0, 130.0, 200.0, 300.0, 400.0)
_RING_S = 0.028
_NOISE_WINDOW = 320
_HOP = SAMPLE_RATE_HZ // RATE_HZ
_ROOM_TONE = 0.0005
_LOUDNESS = 0.08
_PITCHES_HZ = (85.0, 265.0)
_TRACTS = (0.94, 1.2)


@dataclass(frozen=True)
class Voice:
    """What makes a voice this one.

    Attributes:
        pitch_hz: in the middle of a phrase.
        melody: how much stress and phrases raise and lower it, in octaves.
        tract: formants are so many times those of an average man's.
        accent: (K,) how many times each of the three formants is another talker's.
        breath: loudness of breath beside the voice, 0..1.
        edge_hz: above it the voice falls by 6 dB an octave: high for a bright one.
        roughness: how much pulses differ from their time and loudness.
        tempo: 1 for ordinary.
    """

    pitch_hz: float
    melody: float
    tract: float
    accent: tuple[float, float, float]
    breath: float
    edge_hz: float
    roughness: float
    tempo: float


def make_voice(rng: np.random.Generator) -> Voice:
    """Make up a voice; high ones come from shorter tracts, more or less."""
    low_hz, high_hz = _PITCHES_HZ
    height = float(rng.uniform())
    size = float(np.clip(0.75 * height + 0.25 * rng.uniform() + rng.normal(0, 0.08), 0, 1))
    first, second, third = (1 + np.clip(rng.normal(0, 0.04, 3), -0.08, 0.08)).tolist()
    return Voice(
        pitch_hz=low_hz * (high_hz / low_hz) ** height,
        melody=float(rng.uniform(0.15, 0.45)),
        tract=_TRACTS[0] + (_TRACTS[1] - _TRACTS[0]) * size,
        accent=(first, second, third),
        breath=float(rng.uniform(0.01, 0.08)),
        edge_hz=float(rng.uniform(150, 700)),
        roughness=float(rng.uniform(0.003, 0.02)),
        tempo=float(rng.uniform(0.85, 1.2)),
    )


def sing(voice: Voice, tracks: Tracks, rng: np.random.Generator) -> NDArray[np.float32]:
    """The sound of a talker who says something.

    Args:
        voice: whose voice.
        tracks: what is said.
        rng: pulses and noise are never quite alike.

    Returns:
        float32 (N,) at `SAMPLE_RATE_HZ` in -1..1; a picture at t shows the lips of what sounds at
        sample t * SAMPLE_RATE_HZ.
    """
    length = (len(tracks.voice) - 1) * _HOP
    formants_TK = _formants_hz(voice, tracks)
    sound_N = _voiced(voice, tracks, formants_TK, length, rng)
    sound_N += _noise(voice, tracks, formants_TK, length, rng)
    loud = np.sqrt(np.mean(sound_N**2)) + 1e-9
    sound_N *= _LOUDNESS * rng.uniform(0.7, 1.4) / loud
    sound_N += rng.normal(0, _ROOM_TONE, length)
    return np.tanh(sound_N).astype(np.float32)


def _formants_hz(voice: Voice, tracks: Tracks) -> NDArray[np.float64]:
    lower_TK = tracks.formants_hz * np.array(voice.accent)
    upper_TK = np.broadcast_to(np.array(_UPPER_FORMANTS_HZ), (len(lower_TK), 3))
    found_TK = voice.tract * np.concatenate([lower_TK, upper_TK], axis=1)
    return np.minimum(found_TK, 0.49 * SAMPLE_RATE_HZ)


def _voiced(
    voice: Voice,
    tracks: Tracks,
    formants_TK: NDArray[np.float64],
    length: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    at_P, loudness_P = _pulses(voice, tracks, length, rng)
    place_P = at_P / _HOP
    index_T = np.arange(len(formants_TK))
    formants_PK = np.stack([np.interp(place_P, index_T, track) for track in formants_TK.T], axis=1)
    rings_PN = _rings(formants_PK, voice.edge_hz, at_P)
    rings_PN *= loudness_P[:, None]
    sound_N = np.zeros(length + rings_PN.shape[1] + 1)
    for first, ring_N in zip(np.ceil(at_P).astype(int), rings_PN, strict=True):
        sound_N[first : first + len(ring_N)] += ring_N
    return sound_N[:length]


def _pulses(
    voice: Voice, tracks: Tracks, length: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """When the glottis shuts, in samples, and how hard: (P,) each."""
    drift_T = np.cumsum(rng.normal(0, 0.004, len(tracks.voice)))
    drift_T -= np.linspace(0, drift_T[-1], len(drift_T))
    octaves_T = voice.melody * (0.4 - 0.8 * tracks.phrase + 0.7 * (tracks.stress - 0.6)) + drift_T
    pitch_T = voice.pitch_hz * 2**octaves_T
    times_N = np.arange(length)
    phase_N = np.cumsum(np.interp(times_N / _HOP, np.arange(len(pitch_T)), pitch_T))
    phase_N /= SAMPLE_RATE_HZ
    at_P = np.interp(np.arange(1, int(phase_N[-1])), phase_N, times_N)
    period_P = np.gradient(at_P)
    at_P = at_P + voice.roughness * period_P * rng.normal(0, 1, len(at_P))
    loudness_P = np.interp(at_P / _HOP, np.arange(len(tracks.voice)), tracks.voice)
    loudness_P = loudness_P * (1 + 3 * voice.roughness * rng.normal(0, 1, len(at_P)))
    # A pulse carries as much as its period is long, so that a high voice is not louder.
    loudness_P = loudness_P * np.sqrt(period_P)
    heard = (loudness_P > 1e-3) & (at_P >= 0)
    return at_P[heard], loudness_P[heard]


def _rings(
    formants_PK: NDArray[np.float64], edge_hz: float, at_P: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What each pulse sounds like from the sample behind it on: float64 (P, N)."""
    bandwidths_K = np.array(_BANDWIDTHS_HZ)
    poles_PK = -np.pi * bandwidths_K + 2j * np.pi * formants_PK
    edge = 2 * np.pi * edge_hz
    weights_PK = edge / (poles_PK + edge)
    for k in range(poles_PK.shape[1]):
        pole_P1, power_P1 = poles_PK[:, k, None], np.abs(poles_PK[:, k, None]) ** 2
        own = np.arange(poles_PK.shape[1]) == k
        others = power_P1 / ((poles_PK - pole_P1) * (poles_PK - pole_P1.conj()) + own)
        weights_PK *= np.where(own, np.abs(poles_PK) ** 2 / poles_PK.imag, others)
    count = round(_RING_S * SAMPLE_RATE_HZ)
    first_P1 = (np.ceil(at_P) - at_P)[:, None]
    rings_PN = np.zeros((len(at_P), count), np.float64)
    for k in range(poles_PK.shape[1]):
        step_P1 = (poles_PK[:, k, None] / SAMPLE_RATE_HZ).astype(np.complex64)
        waves_PN = np.exp(step_P1 * (first_P1 + np.arange(count)).astype(np.float32))
        rings_PN += (weights_PK[:, k, None] * waves_PN).imag
    return rings_PN / SAMPLE_RATE_HZ


def _noise(
    voice: Voice,
    tracks: Tracks,
    formants_TK: NDArray[np.float64],
    length: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Breath and hiss: white noise, shaped anew every 5 ms, windows added up."""
    frequencies_F = np.fft.rfftfreq(_NOISE_WINDOW, 1 / SAMPLE_RATE_HZ).astype(np.float64)
    breath_T1 = (tracks.breath + voice.breath * tracks.voice)[:, None]
    hiss_TF = np.exp(
        -0.5 * ((frequencies_F - tracks.hiss_hz[:, None]) / tracks.hiss_width_hz[:, None]) ** 2
    )
    shape_TF = 0.6 * breath_T1 * _tract(formants_TK, frequencies_F)
    shape_TF += 1.2 * tracks.hiss[:, None] * hiss_TF
    white_N = rng.normal(0, 1, length + _NOISE_WINDOW)
    starts_T = np.minimum(np.arange(len(shape_TF)) * _HOP, length)
    window_N = np.hanning(_NOISE_WINDOW + 1)[:-1]
    pieces_TN = white_N[starts_T[:, None] + np.arange(_NOISE_WINDOW)] * window_N
    shaped_TN = np.fft.irfft(np.fft.rfft(pieces_TN) * shape_TF, _NOISE_WINDOW)
    sound_N = np.zeros(length + 2 * _NOISE_WINDOW)
    for start, piece_N in zip(starts_T, shaped_TN, strict=True):
        sound_N[start : start + _NOISE_WINDOW] += piece_N
    half = _NOISE_WINDOW // 2
    return sound_N[half : half + length] * _HOP / _NOISE_WINDOW


def _tract(
    formants_TK: NDArray[np.float64], frequencies_F: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How strongly the tract answers to each frequency: (T, F), 1 at 0 Hz."""
    gain_TF = np.ones((len(formants_TK), len(frequencies_F)))
    for k, width in enumerate(_BANDWIDTHS_HZ):
        formant_T1 = formants_TK[:, k, None]
        gain_TF *= formant_T1**2 / np.abs(
            formant_T1**2 - frequencies_F**2 + 1j * 1.5 * width * frequencies_F
        )
    return gain_TF
