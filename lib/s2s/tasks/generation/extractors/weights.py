"""Weights of extractors: fetched once from where a recipe says, then kept with the features.

A model's features are therefore always computed by the weights that it was trained with, even if
the hub changes them later.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import get_model, get_model_weights

from s2s.errors import SettingsError
from s2s.spec import TimeSpec
from s2s.storage import Bucket
from s2s.tasks.common.hub import names_of_networks, of_hub
from s2s.tasks.common.weights import Weights, colour_scale, find_weights, load_weights, read_weights
from s2s.tasks.generation.extractors.colours import Colours
from s2s.tasks.generation.extractors.motion import Motion
from s2s.tasks.generation.extractors.optical_flow import OpticalFlow
from s2s.tasks.generation.extractors.pictures import PictureExtractor
from s2s.tasks.generation.extractors.semantic import Semantic, make_backbone
from s2s.tasks.generation.settings import GenerationFeatureSettings
from s2s.workspace import scratch

__all__ = ["fetch_weights", "open_extractors"]


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
            setting = f"feature_extraction.{stream}_weights"
            fetched = of_hub(setting, name, partial(_from_hub, name))
            load_weights(network, fetched, f"the hub's {name}")
        elif source != "random":
            with scratch() as folder:
                path = find_weights(source, folder, recipe_folder, bucket)
                load_weights(network, read_weights(path), source)
        kept |= {f"{stream}.{key}": value for key, value in network.state_dict().items()}
    save_file({key: value.contiguous() for key, value in kept.items()}, output)


def open_extractors(
    spec: TimeSpec, settings: GenerationFeatureSettings, weights: Path
) -> tuple[PictureExtractor, PictureExtractor]:
    """Extractors of motion and of appearance, with the weights that `fetch_weights` wrote.

    They work on a GPU where there is one.

    Raises:
        ModelError: if the file is damaged, or of other networks.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    values = read_weights(weights)

    def loaded(stream: str, network: nn.Module) -> None:
        start = f"{stream}."
        part = {key.removeprefix(start): values[key] for key in values if key.startswith(start)}
        load_weights(network, part, weights.name)
        network.to(device)

    motion: PictureExtractor = Motion(spec, settings)
    if settings.motion != "differences":
        raft = get_model(settings.motion, weights=None)
        loaded("motion", raft)
        motion = OpticalFlow(spec, settings, raft)
    appearance: PictureExtractor = Colours(spec, settings)
    if settings.semantic != "none":
        backbone = make_backbone(settings.semantic)
        backbone = replace(backbone, **colour_scale(settings.semantic_weights))
        loaded("semantic", backbone.network)
        appearance = Semantic(spec, settings, backbone)
    return motion, appearance


def _networks(settings: GenerationFeatureSettings) -> dict[str, nn.Module]:
    networks: dict[str, nn.Module] = {}
    if settings.motion != "differences":
        networks["motion"] = get_model(settings.motion, weights=None)
    if settings.semantic != "none":
        try:
            networks["semantic"] = make_backbone(settings.semantic).network
        except (ValueError, RuntimeError) as error:
            raise SettingsError(
                f"feature_extraction.semantic: no network {settings.semantic} ({error}); "
                f"{names_of_networks(settings.semantic)}"
            ) from error
    return networks


def _from_hub(name: str) -> Weights:
    library, _, model = name.rpartition("/")
    if library == "timm":
        return timm.create_model(model, pretrained=True, num_classes=0).state_dict()
    weights = get_model_weights(model)["DEFAULT"]
    return weights.get_state_dict(progress=False, check_hash=True)
