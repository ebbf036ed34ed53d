"""Splits as catalogs spell them: known in any spelling, told by the recipe, or an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2s.catalog import check_splits, known_split, select_clips
from s2s.errors import CatalogError, SettingsError
from s2s.records import ClipRecord
from s2s.settings import CollectionSettings, checked
from s2s.tasks.generation.settings import GenerationRecipe

SPELLED = {
    "train": ["train", "training", "trainset", "training_set", "train-split", "balanced_train"],
    "val": ["val", "valid", "validate", "validation", "dev", "devset", "development set"],
    "test": ["test", "testing", "testSet", "test_list", "eval", "evaluation", "eval_segments"],
}
CASES = [str, str.upper, str.title, str.capitalize, lambda text: f" {text} "]


@pytest.mark.parametrize(
    ("text", "ours"), [(text, ours) for ours, texts in SPELLED.items() for text in texts]
)
def test_known_spellings_in_any_case(text: str, ours: str):
    assert {known_split(case(text)) for case in CASES} == {ours}


@pytest.mark.parametrize(
    "text", ["trainval", "test1", "fold 3", "minival", "extra", "0", "unlabelled", "latest", "set"]
)
def test_what_could_be_anything_is_not_guessed(text: str):
    assert known_split(text) is None
    assert known_split(text.upper(), {text: "val"}) == "val"


def test_the_recipes_word_goes_before_what_is_known():
    assert known_split("Eval", {"eval": "val"}) == "val"
    assert known_split(None) is None
    assert known_split("") is None


@given(st.text(max_size=12))
def test_a_split_is_one_of_ours_or_not_known(text: str):
    assert known_split(text) in {None, "train", "val", "test"}


def test_unknown_ones_are_listed_with_all_that_there_are():
    with pytest.raises(
        CatalogError,
        match=r"x\.csv.*what 'fold1', 'fold2' is\. Found: 'Test', 'fold1', 'fold2'\."
        r".*train, val or test in place of each ….*split_names: \{'fold1': …, 'fold2': …\}",
    ):
        check_splits(["fold1", "Test", None, "fold2", ""], {}, "x.csv")
    check_splits(["fold1", "Test"], {"FOLD1": "train"}, "x.csv")


def test_split_names_are_ours():
    with pytest.raises(SettingsError, match=r"split_names\.a.*'train', 'val' or 'test'"):
        checked(CollectionSettings, {"catalog": "x", "split_names": {"a": "b"}}, "r")


def select(spelled: list[str | None], wanted: list[str], **names: str) -> list[str | None]:
    clips = [
        ClipRecord(source_id=f"s{place}", start_s=0, end_s=1, split=split)
        for place, split in enumerate(spelled)
    ]
    collection = {"catalog": "x", "splits": wanted, "split_names": names}
    recipe = GenerationRecipe.model_validate({"name": "r", "collection": collection})
    return [clip.split for clip in select_clips(clips, recipe)]


def test_a_recipe_may_use_our_words_or_the_catalogs():
    catalog = ["training", "Validate", "TEST", None, "TEST"]
    assert select(catalog, ["test"]) == ["TEST", "TEST"]
    assert select(catalog, ["validate", "train"]) == ["training", "Validate"]
    assert select([*catalog, "part2"], ["train"], part2="train") == ["training", "part2"]
    assert select(catalog, []) == catalog


@pytest.mark.parametrize("wanted", [["tset"], ["train", "tset"], ["validation"], ["test_set"]])
def test_a_split_that_is_not_there_is_an_error(wanted: list[str]):
    with pytest.raises(
        CatalogError, match=rf"no split '{wanted[-1]}'\. It has: none \(1 clip\), test \(2 clips\)"
    ):
        select(["test", "train", None, "test", "val"], wanted)
