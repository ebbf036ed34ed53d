"""What later stages find in the bucket after collection."""

import pytest
from memory_bucket import MemoryBucket

from s2s.catalog import (
    RowProblem,
    catalog_lines,
    make_clip,
    section_name,
    stored_catalog,
    stored_sources,
)
from s2s.errors import CatalogError
from s2s.layout import catalog_key
from s2s.records import ClipRecord
from s2s.settings import CollectionSettings
from s2s.storage import Bucket
from s2s.tasks.generation.settings import GenerationRecipe

RECIPE = GenerationRecipe(name="bells", collection=CollectionSettings(catalog="bells.csv"))
CLIPS = [
    ClipRecord(
        source_id="-a",
        start_s=1.5,
        end_s=4.5,
        labels=('say "hi", (twice)', "a/b"),
        split="val",
        face_xy=(0.25, 0.5),
        is_cc=True,
    ),
    make_clip("b", 0.0, 10.0),
]


@pytest.fixture
def bucket() -> Bucket:
    bucket = MemoryBucket()
    rows = [*CLIPS, RowProblem(7, "no row at all")]
    bucket.write(catalog_key(RECIPE), "".join(catalog_lines(rows)).encode())
    return bucket


def test_before_collection_there_is_no_catalog():
    with pytest.raises(CatalogError, match=r"bells has no catalog.*run its collection stage first"):
        stored_catalog(MemoryBucket(), RECIPE)


def test_clips_and_problems_come_back_as_they_were(bucket: Bucket):
    catalog = stored_catalog(bucket, RECIPE)
    assert catalog.clips == CLIPS
    assert catalog.problems == [RowProblem(7, "no row at all")]


def test_the_stored_catalog_is_read_up_to_the_limit(bucket: Bucket):
    collection = CollectionSettings(catalog="bells.csv", limit=1)
    limited = RECIPE.model_copy(update={"collection": collection})
    assert stored_catalog(bucket, limited).clips == CLIPS[:1]


@pytest.mark.parametrize("line", [b"a,1,dog\n", b"[]\n", b'{"source_id": "a"}\n', b"\xff\n"])
def test_a_stored_catalog_that_was_damaged_is_named(bucket: Bucket, line: bytes):
    bucket.write(catalog_key(RECIPE), bucket.read(catalog_key(RECIPE)) + line, overwrite=True)
    with pytest.raises(CatalogError, match=r"catalogs/bells\.jsonl: line 4 is damaged"):
        stored_catalog(bucket, RECIPE)


def test_a_stored_catalog_that_is_empty_is_named():
    bucket = MemoryBucket()
    bucket.write(catalog_key(RECIPE), b"")
    with pytest.raises(CatalogError, match=r"memory:///catalogs/bells\.jsonl is empty"):
        stored_catalog(bucket, RECIPE)


def stored(*keys: str) -> Bucket:
    bucket = MemoryBucket()
    for key in keys:
        bucket.write(key, b"x")
    return bucket


def test_sources_and_failures_are_told_apart():
    sources = stored_sources(
        stored("raw_data/-a.mp4", "raw_data/b.webm", "raw_data/_failed/c.json", "raw_datax/d.mp4")
    )
    assert sources.files.key_of == {"-a": "raw_data/-a.mp4", "b": "raw_data/b.webm"}
    assert sources.failed.key_of == {"c": "raw_data/_failed/c.json"}


def test_a_clip_is_found_in_its_source_or_in_a_section_around_it():
    section = section_name("-a", 8.0, 22.0)
    assert section == "-a_00008000_00022000"
    sources = stored_sources(stored("raw_data/b.webm", f"raw_data/{section}.mp4"))
    whole = sources.files.find(make_clip("b", 100.0, 110.0))
    assert whole is not None
    assert (whole.key, whole.start_s) == ("raw_data/b.webm", 0.0)
    inside = sources.files.find(make_clip("-a", 10.0, 20.0))
    assert inside is not None
    assert (inside.key, inside.start_s) == (f"raw_data/{section}.mp4", 8.0)
    assert sources.files.find(make_clip("-a", 8.0, 22.0))
    for start_s, end_s in ((7.0, 17.0), (13.0, 23.0), (30.0, 40.0)):
        assert sources.files.find(make_clip("-a", start_s, end_s)) is None
    assert sources.files.find(make_clip("c", 10.0, 20.0)) is None


def test_the_whole_source_goes_before_a_section_of_it():
    sources = stored_sources(stored("raw_data/a.mp4", "raw_data/a_00000000_00020000.mp4"))
    found = sources.files.find(make_clip("a", 0.0, 10.0))
    assert found is not None
    assert found.key == "raw_data/a.mp4"


def test_the_failure_of_a_section_is_that_of_its_clips():
    sources = stored_sources(stored("raw_data/_failed/a_00008000_00022000.json"))
    assert sources.failed.find(make_clip("a", 10.0, 20.0))
    assert sources.failed.find(make_clip("a", 30.0, 40.0)) is None
