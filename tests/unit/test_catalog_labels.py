"""Labels keep their ids when a catalog grows, and never leave their folder."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from memory_bucket import MemoryBucket

from s2s.catalog import (
    FormatOptions,
    RowProblem,
    choose_format,
    read_label_ids,
    read_rows,
    update_label_ids,
)
from s2s.layout import folder_name, label_of_folder
from s2s.settings import CollectionSettings
from s2s.storage import ObjectInfo
from s2s.tasks.generation.settings import GenerationRecipe

RECIPE = GenerationRecipe(name="bells", collection=CollectionSettings(catalog="bells.csv"))


def test_ids_are_written_beside_the_catalog_and_read_back():
    bucket = MemoryBucket()
    assert read_label_ids(bucket, RECIPE).version == 0
    ids = update_label_ids(bucket, RECIPE, {"dog", "cat, meowing", "a/b"})
    assert (ids.version, ids.names) == (1, ("a/b", "cat, meowing", "dog"))
    assert json.loads(bucket.read("catalogs/bells/labels_v1.json")) == {
        "a/b": 0,
        "cat, meowing": 1,
        "dog": 2,
    }
    assert read_label_ids(bucket, RECIPE) == ids
    assert ids.id_of["dog"] == 2


def test_known_labels_keep_their_ids_and_every_version_stays():
    bucket = MemoryBucket()
    update_label_ids(bucket, RECIPE, ["dog", "cat"])
    assert update_label_ids(bucket, RECIPE, ["cat"]).version == 1
    grown = update_label_ids(bucket, RECIPE, ["ant", "dog", "zebra"])
    assert (grown.version, grown.names) == (2, ("cat", "dog", "ant", "zebra"))
    assert json.loads(bucket.read("catalogs/bells/labels_v1.json")) == {"cat": 0, "dog": 1}
    for version in range(3, 12):
        update_label_ids(bucket, RECIPE, [f"label {version}"])
    assert read_label_ids(bucket, RECIPE).version == 11


def test_two_runs_at_the_same_time_agree():
    class Racing(MemoryBucket):
        """Another run writes its version right before the first of ours."""

        raced = False

        def write(self, key: str, data: bytes, *, overwrite: bool = False) -> ObjectInfo:
            if not self.raced:
                self.raced = True
                update_label_ids(self, RECIPE, ["zebra"])
            return super().write(key, data, overwrite=overwrite)

    bucket = Racing()
    ids = update_label_ids(bucket, RECIPE, ["ant"])
    assert (ids.version, ids.names) == (2, ("zebra", "ant"))


@given(st.text(min_size=1, max_size=60).filter(lambda text: max(text) < "\ud800"))
@example("..")
@example(".")
@example("../../etc/passwd")
@example("/absolute")
@example("-rf")
@example("100% (live), 'loud' \"banjo\"/guitar\\lute")
@example("%2F")
@example("a\x00b\n")
def test_a_label_names_one_folder_and_comes_back(label: str):
    try:
        name = folder_name(label)
    except ValueError:
        assert len(label.encode()) > 60
        return
    inside = Path("/data") / name
    assert inside.parent == Path("/data")
    assert inside.resolve().parent == Path("/data")
    assert not set(name) & {"/", "\\", "\x00", "\n"}
    assert not name.startswith("-")
    assert label_of_folder(name) == label


def test_most_labels_stay_readable():
    assert folder_name("people's, (loud) “crowd”") == "people's, (loud) “crowd”"
    assert folder_name("playing guitar/banjo") == "playing guitar%2Fbanjo"


@pytest.mark.parametrize("label", ["", "ß" * 101])
def test_a_label_that_names_no_folder_is_refused(label: str):
    with pytest.raises(ValueError, match="folder"):
        folder_name(label)


def test_a_label_that_is_too_long_for_a_folder_is_a_bad_row(tmp_path: Path):
    path = tmp_path / "long.csv"
    path.write_text(f"aaaaaaaaaaa,3,dog\nbbbbbbbbbbb,4,{'x' * 201}\nccccccccccc,5,{'x' * 200}\n")
    rows = list(read_rows(path, choose_format(path, str(path), FormatOptions())))
    [problem] = [row for row in rows if isinstance(row, RowProblem)]
    assert len(rows) == 3
    assert problem.line == 2
    assert "takes 201 bytes" in problem.message
    assert problem.message.endswith("at most 200 fit: shorten it")
