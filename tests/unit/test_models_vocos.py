"""Checkpoints of Vocos: what the package vocos 0.1.0 makes of one, or a word on why it is refused.

`tests/vocos` was written by `benchmarks/vocoder_vocos.py --write`: random weights and their sound.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from s2s.errors import ModelError
from s2s.spec import TimeSpec
from s2s.tasks.generation.network.istft import IstftVocoder
from s2s.tasks.generation.network.vocos import load_vocos

WRITTEN = Path(__file__).parent.parent / "vocos"
SPEC = TimeSpec(fps=100, mel_per_frame=10, sample_rate_hz=8000, n_mels=8)
CONFIG, WEIGHTS = "config.yaml", "pytorch_model.bin"
FILTERS = "feature_extractor.mel_spec.mel_scale.fb"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    for name in (CONFIG, WEIGHTS):
        shutil.copy(WRITTEN / name, tmp_path)
    return tmp_path


def assert_sounds_as_expected(folder: Path) -> None:
    expected = load_file(WRITTEN / "expected.safetensors")
    sound = IstftVocoder(load_vocos(folder, SPEC))(expected["mel"])
    assert sound.shape == (50 * SPEC.hop,)
    # The package ends with the last frame's centre.
    torch.testing.assert_close(sound[: len(expected["sound"])], expected["sound"])


def test_it_makes_the_sound_that_the_package_makes(checkpoint: Path):
    assert_sounds_as_expected(checkpoint)


def test_it_may_be_safetensors(checkpoint: Path):
    weights = torch.load(checkpoint / WEIGHTS, weights_only=True)
    save_file(weights, checkpoint / "model.safetensors")
    (checkpoint / WEIGHTS).unlink()
    assert_sounds_as_expected(checkpoint)


def change_weights(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        weights = torch.load(folder / WEIGHTS, weights_only=True)
        change(weights)
        torch.save(weights, folder / WEIGHTS)

    return damage


def change_config(part: str, **values: object) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        config = yaml.safe_load((folder / CONFIG).read_text())
        config[part]["init_args"].update(values)
        (folder / CONFIG).write_text(yaml.safe_dump(config))

    return damage


def as_bigvgan(folder: Path) -> None:
    (folder / CONFIG).rename(folder / "config.json")


def with_code(folder: Path) -> None:
    torch.save({"weights": Path("/")}, folder / WEIGHTS)


REFUSED = {
    "other hop": (change_config("feature_extractor", hop_length=10), r"its mel .* 10, 8, .*istft"),
    "padding": (change_config("head", padding="same"), r"'same'\).*kind istft"),
    "other bands": (change_weights(lambda w: w[FILTERS].mul_(2)), "mel bands of another shape"),
    "unknown bands": (change_weights(lambda w: w.pop(FILTERS)), "or does not tell"),
    "other layers": (change_config("backbone", num_layers=3), "not the weights of a Vocos"),
    "no ConvNeXt": (change_config("backbone", num_layers=None), "not the config of a Vocos"),
    "weight lost": (change_weights(lambda w: w.pop("head.out.bias")), "not the weights of a Vocos"),
    "no config": (lambda folder: (folder / CONFIG).unlink(), "set training.vocoder.path"),
    "no weights": (lambda folder: (folder / WEIGHTS).unlink(), "fetch it again"),
    "half a file": (lambda folder: (folder / WEIGHTS).write_bytes(b"PK"), "fetch it again"),
    "code": (with_code, "no weights can be read"),
    "a list": (lambda folder: torch.save([1], folder / WEIGHTS), "no weights by name"),
    "BigVGAN": (as_bigvgan, "only checkpoints of Vocos are read"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_others_are_refused_with_a_remedy(checkpoint: Path, kind: str):
    damage, message = REFUSED[kind]
    damage(checkpoint)
    with pytest.raises(ModelError, match=message):
        load_vocos(checkpoint, SPEC)


def test_published_weights_do_not_fit_the_time_grid(checkpoint: Path):
    published = {"sample_rate": 24_000, "n_fft": 1024, "hop_length": 256, "n_mels": 100}
    change_config("feature_extractor", **published)(checkpoint)
    with pytest.raises(ModelError, match="24000, 1024, 256, 100"):
        load_vocos(checkpoint, TimeSpec(sample_rate_hz=24_000, n_mels=100))


def test_own_mel_may_be_named_instead(checkpoint: Path):
    change_weights(lambda weights: weights.pop(FILTERS))(checkpoint)
    config = yaml.safe_load((checkpoint / CONFIG).read_text())
    config["feature_extractor"]["class_path"] = "s2s.tasks.common.mel.LogMel"
    (checkpoint / CONFIG).write_text(yaml.safe_dump(config))
    assert_sounds_as_expected(checkpoint)
