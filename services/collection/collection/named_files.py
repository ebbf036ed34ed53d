"""Where files that a recipe names come from: beside the recipe, or the bucket."""

from pathlib import Path

from s2s.errors import BucketUnavailableError, CatalogError, StorageError
from s2s.settings import Settings
from s2s.storage import Bucket

__all__ = ["NamedFile", "find_named_file"]


class NamedFile:
    """A file that the recipe names.

    Attributes:
        name: its path or its key, for messages.
        path: the file.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path


def find_named_file(settings: Settings, bucket: Bucket, setting: str, folder: Path) -> NamedFile:
    """Find the file that a setting of `collection` names: beside the recipe, else in the bucket.

    Args:
        settings: the run's settings.
        bucket: where it may be.
        setting: `catalog` or `label_table`.
        folder: where it is downloaded to, if it is in the bucket.

    Raises:
        CatalogError: if it is in neither place.
    """
    wanted = getattr(settings.recipe.collection, setting)
    path = settings.recipe_path.parent / wanted
    try:
        if path.is_file():
            path.open("rb").close()
            return NamedFile(str(path), path)
    except OSError as error:
        raise CatalogError(f"catalog {path}: cannot be read ({error.strerror})") from error
    try:
        bucket.download(wanted, folder / setting)
    except BucketUnavailableError:
        raise
    except StorageError as error:
        raise CatalogError(
            f"catalog {wanted!r}: neither the file {path} nor an object of that key in "
            f"{bucket.url} is there. Put it at one of them, or correct collection.{setting} in "
            f"{settings.recipe_path}"
        ) from error
    return NamedFile(f"{bucket.url}/{wanted}", folder / setting)
