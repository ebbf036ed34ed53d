from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from launcher.sample_site import sample_for
from s2s.cli import make_settings
from s2s.layout import raw_prefix
from s2s.logs import console
from s2s.storage import Bucket, open_bucket
from s2s.tasks.recipes import load_recipe
from sample.__main__ import app
from sample.film import SOURCE_URL, WORLDS, load_world
from sample.silent_to_sound.world import source_id

ROOT = Path(__file__).parents[2]


def test_render_prints_the_catalog_and_keeps_whole_videos(tmp_path: Path):
    (tmp_path / f"{source_id(3, 0)}.mp4").write_bytes(b"whole")

    result = CliRunner().invoke(
        app, ["render", "--out", str(tmp_path), "--sources", "1", "--seed", "3"]
    )

    assert result.exit_code == 0
    assert result.stdout.strip() == str(tmp_path / "catalog.csv")
    assert source_id(3, 0) in (tmp_path / "catalog.csv").read_text()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"{source_id(3, 0)}.mp4", "catalog.csv"}, "nothing is left behind"


def test_an_unknown_world_is_an_error_that_lists_those_there_are(tmp_path: Path):
    result = CliRunner().invoke(app, ["render", "--out", str(tmp_path), "--world", "mars"])

    assert result.exit_code == 1
    assert "mars" in result.stderr
    assert "silent_to_sound" in result.stderr


def test_render_says_why_it_cannot_write(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")

    result = CliRunner().invoke(app, ["render", "--out", str(tmp_path / "file" / "x")])

    assert result.exit_code == 1
    assert "cannot write" in result.stderr


def test_publish_puts_the_catalog_into_the_bucket(tmp_path: Path, directory_bucket: Bucket):
    (tmp_path / "catalog.csv").write_text("a,0,b,train\n")

    result = CliRunner().invoke(app, ["publish", str(tmp_path), "--bucket", directory_bucket.url])

    assert result.exit_code == 0
    assert directory_bucket.read("sample.csv") == b"a,0,b,train\n"


def test_help_says_what_things_are_for():
    result = CliRunner().invoke(app, ["--help"])

    assert result.exit_code == 0
    assert "render" in result.stdout
    assert "serve" in result.stdout


def test_films_are_rendered_once_for_all_recipes_and_not_where_the_bucket_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("S2S_SOURCE_URL", raising=False)
    rendered: list[int] = []
    monkeypatch.setattr(
        "sample.render._render_all", lambda _render, indices, *_: rendered.extend(indices)
    )
    text = (ROOT / "recipes" / "silent_to_sound.sample.yaml").read_text()
    films = [load_world("silent_to_sound").film(0, n) for n in range(100)]
    ids = [film.source_id for film in films]

    def run(name: str, work_dir: str) -> list[int]:
        rendered.clear()
        path = tmp_path / f"{name}.yaml"
        path.write_text(text.replace("silent_to_sound.sample", name))
        with sample_for(make_settings(path, f"file://{tmp_path}/bucket", tmp_path / work_dir)):
            return list(rendered)

    assert run("silent_to_sound.sample", "work") == list(range(100))
    for name in ids:
        (tmp_path / "work" / "sample" / "silent_to_sound" / f"{name}.mp4").touch()
    with console.capture() as captured:
        assert run("mine", "work") == []
    assert "rendering" not in captured.get(), "no bar that looks like it"
    bucket = open_bucket(f"file://{tmp_path}/bucket")
    for name in ids[:99]:
        bucket.write(f"{raw_prefix()}{name}.mp4", b"collected")
    assert run("mine", "elsewhere") == [99]
    catalog = bucket.read("sample.csv").decode()
    assert all(name in catalog for name in ids)


@pytest.mark.parametrize(
    ("catalog", "source_url", "is_beside", "is_served"),
    [
        ("kinetics_actions.csv", SOURCE_URL, False, True),
        ("kinetics_actions.csv", SOURCE_URL, True, False),
        ("kinetics_actions.csv", "http://127.0.0.1:8100/{source_id}.mp4", False, False),
        ("kinetics_actions.csv", "http://127.0.0.1:8100/{source_id}.mp4", True, False),
        ("kinetics_actions.csv", None, False, False),
        ("mine.csv", SOURCE_URL, False, False),
    ],
)
def test_films_are_served_to_recipes_of_the_sample_only(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    catalog: str,
    source_url: str | None,
    *,
    is_beside: bool,
    is_served: bool,
):
    monkeypatch.delenv("S2S_SOURCE_URL", raising=False)
    monkeypatch.setattr("sample.render._render_all", lambda *_: None)
    collection = {"catalog": catalog, "source_url": source_url}
    recipe = {
        "name": "ks",
        "task": "classification",
        "seed": 5,
        "collection": {name: value for name, value in collection.items() if value},
    }
    path = tmp_path / "ks.yaml"
    path.write_text(yaml.safe_dump(recipe))
    if is_beside:
        (tmp_path / catalog).write_text("mine_00,0,dog\n")
    settings = make_settings(path, f"file://{tmp_path}/bucket", tmp_path / "work")
    with sample_for(settings) as placed:
        placed_at = placed.recipe.collection.source_url
        assert (placed_at != settings.recipe.collection.source_url) == is_served
    assert (tmp_path / "work" / "sample").exists() == is_served
    assert (tmp_path / "bucket" / catalog).exists() == is_served, "no catalog of one's own is lost"


def test_every_recipe_of_a_world_asks_for_its_films():
    worlds = {load_world(name).catalog_key for name in WORLDS}
    recipes = [load_recipe(path).collection for path in sorted((ROOT / "recipes").glob("*.yaml"))]
    of_worlds = {each.catalog for each in recipes if each.source_url == SOURCE_URL}
    assert of_worlds == worlds
    assert all(each.source_url == SOURCE_URL for each in recipes if each.catalog in worlds)
