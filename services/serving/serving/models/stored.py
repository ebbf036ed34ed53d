"""From the bucket's newest model to a model directory."""

from dataclasses import dataclass
from pathlib import Path

from s2s.dataset import version_names
from s2s.errors import ModelError
from s2s.layout import model_config_key, model_prefix
from s2s.settings import Recipe
from s2s.storage import Bucket

__all__ = ["StoredModel", "fetch_model", "find_model"]


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
    raise ModelError(
        f"{bucket.url}: no model of recipe {recipe.name} with its present settings: "
        "run its training stage first"
    )


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
    from s2s.tasks.generation.network.directory import CONFIG_FILE, WEIGHTS_FILE  # noqa: PLC0415 - imports torch

    folder = work_dir / model.prefix
    folder.mkdir(parents=True, exist_ok=True)
    beside = (key.removeprefix(model.prefix) for key in bucket.keys(model.prefix))
    weights = {name for name in beside if name.endswith(".safetensors") and "/" not in name}
    for name in (CONFIG_FILE, *sorted(weights | {WEIGHTS_FILE})):
        bucket.fetch(model.prefix + name, folder / name)
    return folder
