"""A recipe that is an object of a bucket is told by its URL, and so is what it lacks."""

import pytest
from typer.testing import CliRunner

from launcher.__main__ import app
from s2s.storage import open_bucket


def said_of(url: str) -> tuple[int, str]:
    """Exit status and output of a command on a recipe, without the lines' ends."""
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["status", url])
    return result.exit_code, " ".join(result.output.replace("│", " ").split())


@pytest.mark.parametrize("content", ["colour: red", "- a", "{", "{name: a, task: cake}"])
def test_a_bad_recipe_is_called_by_its_url(content: str, bucket_server: str):
    url = "gs://test-bucket/bad/recipe.yaml"
    open_bucket("gs://test-bucket").write("bad/recipe.yaml", content.encode(), overwrite=True)
    status, said = said_of(url)
    assert status == 1
    assert f"recipe {url}: " in said
    assert "/tmp" not in said


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("gs://no-such-bucket/recipe.yaml", "there is no such bucket"),
        ("gs://test-bucket/nowhere.yaml", "no object 'nowhere.yaml'"),
    ],
)
def test_what_is_not_there_is_told(url: str, told: str, bucket_server: str):
    status, said = said_of(url)
    assert status == 2
    assert told in said
