"""A model directory comes back as it was saved, or says what is wrong with it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from s2s.errors import ModelError
from s2s.spec import TimeSpec
from s2s.tasks.generation.network.directory import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    ModelConfig,
    load_bundle,
    save_bundle,
)
from s2s.tasks.generation.network.transformer import MelTransformer, NetworkConfig
from s2s.tasks.generation.settings import GenerationFeatureSettings


@pytest.fixture
def bundle(tmp_path: Path) -> tuple[Path, MelTransformer, ModelConfig]:
    config = ModelConfig(
        recipe="r",
        version="dataset_v1",
        spec=TimeSpec(),
        features=GenerationFeatureSettings(),
        network=NetworkConfig(
            token_dim=320, streams={"motion": 128, "appearance": 96}, width=16, depth=1, heads=1
        ),
        mel_mean=-8.0,
        mel_std=1.5,
        window_frames=80,
    )
    network = MelTransformer(config.network)
    save_bundle(tmp_path / "model", network, config)
    return tmp_path / "model", network, config


def test_it_comes_back(bundle: tuple[Path, MelTransformer, ModelConfig]):
    folder, network, config = bundle
    loaded, loaded_config = load_bundle(folder)
    assert loaded_config == config
    assert not loaded.training
    for name, value in network.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], value)


def without(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def with_text(name: str, old: str, new: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text((folder / name).read_text().replace(old, new))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without(CONFIG_FILE), "config.json: not a model's config"),
        (without(WEIGHTS_FILE), "model.safetensors: is missing, and config.json"),
        (
            with_text(CONFIG_FILE, '"width": 16', '"width": 32'),
            "model.safetensors: not the weights",
        ),
        (with_text(CONFIG_FILE, '"n_mels": 80', '"n_mels": 64'), "tokens have 320 values"),
        (with_text(CONFIG_FILE, '"format": 3', '"format": 2'), "format 2, .* train it again"),
        (with_text(CONFIG_FILE, '"format": 3', '"format": 99'), "format 99"),
        (with_text(CONFIG_FILE, '"format": 3,', ""), "it names no format"),
        (with_text(CONFIG_FILE, '"generation"', '"separation"'), "of the task separation, not"),
        (with_text(CONFIG_FILE, '"mel_std": 1.5', '"mel_std": 0'), "mel_std"),
        (lambda folder: (folder / CONFIG_FILE).write_bytes(b"\xff{"), "config.json"),
        (lambda folder: (folder / WEIGHTS_FILE).write_bytes(b"half"), "model.safetensors"),
    ],
)
def test_damage_is_told(
    bundle: tuple[Path, MelTransformer, ModelConfig],
    damage: Callable[[Path], object],
    message: str,
):
    damage(bundle[0])
    with pytest.raises(ModelError, match=message):
        load_bundle(bundle[0])
