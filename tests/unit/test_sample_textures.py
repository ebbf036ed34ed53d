"""Sources whose sound is random in detail, and what moves without a sound."""

import librosa
import numpy as np
import pytest

from sample.canvas import SIZE_PX
from sample.silent_to_sound.distractor import Moth
from sample.silent_to_sound.picture import frames
from sample.silent_to_sound.sound import SAMPLE_RATE_HZ, synthesize
from sample.silent_to_sound.textures import TEXTURES, TextureScene, build_texture_scene

INDICES = range(len(TEXTURES))
NAMES = [texture.name for texture in TEXTURES]


def loudness_dbfs(samples: np.ndarray) -> np.ndarray:
    """Of each quarter of a second."""
    parts = samples[: len(samples) // 12_000 * 12_000].reshape(-1, 12_000)
    return 10 * np.log10(np.square(parts).mean(axis=1))


def with_strength(index: int, level: float) -> TextureScene:
    scene = build_texture_scene(0, index).shortened(3.0)
    scene.knots[:, 1] = level
    return scene


@pytest.mark.parametrize("index", INDICES, ids=NAMES)
def test_a_source_is_the_same_each_time_and_others_differ(index: int):
    scene = build_texture_scene(4, index).shortened(2.0)
    other = build_texture_scene(4, index + len(TEXTURES)).shortened(2.0)

    assert np.array_equal(synthesize(scene), synthesize(scene))
    assert not np.array_equal(synthesize(scene), synthesize(other))
    assert scene.source_id != other.source_id
    assert (scene.label, scene.round, other.round) == (other.label, 0, 1)


@pytest.mark.parametrize("index", INDICES, ids=NAMES)
def test_what_is_stronger_is_louder_and_moves_more(index: int):
    weak, strong = (with_strength(index, level) for level in (0.2, 0.9))

    assert loudness_dbfs(synthesize(strong)).mean() > loudness_dbfs(synthesize(weak)).mean() + 6

    def change(scene: TextureScene) -> float:
        picture = np.stack(list(frames(scene))).astype(float)
        return float(np.abs(np.diff(picture, axis=0)).mean())

    assert change(strong) > 1.1 * change(weak)


@pytest.mark.parametrize("index", INDICES, ids=NAMES)
def test_loudness_follows_the_strength_that_is_seen(index: int):
    scene = build_texture_scene(1, index)
    loudness = loudness_dbfs(synthesize(scene))
    strength = scene.strength((np.arange(len(loudness)) + 0.5) / 4)

    assert np.corrcoef(strength, loudness)[0, 1] > 0.7


def test_strength_stays_between_its_knots():
    scene = build_texture_scene(2, 0)

    assert scene.strength(scene.knots[:, 0]) == pytest.approx(scene.knots[:, 1])
    between = scene.strength(np.linspace(0, scene.duration_s, 1000))
    assert scene.knots[:, 1].min() <= between.min()
    assert between.max() <= scene.knots[:, 1].max()
    assert np.abs(np.diff(between)).max() < 0.05


def test_textures_sound_differently():
    def spectrum(index: int) -> np.ndarray:
        samples = synthesize(with_strength(index, 0.7))
        mel = librosa.feature.melspectrogram(y=samples, sr=SAMPLE_RATE_HZ, n_mels=40)
        level = np.log(mel.mean(axis=1) + 1e-9)
        return level - level.mean()

    spectra = [spectrum(index) for index in INDICES]
    for n in INDICES:
        for m in range(n):
            assert np.abs(spectra[n] - spectra[m]).mean() > 0.4, (NAMES[n], NAMES[m])


def test_a_moth_is_in_half_of_the_scenes_and_flies():
    moths = [Moth(np.random.default_rng(n), 10.0) for n in range(200)]

    assert 70 < sum(moth.is_there for moth in moths) < 130
    moth = next(moth for moth in moths if moth.is_there)
    pictures = np.full((2, SIZE_PX, SIZE_PX, 3), 200, np.float32)
    for picture, time_s in zip(pictures, (1.0, 2.0), strict=True):
        moth.draw(picture, time_s)
    assert (pictures < 199).any(axis=(1, 2, 3)).all()
    assert (pictures[0] != pictures[1]).any()
