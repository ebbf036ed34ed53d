"""What later stages find in the bucket after collection."""

import pytest

from s2s.catalog import stored_catalog, stored_sources
from s2s.errors import CatalogError
from s2s.layout import catalog_key
from s2s.settings import CollectionSettings, Recipe
from s2s.storage import MemoryBucket

RECIPE = Recipe(name="bells", collection=CollectionSettings(catalog="bells.csv"))


def test_before_collection_there_is_no_catalog():
    with pytest.raises(CatalogError, match=r"bells has no catalog.*run its collection stage first"):
        stored_catalog(MemoryBucket(), RECIPE)


def test_the_stored_catalog_is_read_up_to_the_limit():
    bucket = MemoryBucket()
    bucket.write(catalog_key(RECIPE), b"a,1,dog\nb,2,dog\nbad\n")
    assert [clip.source_id for clip in stored_catalog(bucket, RECIPE).clips] == ["a", "b"]
    limited = RECIPE.model_copy(
        update={"collection": CollectionSettings(catalog="bells.csv", limit=1)}
    )
    assert [clip.source_id for clip in stored_catalog(bucket, limited).clips] == ["a"]


def test_a_stored_catalog_that_was_damaged_is_named():
    bucket = MemoryBucket()
    bucket.write(catalog_key(RECIPE), b"")
    with pytest.raises(CatalogError, match=r"memory:///catalogs/bells\.csv is empty"):
        stored_catalog(bucket, RECIPE)


def test_sources_and_failures_are_told_apart():
    bucket = MemoryBucket()
    for key in ("raw_data/-a.mp4", "raw_data/b.webm", "raw_data/_failed/c.json", "raw_datax/d.mp4"):
        bucket.write(key, b"x")
    sources = stored_sources(bucket)
    assert sources.key_of == {"-a": "raw_data/-a.mp4", "b": "raw_data/b.webm"}
    assert sources.failed == {"c"}
