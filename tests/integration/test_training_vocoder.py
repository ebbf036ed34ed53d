"""Training a vocoder: what it learns from, and what it leaves behind."""

import csv
import pickle
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from dataset_fixtures import MakeSettings, MakeVersion, clicking_clip
from training_fixtures import TINY, TINY_VOCODER, TinyModel

from s2s.dataset import DatasetClip, DatasetVersion
from s2s.errors import ModelError, StageError
from s2s.features.shards import ShardReader
from s2s.features.stored import StoredClip
from s2s.layout import model_prefix
from s2s.settings import Settings
from s2s.spec import TimeSpec
from s2s.storage import open_bucket
from s2s.tasks.common.mel import LogMel
from s2s.tasks.contract import Material
from s2s.tasks.generation.network.istft import IstftConfig, IstftNetwork, IstftVocoder
from s2s.tasks.generation.network.vocoder import VOCODER_FILE, GriffinLim, load_vocoder
from s2s.tasks.generation.network.vocos import load_vocos
from s2s.tasks.generation.objective.vocoder import (
    VocoderObjective,
    prepare_vocoder,
    vocoder_settings,
)
from s2s.tasks.generation.objective.vocoder_data import CropDataset, Sounds, gather_sounds
from s2s.tasks.generation.objective.vocoder_discriminators import Discriminators
from s2s.tasks.generation.objective.vocoder_losses import (
    SpectralLoss,
    discriminator_loss,
    generator_loss,
)
from s2s.tasks.generation.predictor.predictor import GenerationPredictor
from s2s.tasks.generation.settings import GenerationRecipe
from training.material import make_material
from training.trainer import Trainer

SPEC = TimeSpec(duration_s=2)


def sounds_of(*clips: np.ndarray) -> Sounds:
    pcm = [(clip.clip(-1, 1) * 32767).astype(np.int16) for clip in clips]
    return Sounds(np.concatenate(pcm), [0, *np.cumsum([len(clip) for clip in clips])])


def fit(
    network: IstftNetwork, crops: dict[str, CropDataset], folder: Path, **section: object
) -> list[dict[str, str]]:
    """Train in place; its curve."""
    training = {"vocoder": TINY_VOCODER | section, "accelerator": "cpu"}
    content = {"name": "r", "collection": {"catalog": "c.csv"}, "training": training}
    recipe = GenerationRecipe.model_validate(content)
    settings = vocoder_settings(recipe)
    objective = VocoderObjective(network, recipe.training.vocoder, settings, crops)
    trained = Trainer(f"file://{folder}/bucket", "models/", folder)(objective)
    assert trained.steps == settings.max_steps
    return list(csv.DictReader((folder / "vocoder.csv").open()))


def material_of(
    settings: Settings, folder: Path, clips: Mapping[str, Sequence[DatasetClip]]
) -> Material:
    """Clips of which only the sound is asked for."""
    stored = {
        split: [StoredClip(clip, cast("ShardReader", None)) for clip in of_split]
        for split, of_split in clips.items()
    }
    return make_material(settings, DatasetVersion("dataset_v1", {}), stored, folder)


def prepared(material: Material) -> IstftConfig | None:
    """Have the vocoder in the model directory, as the stage does."""
    steps = prepare_vocoder(material)
    try:
        while True:
            objective = next(steps)
            material.fit(objective)
            objective.export(material.folder)
            key = model_prefix(material.recipe, "dataset_v1") + VOCODER_FILE
            material.bucket.upload(material.folder / VOCODER_FILE, key)
    except StopIteration as end:
        return end.value


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
    network = make_network(width=32)
    crops = CropDataset(sounds_of(samples), SPEC, 30, 60 * 4, seed=0)
    mel, real = LogMel(SPEC).of_samples(torch.from_numpy(samples)), torch.from_numpy(samples)
    loss = SpectralLoss(SPEC)
    before = loss(IstftVocoder(network)(mel)[None], real[None])
    section = {"max_steps": 60, "batch_size": 4, "crop_s": 0.3, "learning_rate": 5e-3}
    curve = fit(network, {"train": crops}, tmp_path, **section)
    after = loss(IstftVocoder(network)(mel)[None], real[None])
    assert float(curve[-1]["train_loss"]) < float(curve[0]["train_loss"])
    assert after < 0.7 * before
    assert after < loss(GriffinLim(SPEC, iterations=1)(mel)[None], real[None])


