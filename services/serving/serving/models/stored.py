"""From recipes to models that are served: found in the bucket, fetched, and offered."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from s2s.dataset import version_names
from s2s.errors import ChecksumError, ModelError
from s2s.layout import model_config_key, model_prefix
from s2s.media import MediaLimits
from s2s.settings import Recipe
from s2s.stage import no_model
from s2s.storage import Bucket
from s2s.tasks.contract import Predictor
from s2s.tasks.loading import load_task
from serving.models.served import MAX_PICTURE_PIXELS, MAX_PIXELS, MAX_STREAMS, ServedModel

__all__ = [
    "StoredModel",
    "fetch_model",
    "find_model",
    "model_of_folder",
    "model_of_recipe",
    "models_of_recipes",
    "offered_model",
]

_CONFIG_FILE = "config.json"
_SUFFIXES = (".safetensors", ".json")


@dataclass(frozen=True)
class StoredModel:
    """A trained model in the bucket.

    Attributes:
        version: the data set version that it was trained on.
        prefix: where its files are.
    """

    version: str
    prefix: str

    @property
    def name(self) -> str:
        """Its name for people: `<recipe>/<version>-<fingerprint>`."""
        return self.prefix.partition("/")[2].rstrip("/")


def find_model(bucket: Bucket, recipe: Recipe) -> StoredModel:
    """The recipe's model of the newest data set version that has one.

    Raises:
        ModelError: if there is none.
    """
    for version in reversed(version_names(bucket, recipe)):
        key = model_config_key(recipe, version)
        if bucket.exists(key):
            return StoredModel(version, model_prefix(recipe, version))
    raise no_model(bucket, recipe)


def fetch_model(bucket: Bucket, model: StoredModel, work_dir: Path) -> Path:
    """Download a model's files, unless they are there already; checksums are compared.

    Args:
        bucket: where the model is.
        model: which one.
        work_dir: a folder under it is made.

    Returns:
        the model directory.

    Raises:
        ChecksumError: if a file is not what the bucket holds.
    """
    folder = work_dir / model.prefix
    folder.mkdir(parents=True, exist_ok=True)
    beside = (key.removeprefix(model.prefix) for key in bucket.keys(model.prefix))
    names = {name for name in beside if name.endswith(_SUFFIXES) and "/" not in name}
    for name in sorted(names | {_CONFIG_FILE}):
        bucket.fetch(model.prefix + name, folder / name)
    return folder


def model_of_recipe(bucket: Bucket, recipe: Recipe, work_dir: Path) -> ServedModel:
    """The recipe's newest model, as it is offered.

    Raises:
        ModelError: if there is none.
    """
    return offered_model(bucket, find_model(bucket, recipe), recipe, work_dir)


def offered_model(
    bucket: Bucket, stored: StoredModel, recipe: Recipe, work_dir: Path
) -> ServedModel:
    """A recipe's model in the bucket, as it is offered; one that arrives damaged fails to load.

    Raises:
        ModelError: if it is of another task than the recipe.
    """
    try:
        folder = fetch_model(bucket, stored, work_dir)
    except ChecksumError as error:
        return _offered({}, partial(_fail, error), stored.name, recipe)
    return model_of_folder(folder, stored.name, recipe)


def models_of_recipes(
    bucket: Bucket, recipes: Sequence[Recipe], work_dir: Path
) -> list[ServedModel]:
    """Each recipe's newest model; where a recipe has none, one of its name that fails to load.

    Raises:
        ModelError: if none has a model; it says why the first has none.
    """
    models: list[ServedModel] = []
    errors: list[ModelError] = []
    for recipe in recipes:
        try:
            models.append(model_of_recipe(bucket, recipe, work_dir))
        except ModelError as error:
            errors.append(error)
            models.append(_offered({}, partial(_fail, error), recipe.name, recipe))
    if errors and len(errors) == len(recipes):
        raise errors[0]
    return models


def _fail(error: Exception, _limits: MediaLimits) -> NoReturn:
    raise error


def model_of_folder(folder: Path, name: str, recipe: Recipe) -> ServedModel:
    """A model directory, as it is offered: its config says what it has learned.

    A config that cannot be read is found again, and told, when the model is loaded.

    Args:
        folder: the model directory.
        name: the model's name for clients.
        recipe: sets the limits.

    Raises:
        ModelError: if there is no config, or it is of another task than the recipe.
    """
    config = _read_config(folder)
    _check_task(config, folder, recipe)
    return _offered(config, partial(load_task(recipe.task).load, folder), name, recipe)


def _offered(
    config: Mapping[str, Any],
    load: Callable[[MediaLimits], Predictor],
    name: str,
    recipe: Recipe,
) -> ServedModel:
    task, serving = load_task(recipe.task), recipe.serving
    media = MediaLimits(MAX_PIXELS, serving.max_duration_s, MAX_STREAMS, MAX_PICTURE_PIXELS)
    # For the threads that torch starts when the model is loaded: they would wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    return ServedModel(
        name=name,
        task=recipe.task,
        offer=task.offer,
        load=load,
        max_upload_bytes=serving.max_upload_bytes,
        media=media,
        page=task.page_folder,
        note=serving.note,
        example=_example(task.page_folder, recipe.name),
        own=_own_values(config, task.offer.own),
    )


def _example(page: Path | None, recipe: str) -> str:
    """What the task brings to try a model with: for the recipe and its variants, or for all."""
    names = [f"example.{recipe.partition('.')[0]}.mp4", "example.mp4"]
    return next((name for name in names if page is not None and (page / name).is_file()), "")


def _own_values(config: Mapping[str, Any], own: Mapping[str, str]) -> dict[str, Any]:
    """What the model does where nothing else is asked, by option: of the task's own config."""
    settings = config.get("config")
    settings = settings if isinstance(settings, dict) else {}
    return {name: settings[key] for name, key in own.items() if key in settings}


def _read_config(folder: Path) -> Mapping[str, Any]:
    path = folder / _CONFIG_FILE
    if not path.is_file():
        what = "is a file, and no folder" if folder.exists() else "is not there"
        if folder.is_dir():
            what = "has no config.json"
        raise ModelError(f"{folder}: {what}; name a model directory, as training writes it")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _check_task(config: Mapping[str, Any], folder: Path, recipe: Recipe) -> None:
    task = config.get("task", recipe.task)
    if task != recipe.task:
        raise ModelError(
            f"{folder / _CONFIG_FILE}: a model of the task {task}, and the recipe {recipe.name} is "
            f"of {recipe.task}: name the recipe that it was trained by"
        )
