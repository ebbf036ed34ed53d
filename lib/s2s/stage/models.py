"""What is told where a recipe has no trained model, the same by every command that needs one."""

from s2s.errors import BucketUnavailableError, ModelError, is_in_image
from s2s.settings import Recipe
from s2s.storage import Bucket

__all__ = ["no_model"]

_REMEDY = "run './s2s run RECIPE' (for a sample recipe './s2s demo NAME')"
_REMEDY_IN_IMAGE = "run the stages before ('docker-compose up' does, outside of the container)"


def no_model(bucket: Bucket, recipe: Recipe, version: str = "") -> ModelError:
    """The error of a recipe that has no model yet, with what makes one.

    Args:
        bucket: where it was looked for; it may not be there itself.
        recipe: whose model was looked for.
        version: the data set version that it was to be of; empty for any.
    """
    remedy = _REMEDY_IN_IMAGE if is_in_image() else _REMEDY
    try:
        bucket.check()
    except BucketUnavailableError as error:
        what = str(error).partition(". ")[0]
        why = f"{what}, and so no model of recipe {recipe.name} yet"
        return ModelError(f"{why}: {remedy}, or choose another --bucket (S2S_BUCKET)")
    of_version = f" of {version}" if version else ""
    what = f"no model of recipe {recipe.name}{of_version} with its present settings yet"
    return ModelError(f"{bucket.url}: {what}: {remedy}")
