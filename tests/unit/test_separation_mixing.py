"""Mixtures: what they are made of, and that the same plan makes the same mixture."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from talker_clips import FPS, PICTURES, RATE_HZ, separation_recipe, store_talkers

from s2s.errors import SettingsError
from s2s.media import write_wav
from s2s.tasks.separation.data import Mixer, MixtureDataset, Talkers
from s2s.tasks.separation.data.clips import read_stretch
from s2s.tasks.separation.data.mixing import LEVEL
from s2s.tasks.separation.data.noise import NoiseSource
from s2s.tasks.separation.data.plan import FacePlan, MixturePlan, NoisePlan, plan_for
from s2s.tasks.separation.data.rooms import in_room
from s2s.tasks.separation.settings import CONDITIONS, Condition, MixingSettings

SPEC = separation_recipe().spec
SPEAKERS = ("ann", "ann", "bob", "bob", "cid", "dot")


@pytest.fixture
def mixer(tmp_path: Path) -> Mixer:
    return Mixer(Talkers(store_talkers(tmp_path, SPEAKERS)), SPEC, NoiseSource(None, RATE_HZ))


def dataset(mixer: Mixer, count: int = 400, **settings: object) -> MixtureDataset:
    mixing = MixingSettings.model_validate(settings)
    return MixtureDataset(mixer, mixing, PICTURES, batch_size=4, count=count, seed=3)


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


def test_a_mixture_is_the_sum_of_its_voices_and_its_noise(mixer: Mixer):
    faces = (FacePlan(clip_id="clip-0"), FacePlan(clip_id="clip-2", gain_db=-6))
    plan = MixturePlan(condition="different_voices", faces=faces)
    quiet = mixer.mix(plan)
    np.testing.assert_allclose(quiet.mixture_N, quiet.voices_SN.sum(axis=0), atol=1e-7)
    assert rms(quiet.voices_SN[0]) == pytest.approx(LEVEL, rel=1e-3)
    assert 20 * np.log10(rms(quiet.voices_SN[1]) / LEVEL) == pytest.approx(-6, abs=0.01)

    noisy = mixer.mix(plan.model_copy(update={"noise": NoisePlan(seed=1, snr_db=10)}))
    noise_N = noisy.mixture_N - quiet.mixture_N
    assert 20 * np.log10(rms(quiet.mixture_N) / rms(noise_N)) == pytest.approx(10, abs=0.01)
    louder = mixer.mix(plan.model_copy(update={"gain_db": 6.0}))
    np.testing.assert_allclose(louder.mixture_N, 10**0.3 * quiet.mixture_N, rtol=1e-4)


def test_voice_and_lips_of_a_window_are_of_the_same_time(mixer: Mixer):
    clip = mixer.talkers.clips[0]
    whole, part = read_stretch(clip, 0, PICTURES), read_stretch(clip, 5, 10)
    np.testing.assert_array_equal(part.lips_TD, whole.lips_TD[5:15])
    per_picture = RATE_HZ // FPS
    np.testing.assert_array_equal(part.voice_N, whole.voice_N[5 * per_picture : 15 * per_picture])
    beyond = read_stretch(clip, PICTURES - 2, 6)
    assert beyond.seen_T.tolist() == [True, True, False, False, False, False]
    assert not beyond.voice_N[2 * per_picture :].any()


def test_items_are_the_same_whenever_they_are_asked_for(mixer: Mixer):
    data = dataset(mixer, noise=0.5, reverb=0.5, speed=(0.9, 1.1))
    for index in (0, 7, 399):
        one, other = data[index], dataset(mixer, noise=0.5, reverb=0.5, speed=(0.9, 1.1))[index]
        assert all((one[name] == other[name]).all() for name in one)
    assert not (data[0]["mixture"] == data[4]["mixture"]).all()
    with pytest.raises(IndexError):
        data[400]


def test_mixtures_are_made_in_the_shares_that_are_asked_for(mixer: Mixer):
    data = dataset(
        mixer, three_speakers=0.25, same_voice=0.3, silent_face=0.2, noise=0.5, sir_db=(-3, 3)
    )
    plans = [data.plan(index) for index in range(400)]
    three = np.mean([len(plan.faces) == 3 for plan in plans])
    silent = np.mean([any(face.face != "speaks" for face in plan.faces) for plan in plans])
    noisy = np.mean([plan.noise is not None for plan in plans])
    assert (three, silent, noisy) == (
        pytest.approx(0.25, abs=0.1),
        pytest.approx(0.2, abs=0.06),
        pytest.approx(0.5, abs=0.08),
    )
    assert {face.face for plan in plans for face in plan.faces} == {"speaks", "rests", "muted"}
    assert {plan.condition for plan in plans} >= {"same_voice", "three_voices", "different_voices"}
    gains = [face.gain_db for plan in plans for face in plan.faces]
    assert min(gains) < -2 < 2 < max(gains)
    for start in range(0, 400, 4):  # a batch can be stacked
        assert len({data[n]["voices"].shape for n in range(start, start + 4)}) == 1
    firsts = Counter(face.clip_id for plan in plans for face in plan.faces)
    assert set(firsts) == {f"clip-{n}" for n in range(len(SPEAKERS))}


def test_a_face_that_says_nothing_is_not_heard(mixer: Mixer):
    faces = (FacePlan(clip_id="clip-0"), FacePlan(clip_id="clip-2", face="rests"))
    resting = mixer.mix(MixturePlan(condition="silent_face", faces=faces))
    muted_face = faces[1].model_copy(update={"face": "muted"})
    muted = mixer.mix(MixturePlan(condition="muted_face", faces=(faces[0], muted_face)))
    for mixed in (resting, muted):
        np.testing.assert_array_equal(mixed.mixture_N, mixed.voices_SN[0])
        assert not mixed.voices_SN[1].any()
        assert mixed.is_heard_S.tolist() == [True, False]
    spread, still = muted.lips_STD[1, :, 0].std(), resting.lips_STD[1, :, 0].std()
    assert still < 0.2 * spread
    # At rest the mouth is as it is where the clip is quiet: closed.
    assert resting.lips_STD[1, :, 0].mean() < 0.1 < muted.lips_STD[1, :, 0].mean()


@pytest.mark.parametrize("condition", CONDITIONS)
def test_held_out_mixtures_are_what_was_asked_for(mixer: Mixer, condition: Condition):
    plan = plan_for(mixer.talkers, 0, condition, 0, MixingSettings())
    assert plan.condition == condition
    assert plan == plan_for(mixer.talkers, 0, condition, 0, MixingSettings())
    assert plan.faces[0].clip_id == "clip-0"
    heard = [face for face in plan.faces if face.face == "speaks"]
    wanted = {"three_voices": 3, "noise": 1, "silent_face": 1, "muted_face": 1}.get(condition, 2)
    assert len(heard) == wanted
    assert (plan.noise is not None) == (condition == "noise")
    assert MixturePlan.model_validate_json(plan.model_dump_json()) == plan


def test_as_many_mixtures_as_there_are_others_make_all_pairs(mixer: Mixer):
    plans = [plan_for(mixer.talkers, 4, "different_voices", n, MixingSettings()) for n in range(3)]
    speaker = {f"clip-{n}": name for n, name in enumerate(SPEAKERS)}
    assert {speaker[plan.faces[1].clip_id] for plan in plans} == {"ann", "bob", "dot"}


def test_what_cannot_be_had_becomes_what_is_nearest(tmp_path: Path):
    talkers = Talkers(store_talkers(tmp_path / "two", ("ann", "bob")))
    assert plan_for(talkers, 0, "same_voice", 0, MixingSettings()).condition == "different_voices"
    assert plan_for(talkers, 0, "three_voices", 0, MixingSettings()).condition == "different_voices"
    alone = Talkers(store_talkers(tmp_path / "one", ("ann",)))
    plan = plan_for(alone, 0, "different_voices", 0, MixingSettings())
    assert plan.condition == "noise"
    assert plan.noise is not None
    few = Mixer(alone, SPEC, NoiseSource(None, RATE_HZ))
    item = dataset(few, three_speakers=1.0)[0]
    assert item["voices"].shape[0] == 3
    assert item["heard"].tolist() == [True, False, False]
    assert item["seen"].any(dim=1).tolist() == [True, False, False]


def test_a_faster_clip_takes_more_of_its_time(mixer: Mixer):
    slow = FacePlan(clip_id="clip-0", speed=0.8)
    mixed = mixer.mix(MixturePlan(condition="noise", faces=(slow,)), 20)
    assert mixed.mixture_N.shape == (20 * RATE_HZ // FPS,)
    original = read_stretch(mixer.talkers.clips[0], 0, 16)
    np.testing.assert_allclose(mixed.lips_STD[0, [0, -1]], original.lips_TD[[0, -1]], atol=1e-5)
    strongest = [
        np.abs(np.fft.rfft(voice, 2**15)).argmax() for voice in (mixed.mixture_N, original.voice_N)
    ]
    assert strongest[0] / strongest[1] == pytest.approx(0.8, abs=0.02)


def test_a_room_adds_what_comes_late(tmp_path: Path):
    click_N = np.zeros(RATE_HZ, np.float32)
    click_N[100] = 1
    heard_N, wanted_N = in_room(click_N, RATE_HZ, 5)
    early = 100 + round(0.05 * RATE_HZ)
    np.testing.assert_allclose(heard_N[:early], wanted_N[:early], atol=1e-6)
    assert np.abs(heard_N[early:]).max() > 1e-3
    assert np.abs(wanted_N[early:]).max() < 1e-6
    assert heard_N[100] == pytest.approx(1, abs=1e-5)


def test_noise_is_cut_from_a_folder_or_generated(tmp_path: Path):
    time_N = np.arange(RATE_HZ) / RATE_HZ
    write_wav(tmp_path / "hum.wav", 0.1 * np.sin(2 * np.pi * 200 * time_N), RATE_HZ)
    noise_N = NoiseSource(tmp_path, RATE_HZ).draw(1, 4000)
    assert np.abs(np.fft.rfft(noise_N)).argmax() == 100  # 200 Hz in half a second
    for source in (NoiseSource(tmp_path, RATE_HZ), NoiseSource(None, RATE_HZ)):
        assert rms(source.draw(2, 20_000)) == pytest.approx(1, rel=1e-3)
        np.testing.assert_array_equal(source.draw(2, 500), source.draw(2, 500))
    (tmp_path / "empty").mkdir()
    told = {"none": "is not there", "hum.wav": "is a file, and no folder", "empty": r"has no \.wav"}
    for name, what in told.items():
        with pytest.raises(SettingsError, match=f"noise_folder: .*{name} {what}"):
            NoiseSource(tmp_path / name, RATE_HZ).check()
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    with pytest.raises(SettingsError, match=r"noise_folder.*bad\.wav"):
        NoiseSource(tmp_path, RATE_HZ).check()


def test_new_lips_are_of_the_same_voice_and_of_the_item_s_own(mixer: Mixer):
    mixing = MixingSettings(speed=(0.9, 1.1))
    new, stored = (
        MixtureDataset(mixer, mixing, PICTURES, 4, 400, seed=3, new_lips=is_new)
        for is_new in (True, False)
    )
    for n in range(4):
        one, again, other = new[n], new[n], stored[n]
        assert (one["mixture"] == other["mixture"]).all()
        assert (one["lips"] == again["lips"]).all()
        assert one["lips"].shape == other["lips"].shape
        assert not (one["lips"] == other["lips"]).all()
    # Another item with the same clip has other lips.
    plan = new.plan(0)
    faces = tuple(face.model_copy(update={"lips": 1}) for face in plan.faces)
    assert not np.array_equal(
        mixer.mix(plan, PICTURES).lips_STD,
        mixer.mix(plan.model_copy(update={"faces": faces}), PICTURES).lips_STD,
    )


def test_new_lips_beyond_the_end_of_a_clip_are_not_seen(mixer: Mixer):
    face = FacePlan(clip_id="clip-0", start=PICTURES - 4, lips=5)
    plan = MixturePlan(condition="different_voices", faces=(face,))
    mixed = mixer.mix(plan, 10)
    assert not mixed.seen_ST[0, 4:].any()
    assert not mixed.lips_STD[0, 4:].any()
