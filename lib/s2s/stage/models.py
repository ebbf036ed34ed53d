"""What is told where a recipe has no trained model, the same by every command that needs one."""

from s2s.errors import BucketUnavailableError, ModelError
from s2s.settings import Recipe
from s2s.storage import Bucket

__all__ = ["no_model"]

_REMEDY = "run './s2s run RECIPE' (for a sample recipe './s2s demo NAME')"


def no_model(bucket: Bucket, recipe: Recipe, version: str = "") -> ModelError:
    """The error of a recipe that has no model yet, with what makes one.

    Args:
        bucket: where it was looked for; it may not be there itself.
        recipe: whose model was looked for.
        version: the data set version that it was to be of; empty for any.
    """
    try:
        bucket.check()
    except BucketUnavailableError as error:
        what = str(error).partition(". ")[0]
        remedy = f"{_REMEDY}, or choose another --bucket"
        return ModelError(f"{what}, and so no model of recipe {recipe.name} yet: {remedy}")
    of_version = f" of {version}" if version else ""
    what = f"no model of recipe {recipe.name}{of_version} with its present settings yet"
    return ModelError(f"{bucket.url}: {what}: {_REMEDY}")
