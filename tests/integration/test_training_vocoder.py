"""Training a vocoder: what it learns from, what it leaves behind, and how it goes on."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dataset_fixtures import MakeSettings, MakeVersion, clicking_clip

from feature_extraction.stage import run as extract_features
from s2s.errors import ModelError, StageError
from s2s.layout import model_prefix
from s2s.spec import TimeSpec
from s2s.storage import open_bucket
from s2s.tasks.common.mel import LogMel
from s2s.tasks.generation.network.istft import IstftConfig, IstftNetwork, IstftVocoder
from s2s.tasks.generation.network.vocoder import VOCODER_FILE, GriffinLim, load_vocoder
from s2s.tasks.generation.objective.vocoder_discriminators import Discriminators
from s2s.tasks.generation.objective.vocoder_losses import (
    SpectralLoss,
    discriminator_loss,
    generator_loss,
)
from s2s.tasks.generation.predictor.predictor import GenerationPredictor
from s2s.tasks.generation.settings import VocoderSettings
from training.stage import run
from training.vocoder import VOCODER_CHECKPOINT, make_vocoder
from training.vocoder_data import CropDataset, Sounds, gather_sounds
from training.vocoder_loop import VocoderPlan, fit_vocoder

SPEC = TimeSpec(duration_s=2)
SMALL: dict[str, Any] = {
    "kind": "istft",
    "width": 16,
    "depth": 1,
    "crop_s": 0.2,
    "batch_size": 2,
    "max_steps": 4,
}
MODEL: dict[str, Any] = {
    "width": 16,
    "depth": 1,
    "heads": 1,
    "window_s": 0.8,
    "batch_size": 2,
    "max_steps": 2,
    "sampling_steps": 2,
    "held_out_clips": 1,
    "accelerator": "cpu",
}


def sounds_of(*clips: np.ndarray) -> Sounds:
    pcm = [(clip.clip(-1, 1) * 32767).astype(np.int16) for clip in clips]
    return Sounds(np.concatenate(pcm), [0, *np.cumsum([len(clip) for clip in clips])])


def make_plan(folder: Path, **section: object) -> VocoderPlan:
    settings = VocoderSettings.model_validate(SMALL | section)
    return VocoderPlan(settings, "cpu", f"file://{folder}/bucket", VOCODER_CHECKPOINT, folder)


def make_network(width: int = 16) -> IstftNetwork:
    torch.manual_seed(0)
    return IstftNetwork(IstftConfig(spec=SPEC, width=width, hidden=3 * width, depth=2))


def test_crops_have_the_mel_that_the_whole_clip_has_there():
    sounds = sounds_of(clicking_clip(3, 2.0)[1])
    samples = sounds.read(0, 0, 32_000)
    places = np.lib.stride_tricks.sliding_window_view(samples, 20 * SPEC.hop)
    crops = CropDataset(sounds, SPEC, 20, 6, seed=0)
    for mel, crop in (crops[number] for number in range(len(crops))):
        place = int(np.argmin(np.square(places - crop.numpy()).sum(axis=1)))
        shift, frame = place % SPEC.hop, place // SPEC.hop
        whole = LogMel(SPEC).of_samples(torch.from_numpy(samples[shift:]))
        here = slice(max(0, 4 - frame), None)  # the clip itself begins before the shift
        torch.testing.assert_close(mel[here], whole[frame : frame + 20][here], rtol=0, atol=1e-3)
        assert mel.shape == (20, SPEC.n_mels)


def test_crops_are_the_same_in_every_run_and_differ_from_each_other():
    sounds = sounds_of(clicking_clip(1, 2.0)[1], clicking_clip(2, 1.0)[1])
    first, again = (CropDataset(sounds, SPEC, 20, 4, seed=1) for _ in range(2))
    for number in range(4):
        torch.testing.assert_close(first[number], again[number], rtol=0, atol=0)
    assert not torch.equal(first[0][1], first[1][1])
    assert not torch.equal(first[0][1], CropDataset(sounds, SPEC, 20, 4, seed=2)[0][1])


def test_a_clip_that_is_too_short_is_followed_by_silence():
    samples = clicking_clip(1, 0.4)[1]
    mel, crop = CropDataset(sounds_of(samples), SPEC, 100, 1, seed=0)[0]
    assert crop.shape == (100 * SPEC.hop,)
    assert crop[: len(samples)].abs().max() > 0
    assert crop[len(samples) :].abs().max() == 0
    assert mel[60:].max() < -11


def test_sounds_are_those_of_the_clips(
    make_settings_of: MakeSettings, make_version: MakeVersion, tmp_path: Path
):
    settings = make_settings_of()
    version = make_version(settings, {"train": (1.0, 2.0)})
    bucket = open_bucket(settings.bucket_url)
    sounds = gather_sounds(bucket, version.split("train"), SPEC.sample_rate_hz, tmp_path / "pcm")
    assert [len(sounds), *np.diff(sounds.bounds)] == [2, 16_000, 32_000]
    for number, clip in enumerate((clicking_clip(0, 1.0), clicking_clip(1, 2.0))):
        heard = sounds.read(number, -100, 16_000)
        assert np.abs(heard[:100]).max() == 0
        assert np.abs(heard[100:] - clip[1][:15_900]).max() < 1e-4
    assert np.abs(sounds.read(0, 15_000, 2000)[1000:]).max() == 0


def test_it_learns_a_clip_better_than_griffin_lim_starts(tmp_path: Path):
    samples = clicking_clip(2, 2.0)[1]
    plan = make_plan(tmp_path, max_steps=60, batch_size=4, crop_s=0.3, learning_rate=5e-3)
    network = make_network(width=32)
    crops = CropDataset(sounds_of(samples), SPEC, 30, 60 * 4, seed=0)
    mel, real = LogMel(SPEC).of_samples(torch.from_numpy(samples)), torch.from_numpy(samples)
    loss = SpectralLoss(SPEC)
    before = loss(IstftVocoder(network)(mel)[None], real[None])
    curve = fit_vocoder(network, {"train": crops}, plan)
    after = loss(IstftVocoder(network)(mel)[None], real[None])
    assert curve.rows[-1]["train_loss"] < curve.rows[0]["train_loss"]
    assert after < 0.7 * before
    assert after < loss(GriffinLim(SPEC, iterations=1)(mel)[None], real[None])


def test_discriminators_teach_it(tmp_path: Path):
    sounds, learned = sounds_of(clicking_clip(2, 1.0)[1]), []
    for discriminators in (False, True):
        network = make_network()
        plan = make_plan(tmp_path, max_steps=2, discriminators=discriminators)
        fit_vocoder(network, {"train": CropDataset(sounds, SPEC, 10, 4, seed=0)}, plan)
        learned.append(network.state_dict())
    assert all(value.isfinite().all() for value in learned[1].values())
    assert not torch.equal(learned[0]["head.weight"], learned[1]["head.weight"])


def test_discriminators_tell_real_sound_from_noise():
    torch.manual_seed(0)
    discriminators = Discriminators((256, 512))
    optimizer = torch.optim.AdamW(discriminators.parameters(), lr=5e-3)
    real = torch.from_numpy(clicking_clip(2, 0.4)[1])[None]
    made = 0.1 * torch.randn_like(real)
    losses = []
    for _ in range(12):
        loss = discriminator_loss(discriminators(real), discriminators(made))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(2, abs=0.2)  # it cannot tell
    assert losses[-1] < 1
    made.requires_grad_()
    generator_loss(discriminators(real), discriminators(made)).backward()
    assert made.grad is not None
    assert made.grad.abs().max() > 0


def test_it_goes_on_from_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("training.callbacks._CHECKPOINT_EVERY_S", 0.0)
    sounds = sounds_of(clicking_clip(2, 1.0)[1])

    def fit(folder: Path, steps: int) -> IstftNetwork:
        network = make_network()
        plan = make_plan(folder, max_steps=steps)
        crops = CropDataset(sounds, SPEC, 20, steps * 2, seed=0)
        assert fit_vocoder(network, {"train": crops, "val": crops}, plan).steps == steps
        return network

    fit(tmp_path, 3)
    shutil.copytree(tmp_path / "bucket", tmp_path / "other" / "bucket")
    one, other = fit(tmp_path, 8), fit(tmp_path / "other", 8)
    for name, value in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value)
    untouched = make_network().state_dict()["head.weight"]
    assert not torch.equal(one.state_dict()["head.weight"], untouched)


def test_a_model_has_its_vocoder_with_it(make_settings_of: MakeSettings, make_version: MakeVersion):
    settings = make_settings_of(training=MODEL | {"vocoder": SMALL})
    make_version(settings, {"train": (1.0, 1.0), "val": (1.0,), "test": (1.0,)})
    extract_features(settings)
    run(settings)
    bucket = open_bucket(settings.bucket_url)
    prefix = model_prefix(settings.recipe, "dataset_v1")
    names = {key.removeprefix(prefix) for key in bucket.keys(prefix)}
    assert {VOCODER_FILE, "vocoder.csv"} <= names
    assert VOCODER_CHECKPOINT not in names

    folder = settings.work_dir / "training" / prefix
    predictor = GenerationPredictor.load(folder)
    assert predictor.config.vocoder is not None
    mel = torch.randn(80, SPEC.n_mels) - 6
    sound = predictor.vocode(mel)
    expected = load_vocoder(folder, predictor.config.vocoder)(mel).clamp(-1, 1)
    np.testing.assert_allclose(sound, expected.numpy(), atol=1e-6)
    (folder / VOCODER_FILE).unlink()
    with pytest.raises(ModelError, match=VOCODER_FILE):
        GenerationPredictor.load(folder)


def test_a_vocoder_that_is_whole_is_not_trained_again(
    make_settings_of: MakeSettings, make_version: MakeVersion, tmp_path: Path
):
    settings = make_settings_of(training=MODEL | {"vocoder": SMALL})
    version = make_version(settings, {"train": (1.0,)})
    first = make_vocoder(settings, version.clips, ("models/", tmp_path))
    (tmp_path / "other").mkdir()
    again = make_vocoder(settings, {}, ("models/", tmp_path / "other"))
    assert first is not None
    assert again is not None
    for name, value in first.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, rtol=0, atol=0)
    assert (tmp_path / "other" / VOCODER_FILE).is_file()


def test_one_from_a_file_takes_the_place_of_training(
    make_settings_of: MakeSettings, tmp_path: Path
):
    section = {"kind": "file", "path": "vocos"}
    written = Path(__file__).parent.parent / "vocos"
    spec = {"fps": 100, "mel_per_frame": 10, "sample_rate_hz": 8000, "n_mels": 8}
    settings = make_settings_of(spec=spec, training=MODEL | {"vocoder": section})
    with pytest.raises(ModelError, match=r"vocos/config\.yaml"):
        make_vocoder(settings, {}, ("models/", tmp_path))
    shutil.copytree(written, tmp_path / "vocos")
    network = make_vocoder(settings, {}, ("models/", tmp_path))
    assert network is not None
    mel = torch.randn(40, 8) - 4
    loaded = load_vocoder(tmp_path, network.config)
    torch.testing.assert_close(loaded(mel), IstftVocoder(network)(mel), rtol=0, atol=0)


def test_without_sound_the_remedy_is_told(make_settings_of: MakeSettings, tmp_path: Path):
    settings = make_settings_of(training=MODEL | {"vocoder": SMALL})
    with pytest.raises(StageError, match="griffin_lim, or add clips"):
        make_vocoder(settings, {}, ("models/", tmp_path))
    assert make_vocoder(make_settings_of(training=MODEL), {}, ("models/", tmp_path)) is None
