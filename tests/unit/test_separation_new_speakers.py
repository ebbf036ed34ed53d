"""What training does to few voices, so that they are more: other speakers, pauses, noise alone."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from talker_clips import PICTURES, RATE_HZ, separation_recipe, store_talkers

from s2s.tasks.separation.data import Mixer, MixtureDataset, Talkers
from s2s.tasks.separation.data.disguise import disguised
from s2s.tasks.separation.data.noise import NoiseSource
from s2s.tasks.separation.data.plan import FacePlan, MixturePlan
from s2s.tasks.separation.settings import MixingSettings

PER_PICTURE = RATE_HZ // 25
PITCH_HZ = 125


@pytest.fixture
def mixer(tmp_path: Path) -> Mixer:
    talkers = Talkers(store_talkers(tmp_path, ("ann", "bob", "cid")))
    return Mixer(talkers, separation_recipe().spec, NoiseSource(None, RATE_HZ))


def dataset(mixer: Mixer, *, new_lips: bool = False, **settings: float) -> MixtureDataset:
    mixing = MixingSettings(three_speakers=0, **settings)  # pyright: ignore[reportArgumentType]
    return MixtureDataset(mixer, mixing, PICTURES, 4, count=400, seed=3, new_lips=new_lips)


def vowel(formant_hz: float) -> np.ndarray:
    """A second of a pulse at 125 Hz that rings at one frequency."""
    time_N = np.arange(RATE_HZ) / RATE_HZ
    ring = np.exp(-time_N[:400] * 400) * np.sin(2 * np.pi * formant_hz * time_N[:400])
    pulses_N = (np.arange(RATE_HZ) % (RATE_HZ // PITCH_HZ) == 0).astype(float)
    return np.convolve(pulses_N, ring)[:RATE_HZ].astype(np.float32)


def spectrum(voice_N: np.ndarray) -> np.ndarray:
    """Power at every hertz."""
    return np.abs(np.fft.rfft(voice_N)) ** 2


def test_another_speaker_has_other_formants_at_the_same_pitch_and_loudness():
    voice_N = vowel(1000)
    power_F = spectrum(voice_N)
    centre_hz = float((np.arange(len(power_F)) * power_F).sum() / power_F.sum())
    moved = []
    for seed in range(12):
        other_N = disguised(voice_N, RATE_HZ, seed)
        assert other_N.dtype == np.float32
        assert np.std(other_N) == pytest.approx(np.std(voice_N), rel=0.02)
        of_F = spectrum(other_N)
        moved.append((np.arange(len(of_F)) * of_F).sum() / of_F.sum() / centre_hz)
        partials = of_F[PITCH_HZ::PITCH_HZ].sum() / of_F.sum()
        assert partials > 0.9, "what rings is still made of the pitch's multiples"
    assert min(moved) < 0.93
    assert max(moved) > 1.07
    np.testing.assert_array_equal(disguised(voice_N, RATE_HZ, 5), disguised(voice_N, RATE_HZ, 5))


@pytest.mark.parametrize("length", [1, 127, 128, 129, 16000])
def test_another_speaker_says_as_much(length: int):
    silence_N = np.zeros(length, np.float32)
    assert not disguised(silence_N, RATE_HZ, 1).any()
    noise_N = np.random.default_rng(0).normal(size=length).astype(np.float32)
    other_N = disguised(noise_N, RATE_HZ, 1)
    assert other_N.shape == noise_N.shape
    assert np.isfinite(other_N).all()


def test_so_many_voices_are_made_others(mixer: Mixer):
    plans = [dataset(mixer, disguise=0.4).plan(index) for index in range(400)]
    share = np.mean([face.disguise is not None for plan in plans for face in plan.faces])
    assert share == pytest.approx(0.4, abs=0.06)
    plain = dataset(mixer, noise=0.0).plan(0)
    faces = [face.model_copy(update={"disguise": 7}) for face in plain.faces]
    mixed = mixer.mix(plain.model_copy(update={"faces": tuple(faces)}), PICTURES)
    np.testing.assert_allclose(mixed.mixture_N, mixed.voices_SN.sum(axis=0), atol=1e-6)
    assert not np.allclose(mixed.voices_SN, mixer.mix(plain, PICTURES).voices_SN, atol=1e-3)


def test_one_voice_beside_noise_alone_comes_in_whole_batches(mixer: Mixer):
    data = dataset(mixer, alone=0.3, noise=0.1)
    plans = [data.plan(index) for index in range(400)]
    alone = [len(plan.faces) == 1 for plan in plans]
    assert np.mean(alone) == pytest.approx(0.3, abs=0.1)
    assert all(len(set(alone[n : n + 4])) == 1 for n in range(0, 400, 4))
    for plan, is_alone in zip(plans, alone, strict=True):
        assert plan.noise is not None or not is_alone
        assert (plan.condition == "noise") == is_alone


def test_a_voice_that_pauses_is_silent_and_its_lips_are_nearly_shut(mixer: Mixer):
    pause, told = (5, 15), []
    for seed in range(40):
        face = FacePlan(clip_id="clip-0", lips=seed)
        whole = mixer.mix(MixturePlan(condition="noise", faces=(face,)))
        paused = mixer.mix(
            MixturePlan(condition="noise", faces=(face.model_copy(update={"pause": pause}),))
        )
        inner = slice(6 * PER_PICTURE, 14 * PER_PICTURE)
        assert np.abs(paused.voices_SN[0, inner]).max() < 1e-6
        after = slice(16 * PER_PICTURE, None)
        np.testing.assert_allclose(paused.voices_SN[0, after], whole.voices_SN[0, after], atol=1e-6)
        told.append([mixed.lips_STD[0, 8:12, 0].mean() for mixed in (whole, paused)])
    opened, shut = np.mean(told, axis=0)
    assert shut < 0.75 * opened


def test_voices_pause_in_the_share_that_is_asked_for_where_lips_are_made(mixer: Mixer):
    data = dataset(mixer, new_lips=True, pauses=0.5)
    faces = [face for index in range(200) for face in data.plan(index).faces]
    assert np.mean([face.pause is not None for face in faces]) == pytest.approx(0.5, abs=0.08)
    filmed = dataset(mixer, pauses=0.5)
    assert {face.pause for index in range(50) for face in filmed.plan(index).faces} == {None}


@pytest.mark.parametrize(
    ("mixing", "said"),
    [
        ({"alone": 0.9}, r"alone 0\.9: with three_speakers 0\.15 it is more than 1"),
        ({"alone": 0.1, "noise": 0.0}, r"alone 0\.1: noise is 0: raise it, or set alone to 0"),
    ],
)
def test_shares_that_do_not_go_together_are_refused(mixing: dict[str, float], said: str):
    with pytest.raises(ValidationError, match=said):
        separation_recipe(training={"mixing": mixing})