def test_discriminators_teach_it(tmp_path: Path):
    sounds, learned = sounds_of(clicking_clip(2, 1.0)[1]), []
    for discriminators in (False, True):
        network = make_network()
        crops = {"train": CropDataset(sounds, SPEC, 10, 4, seed=0)}
        fit(network, crops, tmp_path, max_steps=2, discriminators=discriminators)
        learned.append(network.state_dict())
    assert all(value.isfinite().all() for value in learned[1].values())
    assert not torch.equal(learned[0]["head.weight"], learned[1]["head.weight"])


def test_discriminators_reach_the_processes_of_several_devices():
    made = Discriminators((256, 512))
    found = pickle.loads(pickle.dumps(made))
    sound = torch.randn(2, 4000, generator=torch.Generator().manual_seed(0))
    for one, other in zip(made(sound), found(sound), strict=True):
        torch.testing.assert_close(one, other)
    assert sum(p.numel() for p in found.parameters() if p.requires_grad) == sum(
        p.numel() for p in made.parameters() if p.requires_grad
    )


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


def test_a_model_has_its_vocoder_with_it(tiny_model: TinyModel, tmp_path: Path):
    folder = shutil.copytree(tiny_model.folder, tmp_path / "model")
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
    settings = make_settings_of(training=TINY | {"vocoder": TINY_VOCODER})
    version = make_version(settings, {"train": (1.0,)})
    first = prepared(material_of(settings, tmp_path / "one", version.clips))
    again = prepared(material_of(settings, tmp_path / "other", {}))
    assert first is not None
    assert first == again
    vocoders = [load_vocoder(tmp_path / name, first).network for name in ("one", "other")]
    for name, value in vocoders[0].state_dict().items():
        torch.testing.assert_close(vocoders[1].state_dict()[name], value, rtol=0, atol=0)


def test_one_from_a_file_takes_the_place_of_training(
    make_settings_of: MakeSettings, tmp_path: Path
):
    section = {"kind": "file", "path": "vocos"}
    written = Path(__file__).parent.parent / "vocos"
    spec = {"fps": 100, "mel_per_frame": 10, "sample_rate_hz": 8000, "n_mels": 8}
    settings = make_settings_of(spec=spec, training=TINY | {"vocoder": section})
    material = material_of(settings, tmp_path, {})
    with pytest.raises(ModelError, match=r"vocos/config\.yaml"):
        prepared(material)
    shutil.copytree(written, tmp_path / "vocos")
    config = prepared(material)
    assert config is not None
    mel = torch.randn(40, 8) - 4
    expected = IstftVocoder(load_vocos(tmp_path / "vocos", settings.recipe.spec))(mel)
    torch.testing.assert_close(load_vocoder(tmp_path, config)(mel), expected, rtol=0, atol=0)


def test_without_sound_the_remedy_is_told(make_settings_of: MakeSettings, tmp_path: Path):
    settings = make_settings_of(training=TINY | {"vocoder": TINY_VOCODER})
    with pytest.raises(StageError, match="griffin_lim, or add clips"):
        prepared(material_of(settings, tmp_path, {}))
    assert prepared(material_of(make_settings_of(training=TINY), tmp_path, {})) is None


def test_sounds_travel_to_another_process_by_their_file(
    make_settings_of: MakeSettings, make_version: MakeVersion, tmp_path: Path
):
    settings = make_settings_of()
    version = make_version(settings, {"train": (2.0,)})
    bucket = open_bucket(settings.bucket_url)
    sounds = gather_sounds(bucket, version.split("train"), SPEC.sample_rate_hz, tmp_path / "pcm")
    sent = pickle.dumps(sounds)
    assert len(sent) < 1000
    np.testing.assert_array_equal(pickle.loads(sent).samples_N, sounds.samples_N)
