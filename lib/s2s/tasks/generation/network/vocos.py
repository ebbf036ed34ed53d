"""Vocoders that were trained elsewhere: checkpoints in the layout that Vocos publishes.

A checkpoint is a folder: `config.yaml`, and `model.safetensors` or `pytorch_model.bin`. Its network
is that of the module `istft` beside this one without magnitudes of the mel; only names differ. A
vocoder sounds right only with the mel that it was trained on, so that is compared with the
recipe's.
"""

from pathlib import Path
from pickle import UnpicklingError  # noqa: TID251 - only the name of what torch raises

import torch
import yaml
from pydantic import BaseModel, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file

from s2s.errors import ModelError
from s2s.spec import TimeSpec
from s2s.tasks.common.mel import mel_filters
from s2s.tasks.generation.network.istft import IstftConfig, IstftNetwork

__all__ = ["load_vocos"]

OWN_MEL = "s2s.tasks.common.mel.LogMel"
"""Class path of a feature extractor that reads this project's mel."""
_FILTERS = "feature_extractor.mel_spec.mel_scale.fb"
_NAMES = {
    "backbone.convnext.": "blocks.",
    "backbone.final_layer_norm.": "final_norm.",
    "backbone.": "",
    "head.out.": "head.",
    ".dwconv.": ".over_time.",
    ".pwconv1.": ".widen.",
    ".pwconv2.": ".narrow.",
    ".gamma": ".scale",
}
_REMEDY = "train one with the model instead: training.vocoder.kind istft in the recipe"


class _Mel(BaseModel):
    sample_rate: int = 24_000
    n_fft: int = 1024
    hop_length: int = 256
    n_mels: int = 100
    padding: str = "center"


class _Features(BaseModel):
    class_path: str
    init_args: _Mel = _Mel()


class _Shape(BaseModel):
    dim: int = Field(ge=8)
    intermediate_dim: int = Field(ge=8)
    num_layers: int = Field(ge=1)


class _Backbone(BaseModel):
    init_args: _Shape


class _Padding(BaseModel):
    padding: str = "same"


class _Head(BaseModel):
    init_args: _Padding


class _Vocos(BaseModel):
    """The part of a Vocos config that is read, with Vocos' own defaults."""

    feature_extractor: _Features
    backbone: _Backbone
    head: _Head


def load_vocos(folder: Path, spec: TimeSpec) -> IstftNetwork:
    """Load a checkpoint that was trained on the mel of a time spec.

    Args:
        folder: the checkpoint.
        spec: what it is to be used with.

    Raises:
        ModelError: if it is missing or damaged, of another kind, or of another mel.
    """
    if (folder / "config.json").is_file() and not (folder / "config.yaml").is_file():
        raise ModelError(
            f"{folder}: a config.json and no config.yaml, as BigVGAN has it: only checkpoints of "
            f"Vocos are read; {_REMEDY}"
        )
    parts = _read_config(folder / "config.yaml")
    weights = _read_weights(folder)
    _check_mel(folder, parts, weights.get(_FILTERS), spec)
    shape = parts.backbone.init_args
    network = IstftNetwork(
        IstftConfig(
            spec=spec,
            width=shape.dim,
            hidden=shape.intermediate_dim,
            depth=shape.num_layers,
            from_mel=False,
        )
    )
    try:
        network.load_state_dict(
            {
                _our_name(name): value
                for name, value in weights.items()
                if not name.startswith("feature_extractor.") and name != "head.istft.window"
            }
        )
    except RuntimeError as error:
        raise ModelError(
            f"{folder}: not the weights of a Vocos with ConvNeXt blocks ({error}): {_REMEDY}"
        ) from error
    return network.eval()


def _read_config(path: Path) -> _Vocos:
    try:
        return _Vocos.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise ModelError(
            f"{path}: not the config of a Vocos checkpoint ({error}): set training.vocoder.path to "
            "a folder with config.yaml and model.safetensors or pytorch_model.bin"
        ) from error


def _read_weights(folder: Path) -> dict[str, torch.Tensor]:
    path = folder / "model.safetensors"
    try:
        if path.is_file():
            return load_file(path)
        path = folder / "pytorch_model.bin"
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, UnpicklingError, RuntimeError, EOFError) as error:
        raise ModelError(f"{path}: no weights can be read ({error}): fetch it again") from error
    if not isinstance(weights, dict):
        raise ModelError(f"{path}: holds no weights by name: fetch it again")
    return weights


def _check_mel(
    folder: Path, parts: _Vocos, filters_FB: torch.Tensor | None, spec: TimeSpec
) -> None:
    """Compare all that a mel depends on.

    Raises:
        ModelError: if the checkpoint was trained on another mel, or does not tell.
    """
    mel, padding = parts.feature_extractor.init_args, parts.head.init_args.padding
    theirs = (mel.sample_rate, mel.n_fft, mel.hop_length, mel.n_mels, mel.padding, padding)
    ours = (spec.sample_rate_hz, spec.n_fft, spec.hop, spec.n_mels, "center", "center")
    if theirs != ours:
        raise ModelError(
            f"{folder}: its mel (sample rate, n_fft, hop, bands, padding, the head's padding) is "
            f"{theirs}, the recipe's is {ours}: choose a checkpoint or a spec that agrees, or "
            f"{_REMEDY}"
        )
    if parts.feature_extractor.class_path == OWN_MEL:
        return
    ours_FB = mel_filters(spec)
    if (
        filters_FB is None
        or filters_FB.shape != ours_FB.shape
        or not torch.allclose(filters_FB.float(), ours_FB, atol=1e-5)
    ):
        raise ModelError(
            f"{folder}: it was trained on mel bands of another shape than this project's (after "
            f"Slaney, each of area one), or does not tell: {_REMEDY}"
        )


def _our_name(name: str) -> str:
    for theirs, ours in _NAMES.items():
        name = name.replace(theirs, ours)
    return name
