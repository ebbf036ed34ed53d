"""How a scene sounds: every hit excites the modes of the body that it meets.

Modal synthesis after van den Doel and Pai, "The Sounds of Physical Shapes" (1998), equation 1:
the sound of a hit is a sum of sinusoids that decay exponentially.
"""

import numpy as np
from numpy.typing import NDArray

from sample.silent_to_sound.materials import REFERENCE_RADIUS_M, Material
from sample.silent_to_sound.texture_sound import synthesize_texture
from sample.silent_to_sound.textures import TextureScene
from sample.silent_to_sound.world import Impact, Scene

__all__ = ["SAMPLE_RATE_HZ", "synthesize"]

SAMPLE_RATE_HZ = 48_000
ROOM_TONE = 0.0002
LOUDNESS = 0.11
"""Amplitude of a hit at 1 m/s."""
SPEED_EXPONENT = 0.8
CLICK_S = 0.004


def synthesize(scene: Scene | TextureScene) -> NDArray[np.float32]:
    """Sound of a whole scene.

    Returns:
        float32 (N,), mono at SAMPLE_RATE_HZ, in -1..1; a hit at t starts at sample
        round(t * SAMPLE_RATE_HZ).
    """
    if isinstance(scene, TextureScene):
        return synthesize_texture(scene, SAMPLE_RATE_HZ)
    rng = np.random.default_rng([*scene.seed, 1])
    length = round(scene.duration_s * SAMPLE_RATE_HZ)
    sound = rng.standard_normal(length, dtype=np.float32) * np.float32(ROOM_TONE)
    modes: dict[float, NDArray[np.float32]] = {}
    for impact in scene.impacts:
        if impact.radius_m not in modes:
            modes = {impact.radius_m: _modes(scene.material, impact.radius_m)}
        hit = _hit(impact, modes[impact.radius_m], scene.material.click, rng)
        start = round(impact.time_s * SAMPLE_RATE_HZ)
        end = min(length, start + len(hit))
        sound[start:end] += hit[: end - start]
    return np.tanh(sound)


def _modes(material: Material, radius_m: float) -> NDArray[np.float32]:
    """The decaying modes of a body, float32 (K, N); larger bodies sound lower and longer."""
    size = radius_m / REFERENCE_RADIUS_M
    ratios = np.array(material.ratios)
    pitches_hz = material.pitch_hz / size * ratios
    decays_s = material.decay_s * size / np.sqrt(ratios)
    times_s = np.arange(int(7 * decays_s[0] * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    waves = np.sin(2 * np.pi * pitches_hz[:, None] * times_s)
    waves *= np.exp(-times_s / decays_s[:, None]) / np.sqrt(len(ratios))
    return waves.astype(np.float32)


def _hit(
    impact: Impact, modes: NDArray[np.float32], click: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """One hit: where it lands on the body changes how strongly each mode answers."""
    loudness = LOUDNESS * impact.speed_m_s**SPEED_EXPONENT
    hit = np.zeros(modes.shape[1], dtype=np.float32)
    for strength, mode in zip(rng.uniform(0.6, 1.2, len(modes)), modes, strict=True):
        hit += np.float32(loudness * strength) * mode
    length = min(len(hit), 5 * round(CLICK_S * SAMPLE_RATE_HZ))
    fade = np.exp(-np.arange(length) / (CLICK_S * SAMPLE_RATE_HZ))
    noise = rng.standard_normal(length) * fade
    hit[:length] += (loudness * 0.5 * click * noise).astype(np.float32)
    return hit
