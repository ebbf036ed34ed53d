"""Weights that were trained elsewhere: found where a recipe says, read, and given to a network."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from pickle import UnpicklingError  # noqa: TID251 - how torch.load refuses what is no tensor

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from s2s.errors import ModelError, StorageError
from s2s.storage import Bucket

__all__ = ["Weights", "find_weights", "load_weights", "read_weights"]

Weights = Mapping[str, torch.Tensor]
"""A network's tensors by name."""


def find_weights(source: str, folder: Path, recipe_folder: Path, bucket: Bucket) -> Path:
    """The file that a recipe names.

    Args:
        source: `file:NAME` beside the recipe, `bucket:KEY`, or `package:NAME/FILE` in an installed
            Python package.
        folder: where a file from the bucket is put.
        recipe_folder: where `file:` starts from.
        bucket: where `bucket:` is.

    Raises:
        ModelError: if the bucket has no such object, or the package is not installed.
    """
    place, _, name = source.partition(":")
    if place == "file":
        return recipe_folder / name
    if place == "package":
        package, _, file = name.partition("/")
        found = find_spec(package)
        if found is None or not found.submodule_search_locations:
            raise ModelError(f"{source}: there is no package {package}: install it")
        return Path(found.submodule_search_locations[0]) / file
    path = folder / Path(name).name
    try:
        bucket.download(name, path)
    except StorageError as error:
        raise ModelError(f"{source}: cannot be read from {bucket.url} ({error})") from error
    return path


def read_weights(path: Path) -> Weights:
    """Tensors by name, of a safetensors file or of one that torch.save wrote.

    Raises:
        ModelError: if it is neither.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, RuntimeError, UnpicklingError, EOFError) as error:
        raise ModelError(
            f"{path}: not a file of weights ({error}): it must be safetensors, or a state dict "
            "that torch.save wrote"
        ) from error


def load_weights(network: nn.Module, weights: Weights, name: str) -> None:
    """Give a network its weights; those of layers that it does not have are left out.

    Args:
        network: gets them.
        weights: tensors by the names that the network has for them.
        name: what they are from, for messages.

    Raises:
        ModelError: if some are missing, or are of another shape.
    """
    wanted = network.state_dict()
    missing = [key for key in wanted if key not in weights]
    try:
        if missing:
            raise RuntimeError(f"{len(missing)} of {len(wanted)} are missing, such as {missing[0]}")
        network.load_state_dict({key: weights[key] for key in wanted})
    except RuntimeError as error:
        raise ModelError(f"{name}: weights of another network ({error})") from error
