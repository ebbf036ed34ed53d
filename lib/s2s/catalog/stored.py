"""What collection left in the bucket: the catalog, and the sources."""

from dataclasses import dataclass

from s2s.catalog.catalog import Catalog, read_catalog
from s2s.errors import CatalogError, ObjectNotFoundError
from s2s.layout import FAILED, catalog_key, raw_prefix
from s2s.settings import Recipe
from s2s.storage import Bucket

__all__ = ["StoredSources", "stored_catalog", "stored_sources"]


@dataclass(frozen=True)
class StoredSources:
    """The sources under `raw_data/`.

    Attributes:
        key_of: key of each source that is there, by its id.
        failed: ids of sources that could not be had.
    """

    key_of: dict[str, str]
    failed: frozenset[str]


def stored_catalog(bucket: Bucket, recipe: Recipe) -> Catalog:
    """The catalog that the recipe was collected from, up to the recipe's limit.

    Raises:
        CatalogError: if collection has not run yet, or no row of the catalog can be used.
    """
    key = catalog_key(recipe)
    try:
        data = bucket.read(key)
    except ObjectNotFoundError as error:
        raise CatalogError(
            f"{bucket.url}: recipe {recipe.name} has no catalog ({key}) yet: "
            "run its collection stage first"
        ) from error
    return read_catalog(
        data, f"{bucket.url}/{key}", recipe.spec.duration_s, recipe.collection.limit
    )


def stored_sources(bucket: Bucket) -> StoredSources:
    """List the sources, those of all recipes."""
    names = [key.removeprefix(raw_prefix()) for key in bucket.keys(raw_prefix())]
    return StoredSources(
        key_of={
            name.partition(".")[0]: raw_prefix() + name
            for name in names
            if not name.startswith(FAILED)
        },
        failed=frozenset(
            name.removeprefix(FAILED).removesuffix(".json")
            for name in names
            if name.startswith(FAILED)
        ),
    )
