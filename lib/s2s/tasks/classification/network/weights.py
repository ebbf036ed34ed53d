"""Weights of a backbone that were trained elsewhere, and the scale of pictures they expect."""

from functools import partial
from typing import Any

import timm
from timm.data.config import resolve_model_data_config
from torch import nn
from torchvision.models import get_model_weights

from s2s.tasks.classification.network.classifier import ClipClassifier
from s2s.tasks.classification.network.fusion import AudioVisual
from s2s.tasks.classification.network.sound import SoundClassifier
from s2s.tasks.classification.settings import ClassificationRecipe
from s2s.tasks.common.hub import of_hub
from s2s.tasks.common.weights import (
    Weights,
    colour_scale,
    convert_weights,
    find_weights,
    load_weights,
)
from s2s.tasks.contract import Material
from s2s.workspace import scratch

__all__ = ["give_backbone_weights"]

_HEAD = "last."


def give_backbone_weights(network: nn.Module, material: Material) -> dict[str, Any]:
    """Give a classifier's backbone the weights that the recipe names.

    Args:
        network: the classifier; its last layer, of other classes, stays as it is.
        material: where the recipe's files, and the bucket, are.

    Returns:
        `mean` and `std` of colours that the weights expect.

    Raises:
        ModelError: if they cannot be had, or are of another network.
    """
    recipe = material.recipe
    assert isinstance(recipe, ClassificationRecipe)  # noqa: S101 - for the type checker
    training = recipe.training
    place, backbone = _backbone_of(network)
    library, _, name = training.backbone.partition("/")
    if training.weights == "hub":
        weights, scale = of_hub(
            "training.weights", training.backbone, partial(_from_hub, library, name)
        )
    else:
        with scratch() as folder:
            path = find_weights(training.weights, folder, material.recipe_folder, material.bucket)
            weights = convert_weights(path, material.bucket, recipe)
        scale = _scale(training.weights, backbone)
    # Of a classifier that was trained here, those of the same place in it.
    own = {key.removeprefix(place): weights[key] for key in weights if key.startswith(place)}
    weights = own or weights
    if isinstance(network, SoundClassifier):
        weights, scale = _of_one_channel(weights), {}
    if isinstance(backbone, ClipClassifier):
        kept = {key: value for key, value in backbone.state_dict().items() if key.startswith(_HEAD)}
        weights = {**weights, **kept}
    load_weights(backbone, weights, training.weights)
    return scale


def _backbone_of(network: nn.Module) -> tuple[str, nn.Module]:
    """Where in a classifier its backbone is, and the backbone.

    Of the small networks over volumes it is all of them; their last layer stays as it is.
    """
    root = "visual." if isinstance(network, AudioVisual) else ""
    seeing = network.get_submodule(root.removesuffix("."))
    for place in ("picture.network", "picture", "network"):
        try:
            return f"{root}{place}.", seeing.get_submodule(place)
        except AttributeError:
            continue
    return root, seeing


def _from_hub(library: str, name: str) -> tuple[Weights, dict[str, Any]]:
    if library == "timm":
        network = timm.create_model(name, pretrained=True, num_classes=0)
        data = resolve_model_data_config(network)
        return network.state_dict(), {"mean": data["mean"], "std": data["std"]}
    found = get_model_weights(name)["DEFAULT"]
    data = found.transforms()
    scale = {"mean": tuple(data.mean), "std": tuple(data.std)}
    return found.get_state_dict(progress=False, check_hash=True), scale


def _of_one_channel(weights: Weights) -> Weights:
    """Weights for a spectrogram instead of colours: the first layer's are added up over colours."""
    first = next((name for name, value in weights.items() if value.ndim == 4), None)
    if first is None or weights[first].shape[1] != 3:
        return weights
    return {**weights, first: weights[first].sum(dim=1, keepdim=True)}


def _scale(source: str, backbone: nn.Module) -> dict[str, Any]:
    data = resolve_model_data_config(backbone) if hasattr(backbone, "default_cfg") else {}
    known = {name: tuple(data[name]) for name in ("mean", "std") if name in data}
    return known | colour_scale(source)
