from dataclasses import replace

import librosa
import mir_eval
import numpy as np
import pytest

from sample.silent_to_sound.materials import MATERIALS, Material
from sample.silent_to_sound.sound import SAMPLE_RATE_HZ, synthesize
from sample.silent_to_sound.world import Impact, Scene, build_scene

MATERIAL_NAMES = [material.name for material in MATERIALS]


def scene_of(material: Material, *impacts: Impact, duration_s: float = 1.0) -> Scene:
    return replace(build_scene(0, 0), material=material, impacts=impacts, duration_s=duration_s)


def one_hit(material: Material, speed_m_s: float = 3.0, radius_m: float = 0.13) -> np.ndarray:
    hit = Impact(0.2345678, speed_m_s, "bounce", radius_m)
    return synthesize(scene_of(material, hit))[round(hit.time_s * SAMPLE_RATE_HZ) :]


def peak_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples[: SAMPLE_RATE_HZ // 4]))
    return float(np.fft.rfftfreq(SAMPLE_RATE_HZ // 4, 1 / SAMPLE_RATE_HZ)[spectrum.argmax()])


def test_same_scene_gives_same_samples():
    scene = build_scene(3, 4).shortened(5.0)

    assert np.array_equal(synthesize(scene), synthesize(scene))


def test_sound_is_as_long_as_the_picture_and_in_range():
    scene = build_scene(3, 4).shortened(5.0)

    samples = synthesize(scene)

    assert samples.dtype == np.float32
    assert len(samples) == 5 * SAMPLE_RATE_HZ
    assert 0.2 < np.abs(samples).max() <= 1


@pytest.mark.parametrize("material", MATERIALS, ids=MATERIAL_NAMES)
def test_sound_starts_at_the_instant_of_the_hit(material: Material):
    hit = Impact(0.3217, 3.0, "bounce", 0.13)

    samples = synthesize(scene_of(material, hit))

    loud = np.flatnonzero(np.abs(samples) > 0.01)
    assert loud[0] / SAMPLE_RATE_HZ == pytest.approx(hit.time_s, abs=0.001)


@pytest.mark.parametrize("material", MATERIALS, ids=MATERIAL_NAMES)
def test_faster_hits_are_louder(material: Material):
    slow, fast = (np.square(one_hit(material, speed)).sum() for speed in (1.0, 3.0))

    assert fast > 3 * slow


@pytest.mark.parametrize("material", MATERIALS, ids=MATERIAL_NAMES)
def test_smaller_bodies_sound_higher(material: Material):
    quiet_click = replace(material, click=0.0)

    small_hz = peak_hz(one_hit(quiet_click, radius_m=0.09))
    large_hz = peak_hz(one_hit(quiet_click, radius_m=0.17))

    assert small_hz > large_hz


def test_materials_differ_in_pitch_and_decay():
    def decay_s(samples: np.ndarray) -> float:
        energy = np.cumsum(np.square(samples))
        return float(np.searchsorted(energy, 0.9 * energy[-1])) / SAMPLE_RATE_HZ

    sounds = {material.name: one_hit(material) for material in MATERIALS}

    assert peak_hz(sounds["rubber"]) < peak_hz(sounds["wood"]) < peak_hz(sounds["glass"])
    assert decay_s(sounds["stone"]) < decay_s(sounds["wood"]) < decay_s(sounds["metal"])


@pytest.mark.parametrize("index", range(len(MATERIALS)), ids=MATERIAL_NAMES)
def test_onsets_can_be_heard_where_they_are(index: int):
    scene = build_scene(0, index).shortened(20.0)
    samples = synthesize(scene)
    heard = librosa.resample(
        samples, orig_sr=SAMPLE_RATE_HZ, target_sr=16_000, res_type="polyphase"
    )

    onsets_s = librosa.onset.onset_detect(y=heard, sr=16_000, hop_length=160, units="time")

    truth_s = np.array([hit.time_s for hit in scene.impacts])
    f1, _, _ = mir_eval.onset.f_measure(truth_s, onsets_s, window=0.05)
    assert f1 >= 0.95
