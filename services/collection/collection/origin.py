"""Where a recipe's catalog comes from: a file, or an object in the bucket."""

from s2s.errors import BucketUnavailableError, CatalogError, StorageError
from s2s.settings import Settings
from s2s.storage import Bucket

__all__ = ["read_origin"]


def read_origin(settings: Settings, bucket: Bucket) -> tuple[str, bytes]:
    """Read the catalog that the recipe names: a file beside the recipe, else a key.

    Returns:
        the catalog's path or key, for messages, and its content.

    Raises:
        CatalogError: if there is neither.
    """
    catalog = settings.recipe.collection.catalog
    path = settings.recipe_path.parent / catalog
    try:
        if path.is_file():
            return str(path), path.read_bytes()
    except OSError as error:
        raise CatalogError(f"catalog {path}: cannot be read ({error.strerror})") from error
    try:
        return f"{bucket.url}/{catalog}", bucket.read(catalog)
    except BucketUnavailableError:
        raise
    except StorageError as error:
        raise CatalogError(
            f"catalog {catalog!r}: neither the file {path} nor an object of that key in "
            f"{bucket.url} is there. Put it at one of them, or correct collection.catalog in "
            f"{settings.recipe_path}"
        ) from error
