"""A model directory: weights as safetensors, and a plain config that pins all they depend on.

config.json             what the model is, around the task's own config; written last
model.safetensors       weights
extractors.safetensors  weights of feature extractors that have any
metrics.json, README.md, *.csv, *.png   what it is worth, and how it was trained

What turns media into the network's input is part of it: rates and lengths in `spec`, all else in
the task's config.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError

from s2s.errors import ModelError
from s2s.spec import TimeSpec

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "CONFIG_FILE",
    "FORMAT",
    "WEIGHTS_FILE",
    "ModelDescription",
    "checked_config",
    "load_weights",
    "read_description",
    "save_model",
    "save_weights",
    "write_description",
]

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
FORMAT = 3
_MOST_CHARACTERS = 200
_REMEDY = "fetch the model again, or train it again"


class ModelDescription(BaseModel):
    """The content of `config.json`, for any task.

    Attributes:
        format: version of this layout.
        task: what it has learned: `load_task(task).load(folder, limits)` loads it.
        recipe: name of the recipe that it was trained by.
        version: data set version that it was trained on.
        spec: the time grid.
        config: the task's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[3] = FORMAT
    task: str
    recipe: str
    version: str
    spec: TimeSpec
    config: dict[str, Any]


def write_description(folder: Path, description: ModelDescription) -> None:
    """Write `config.json`; the folder is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    text = description.model_dump_json(indent=2) + "\n"
    (folder / CONFIG_FILE).write_text(text, encoding="utf-8")


def read_description(folder: Path, task: str | None = None) -> ModelDescription:
    """Read `config.json`.

    Args:
        folder: the model directory.
        task: what the model must have learned; None for any task.

    Raises:
        ModelError: if it is missing or damaged, of another version of the layout, or of another
            task.
    """
    path = folder / CONFIG_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or "format" not in content:
            raise ValueError("it names no format")
        found = content["format"]
        if found != FORMAT:
            raise ModelError(
                f"{path}: a model of format {found}, and this version of the project reads format "
                f"{FORMAT}: train it again with './s2s training RECIPE'"
            )
        description = ModelDescription.model_validate(content)
    except (OSError, ValueError) as error:  # pydantic's, JSON's and UTF-8's errors are ValueErrors
        raise ModelError(f"{path}: not a model's config ({error}): {_REMEDY}") from error
    if task not in {None, description.task}:
        raise ModelError(
            f"{path}: a model of the task {description.task}, not of {task}: choose another folder"
        )
    return description


def checked_config(folder: Path, model: type[BaseModel], content: dict[str, Any]) -> Any:
    """The task's own config, checked.

    Raises:
        ModelError: if a value is unknown or wrong.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ModelError(
            f"{folder / CONFIG_FILE}: not a model's config ({error}): {_REMEDY}"
        ) from error


def save_weights(path: Path, network: "nn.Module") -> Path:
    """Write a network's weights."""
    from safetensors.torch import save_file  # noqa: PLC0415 - torch

    path.parent.mkdir(parents=True, exist_ok=True)
    weights = network.state_dict().items()
    save_file({name: value.detach().cpu().contiguous() for name, value in weights}, path)
    return path


def load_weights(path: Path, network: "nn.Module") -> None:
    """Load a network's weights.

    Raises:
        ModelError: if they are missing, damaged, or of another shape.
    """
    from safetensors.torch import load_file  # noqa: PLC0415 - torch

    if not path.is_file():
        raise ModelError(
            f"{path}: is missing, and {CONFIG_FILE} describes it: fetch or copy the whole folder"
        )
    try:
        network.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ModelError(
            f"{path}: not the weights that {CONFIG_FILE} describes ({_first_line(error)}): fetch "
            "the model again; if it is of another version of the project, delete its folder, in "
            "the bucket too, and train it again"
        ) from error


def _first_line(error: Exception) -> str:
    """What is wrong, without the names of all the weights that are."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[1] if len(lines) > 1 else "".join(lines)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"


def save_model(folder: Path, network: "nn.Module", description: ModelDescription) -> None:
    """Write a network's weights, then the config: a directory without one holds no model."""
    save_weights(folder / WEIGHTS_FILE, network)
    write_description(folder, description)
