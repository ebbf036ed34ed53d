"""Names that a route does not know are told, with what was meant; and reasons have words."""

import ast
import re
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from s2s.reasons import Reason
from serving.cli import app
from serving.problems import TITLES

ROOT = Path(__file__).resolve().parents[2]
RECIPE = str(ROOT / "recipes" / "silent_to_sound.sample.yaml")
READERS = ("lib/s2s/media", "lib/s2s/tasks/*/predictor")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("wiat=1", "query.wiat: there is no such parameter; is wait meant?"),
        ("Wait=1", "query.Wait: there is no such parameter; is wait meant?"),
        ("colour=red", "query.colour: there is no such parameter; there are: wait"),
        ("wait=1&wait=2", "query.wait: is given more than once"),
    ],
)
def test_a_parameter_that_is_not_known_is_told(
    tone_api: httpx.Client, silent_video: Path, query: str, said: str
):
    with silent_video.open("rb") as file:
        answer = tone_api.post(f"/v1/generations?{query}", files={"video": ("clip.mp4", file)})
    assert answer.status_code == 422
    assert answer.json()["detail"] == said
    assert answer.json()["type"] == "urn:problem-type:s2s:invalid-fields"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/jobs/0", "/v1/jobs/0/events"])
def test_every_route_of_the_api_does(tone_api: httpx.Client, path: str):
    assert tone_api.get(path, params={"seed": 1}).status_code == 422
    assert tone_api.head(path, params={"seed": 1}).status_code == 422


@pytest.mark.parametrize("path", ["/", "/docs", "/static/style.css", "/healthz", "/metrics"])
def test_pages_take_what_links_carry(tone_api: httpx.Client, path: str):
    assert tone_api.get(path, params={"utm_source": "x"}).status_code == 200


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sed", "sed: there is no such field; is seed meant?"),
        ("Steps", "Steps: there is no such field; is steps meant?"),
        ("zzz", "zzz: there is no such field; there are: seed, steps, guidance"),
    ],
)
def test_a_field_that_is_not_known_is_told(
    tone_api: httpx.Client, silent_video: Path, name: str, said: str
):
    with silent_video.open("rb") as file:
        answer = tone_api.post(
            "/v1/generations", files={"video": ("clip.mp4", file)}, data={name: "1"}
        )
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(said)
    assert answer.json()["errors"][0]["field"] == name


def test_an_answer_without_a_body_has_no_type(tone_api: httpx.Client, silent_video: Path):
    with silent_video.open("rb") as file:
        job = tone_api.post("/v1/generations", files={"video": ("clip.mp4", file)}).json()
    answer = tone_api.delete(job["links"]["self"])
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers
    answer = tone_api.post("/v1/session", json={"key": "x"})
    assert answer.status_code == 204
    assert "content-type" not in answer.headers


def test_every_reason_and_problem_that_can_be_told_is_in_the_docs():
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| 4") or line.startswith("| 5")]
    told = {name for row in rows if "unusable-video" in row for name in re.findall(r"`(\w+)`", row)}
    raised = {
        Reason[node.attr].value
        for pattern in READERS
        for folder in ROOT.glob(pattern)
        for path in sorted(folder.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Reason"
    }
    assert Reason.START_PAST_END in raised
    assert raised <= told
    kinds = {kind for row in rows for kind in re.findall(r"\| `([\w-]+)` \|", row)}
    assert kinds == set(TITLES)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--bucket", "file:///no/such/folder"],
            "no such directory, and so no model of",
        ),
        (["--model", "/no/such/folder"], "/no/such/folder: is not there;"),
        (["--model", str(ROOT)], "has no config.json; name a model directory"),
    ],
)
def test_serve_says_what_is_not_there(tmp_path: Path, options: list[str], said: str):
    command = ["serve", RECIPE, "--port", "0", "--work-dir", str(tmp_path / "work"), *options]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1
    assert said.replace(" ", "") in "".join(done.stderr.split())
