"""Recipes are checked on reading; a message names the setting."""

from pathlib import Path

import pytest

from s2s.errors import SettingsError
from s2s.settings import CLIPS, DEFAULT_SOURCE_URL
from s2s.tasks.generation.settings import GenerationRecipe
from s2s.tasks.recipes import load_recipe

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_every_recipe_loads_and_is_named_for_its_file(path: Path):
    assert load_recipe(path).name == path.stem


def test_defaults(tmp_path: Path):
    recipe = load_recipe(write(tmp_path, "{name: x, collection: {catalog: a.csv}}"))
    assert recipe.collection.source_url == DEFAULT_SOURCE_URL
    assert (recipe.validation.train, recipe.validation.val) == (0.7, 0.2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "not YAML"),
        ("- a", "mapping"),
        ("name: x", "collection: Field required"),
        ("{name: x, collection: {catalog: a, colour: red}}", "collection.colour"),
        ("{name: X Y, collection: {catalog: a}}", "name: "),
        ("{name: x, collection: {catalog: a, source_url: 'http://x'}}", "source_id"),
        ("{name: x, collection: {catalog: a}, validation: {train: .9, val: .2}}", "add up"),
        ("{name: x, collection: {catalog: a}, training: {width: 128, heads: 3}}", "heads"),
        ("{name: x, collection: {catalog: a}, spec: {sample_rate_hz: 16001}}", "multiple of"),
    ],
)
def test_wrong_recipes_say_what_is_wrong(tmp_path: Path, text: str, message: str):
    with pytest.raises(SettingsError, match=message) as caught:
        load_recipe(write(tmp_path, text))
    assert "recipe.yaml" in str(caught.value)


def test_an_unknown_setting_or_task_is_told_in_words(tmp_path: Path):
    head = "name: x\ncollection: {catalog: a.csv}\n"
    with pytest.raises(SettingsError, match=r"training\.colours: there is no such setting$"):
        load_recipe(write(tmp_path, head + "training: {colours: x}\n"))
    for text, said in (
        (
            "task: classification\ntraining: {bakbone: x}",
            r"training\.bakbone: .*; is backbone meant",
        ),
        ("trainig: {}", r": trainig: there is no such setting; is training meant\?$"),
        ("evaluation: {targets: [{figur: x}]}", r"figur: there is no such setting"),
    ):
        with pytest.raises(SettingsError, match=said):
            load_recipe(write(tmp_path, f"{head}{text}\n"))
    with pytest.raises(SettingsError, match=r"recipe\.yaml: task: there is no 'generatoin', use "):
        load_recipe(write(tmp_path, head + "task: generatoin\n"))


def test_what_only_follows_from_another_error_is_not_told(tmp_path: Path):
    head = "name: x\ntask: separation\ncollection: {catalog: a.csv}\n"
    with pytest.raises(SettingsError, match="is different_voices meant") as caught:
        load_recipe(write(tmp_path, head + "evaluation: {conditions: [different_voice]}\n"))
    assert "at least 1 item" not in str(caught.value)
    with pytest.raises(SettingsError, match="at least 1 item"):
        load_recipe(write(tmp_path, head + "evaluation: {conditions: []}\n"))


@pytest.mark.parametrize("given", ["5", "[5]", "[1, 2, 3]"])
def test_a_range_is_two_numbers(tmp_path: Path, given: str):
    head = "name: x\ntask: separation\ncollection: {catalog: a.csv}\n"
    told = r"training\.mixing\.snr_db: .* is not two numbers, the least and the most"
    with pytest.raises(SettingsError, match=told):
        load_recipe(write(tmp_path, head + f"training: {{mixing: {{snr_db: {given}}}}}\n"))


def test_a_missing_recipe_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"nothing\.yaml: cannot be read"):
        load_recipe(tmp_path / "nothing.yaml")


def test_a_fingerprint_changes_with_what_it_is_of_and_with_nothing_else():
    def recipe(**changes: object) -> GenerationRecipe:
        return GenerationRecipe.model_validate(
            {"name": "x", "collection": {"catalog": "a"}} | changes
        )

    base = recipe().fingerprint(CLIPS)
    assert recipe(seed=1).fingerprint(CLIPS) == base
    assert recipe(preprocessing={"crf": 30}).fingerprint(CLIPS) != base
    assert recipe(spec={"duration_s": 3}).fingerprint(CLIPS) != base
