"""Weights of extractors: fetched once from where a recipe says, then kept with the features.

So what a model sees later is computed by exactly what it was trained on, whatever the hub holds
by then.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError  # noqa: TID251 - how torch.load refuses what is no tensor

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from torchvision.models import get_model, get_model_weights

from s2s.errors import ModelError, SettingsError, StorageError
from s2s.spec import TimeSpec
from s2s.storage import Bucket
from s2s.tasks.generation.extractors.colours import Colours
from s2s.tasks.generation.extractors.motion import Motion
from s2s.tasks.generation.extractors.optical_flow import OpticalFlow
from s2s.tasks.generation.extractors.semantic import Semantic, make_backbone
from s2s.tasks.generation.extractors.visual import Visual
from s2s.tasks.generation.settings import GenerationFeatureSettings

__all__ = ["fetch_weights", "open_extractors"]

Weights = Mapping[str, torch.Tensor]


def fetch_weights(
    settings: GenerationFeatureSettings, output: Path, recipe_folder: Path, bucket: Bucket
) -> None:
    """Write the weights of a recipe's extractors to one file.

    Args:
        settings: which extractors, and where their weights are.
        output: the file to write.
        recipe_folder: where `file:` starts from.
        bucket: where `bucket:` is.

    Raises:
        SettingsError: if there is no network of that name.
        ModelError: if the weights are not there, or are of another network.
    """
    kept: dict[str, torch.Tensor] = {}
    for stream, network in _networks(settings).items():
        name = getattr(settings, stream)
        source: str = getattr(settings, f"{stream}_weights")
        if source == "hub":
            _load(network, _from_hub(stream, name), f"the hub's {name}")
        elif source != "random":
            with tempfile.TemporaryDirectory() as folder:
                path = _as_file(source, Path(folder), recipe_folder, bucket)
                _load(network, _read(path), source)
        kept |= {f"{stream}.{key}": value for key, value in network.state_dict().items()}
    save_file({key: value.contiguous() for key, value in kept.items()}, output)


def open_extractors(
    spec: TimeSpec, settings: GenerationFeatureSettings, weights: Path
) -> tuple[Visual, Visual]:
    """Extractors of motion and of meaning, with the weights that `fetch_weights` wrote.

    They work on a GPU where there is one.

    Raises:
        ModelError: if the file is damaged, or of other networks.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    values = _read(weights)

    def loaded(stream: str, network: nn.Module) -> None:
        start = f"{stream}."
        part = {key.removeprefix(start): values[key] for key in values if key.startswith(start)}
        _load(network, part, weights.name)
        network.to(device)

    motion: Visual = Motion(spec, settings)
    if settings.motion != "differences":
        raft = get_model(settings.motion, weights=None)
        loaded("motion", raft)
        motion = OpticalFlow(spec, settings, raft)
    semantic: Visual = Colours(spec, settings)
    if settings.semantic != "none":
        backbone = make_backbone(settings.semantic)
        loaded("semantic", backbone.network)
        semantic = Semantic(spec, settings, backbone)
    return motion, semantic


def _networks(settings: GenerationFeatureSettings) -> dict[str, nn.Module]:
    networks: dict[str, nn.Module] = {}
    if settings.motion != "differences":
        networks["motion"] = get_model(settings.motion, weights=None)
    if settings.semantic != "none":
        try:
            networks["semantic"] = make_backbone(settings.semantic).network
        except (ValueError, RuntimeError) as error:
            raise SettingsError(
                f"feature_extraction.semantic: no network {settings.semantic} ({error}): see "
                "timm.list_models() and torchvision.models.list_models() for names"
            ) from error
    return networks


def _from_hub(stream: str, name: str) -> Weights:
    try:
        if name.startswith("timm/"):
            network = timm.create_model(name.partition("/")[2], pretrained=True, num_classes=0)
            return network.state_dict()
        weights = get_model_weights(name.rpartition("/")[2])["DEFAULT"]
        return weights.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError, ValueError) as error:
        setting = f"feature_extraction.{stream}_weights"
        raise ModelError(
            f"{setting}: hub: the weights of {name} cannot be fetched ({error}): on a machine "
            f"without network, put the file beside the recipe and set {setting} to file:NAME, or "
            "into the bucket and set it to bucket:KEY"
        ) from error


def _as_file(source: str, folder: Path, recipe_folder: Path, bucket: Bucket) -> Path:
    place, _, name = source.partition(":")
    if place == "file":
        return recipe_folder / name
    path = folder / Path(name).name
    try:
        bucket.download(name, path)
    except StorageError as error:
        raise ModelError(f"{source}: cannot be read from {bucket.url} ({error})") from error
    return path


def _read(path: Path) -> Weights:
    """Tensors by name, of a safetensors file or of one that torch.save wrote."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, RuntimeError, UnpicklingError, EOFError) as error:
        raise ModelError(
            f"{path}: not a file of weights ({error}): it must be safetensors, or a state dict "
            "that torch.save wrote"
        ) from error


def _load(network: nn.Module, weights: Weights, name: str) -> None:
    """Give a network its weights; those of layers that it does not have are left out."""
    wanted = network.state_dict()
    missing = [key for key in wanted if key not in weights]
    try:
        if missing:
            raise RuntimeError(f"{len(missing)} of {len(wanted)} are missing, such as {missing[0]}")
        network.load_state_dict({key: weights[key] for key in wanted})
    except RuntimeError as error:
        raise ModelError(f"{name}: weights of another network ({error})") from error
