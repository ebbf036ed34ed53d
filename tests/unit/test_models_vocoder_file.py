"""A model's vocoder comes back from its file as it was saved, or says what is wrong with it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file

from s2s.errors import ModelError
from s2s.spec import TimeSpec
from s2s.tasks.generation.network.directory import load_bundle, save_bundle
from s2s.tasks.generation.network.istft import IstftConfig, IstftNetwork, IstftVocoder
from s2s.tasks.generation.network.vocoder import VOCODER_FILE, load_vocoder, save_vocoder
from s2s.tasks.generation.settings import VocoderSettings

CONFIG = IstftConfig(spec=TimeSpec(), width=16, hidden=24, depth=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    save_vocoder(tmp_path, IstftNetwork(CONFIG))
    return tmp_path


def test_it_comes_back(folder: Path):
    mel = torch.randn(40, CONFIG.spec.n_mels) - 5
    torch.manual_seed(1)
    expected = IstftVocoder(IstftNetwork(CONFIG))
    torch.testing.assert_close(load_vocoder(folder, CONFIG)(mel), expected(mel), rtol=0, atol=0)


def with_a_weight_less(folder: Path) -> None:
    weights = load_file(folder / VOCODER_FILE)
    del weights["head.bias"]
    save_file(weights, folder / VOCODER_FILE)


@pytest.mark.parametrize(
    "damage",
    [lambda folder: (folder / VOCODER_FILE).write_bytes(b"half"), with_a_weight_less],
)
def test_damage_is_told(folder: Path, damage: Callable[[Path], object]):
    damage(folder)
    with pytest.raises(
        ModelError, match=r"(?s)vocoder.safetensors: not the weights .*train it again"
    ):
        load_vocoder(folder, CONFIG)


def test_a_file_that_is_not_there_is_told(folder: Path):
    (folder / VOCODER_FILE).unlink()
    with pytest.raises(ModelError, match=r"vocoder.safetensors: is missing, .* copy the whole fol"):
        load_vocoder(folder, CONFIG)


def test_another_shape_is_told(folder: Path):
    with pytest.raises(ModelError, match=r"vocoder.safetensors: not the weights"):
        load_vocoder(folder, CONFIG.model_copy(update={"width": 32}))


def test_a_vocoder_for_another_time_grid_is_refused(untrained_model: Path, tmp_path: Path):
    folder = shutil.copytree(untrained_model, tmp_path / "model")
    other = CONFIG.model_copy(update={"spec": TimeSpec(sample_rate_hz=24_000)})
    network, config = load_bundle(folder)
    save_bundle(folder, network, config.model_copy(update={"vocoder": other}))
    with pytest.raises(ModelError, match="the vocoder is made for the time grid"):
        load_bundle(folder)


def test_sizes_are_set_by_name_unless_said_otherwise():
    base = VocoderSettings.model_validate({"kind": "istft", "size": "base", "depth": 6})
    assert (base.width, base.depth, base.discriminators) == (512, 6, True)
    assert (VocoderSettings().width, VocoderSettings().discriminators) == (128, False)


@pytest.mark.parametrize("section", [{"kind": "file"}, {"kind": "istft", "path": "x"}])
def test_a_path_belongs_to_a_file(section: dict[str, str]):
    with pytest.raises(ValidationError, match="kind file needs a path"):
        VocoderSettings.model_validate(section)
