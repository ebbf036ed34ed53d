"""Splits that are folders in a list's paths: known, told by the recipe, or an error."""

from typing import Any

import pytest
from catalog_files import read_catalog

from s2s.catalog import FormatOptions, select_clips
from s2s.errors import CatalogError
from s2s.records import ClipRecord
from s2s.tasks.generation.settings import GenerationRecipe

# A list of each kind, {} where a split's folder is.
LISTS = {
    "vas": "{}/dog/video_{n:05d}",
    "vas, videos": "{}/dog/videos/video_{n:05d}.mp4",
    "kinetics": "{}/dog/abcdefgh{n:03d}_000001_000011.mp4",
    "kinetics, deep": "data/k400/{}/dog/abcdefgh{n:03d}_000001_000011.mp4",
    "kinetics, no label": "./{}/abcdefgh{n:03d}_000001_000011.mp4",
    "in milliseconds": "{}\\dog\\abcdefgh{n:03d}_1000_11000",
    "vggsound": "{}/abcdefgh{n:03d}_000001.mp4,dog",
    "vggsound, labels": "{}/dog/abcdefgh{n:03d}_000001.mp4;dog",
}


def clips_of(kind: str, folders: list[str], **collection: Any) -> list[ClipRecord]:
    """The clips that a recipe selects, which keeps its catalog's splits."""
    content = {
        "name": "r",
        "collection": {"catalog": "x.csv", **collection},
        "validation": {"keep_catalog_split": True},
    }
    recipe = GenerationRecipe.model_validate(content)
    options = FormatOptions.of_settings(recipe.collection, 10.0, {}, keep_splits=True)
    rows = (LISTS[kind].format(folder, n=n) for n, folder in enumerate(folders))
    catalog = read_catalog("\n".join(rows).encode(), options)
    assert catalog.problems == []
    return list(select_clips(catalog.clips, recipe))


@pytest.mark.parametrize("kind", LISTS)
def test_known_folders_are_splits(kind: str):
    clips = clips_of(kind, ["train", "Testing", "VAL"])
    assert [clip.split for clip in clips] == ["train", "Testing", "VAL"]
    labelled = kind != "kinetics, no label"
    assert {clip.labels for clip in clips} == {("dog",) if labelled else ()}


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("folders", [["train", "prueba"], ["fold3", "part", "validation"]])
def test_a_folder_beside_them_that_is_not_known_is_an_error(kind: str, folders: list[str]):
    with pytest.raises(CatalogError, match=r"x\.csv.*split_names: \{'(prueba|fold3)': …"):
        clips_of(kind, folders)


@pytest.mark.parametrize("kind", LISTS)
def test_the_recipe_says_what_a_folder_is(kind: str):
    clips = clips_of(kind, ["train", "prueba"], split_names={"Prueba": "test"})
    assert [clip.split for clip in clips] == ["train", "prueba"]
    [clip] = clips_of(kind, ["train", "prueba"], split_names={"prueba": "test"}, splits=["test"])
    assert clip.split == "prueba"


def test_the_folders_behind_a_long_beginning_are_looked_at():
    with pytest.raises(CatalogError, match=r"split_names: \{'fold1': …"):
        clips_of("kinetics", ["fold1"] * 250 + ["train"])


def test_folders_are_no_splits_where_none_is_known():
    clips = clips_of("kinetics", ["k400", "k400", "more"])
    assert [(clip.split, clip.labels) for clip in clips] == [(None, ("dog",))] * 3


def test_a_label_beside_the_splits_has_none():
    data = b"train/dog/abcdefghijk_000001_000011.mp4\ncat/abcdefghijl_000001_000011.mp4\n"
    options = FormatOptions(keep_splits=True)
    assert [(clip.split, clip.labels) for clip in read_catalog(data, options).clips] == [
        ("train", ("dog",)),
        (None, ("cat",)),
    ]


def test_a_split_in_the_row_goes_before_the_folder():
    [clip] = read_catalog(b"train/abcdefghijk_000001.mp4,dog,test\n").clips
    assert clip.split == "test"
