"""The commands as processes: how the server starts, stops, and fails."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from s2s.errors import StageError
from serving.app import create_app
from serving.cli import app
from serving.client import open_client
from serving.predictor import ServedModel
from serving.server import Server
from serving.service import Limits

RECIPE = "name: test\ncollection: {catalog: test.csv}\n"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    return path


@contextmanager
def serving(recipe: Path, model: Path, work_dir: Path) -> Iterator[tuple[subprocess.Popen, str]]:
    """`python -m serving serve` and its address, once it answers."""
    command = [sys.executable, "-m", "serving", "serve", str(recipe), "--model", str(model)]
    command += ["--port", "0", "--work-dir", str(work_dir)]
    environment = os.environ | {"COLUMNS": "200"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        match = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
        assert match, process.stderr.read()
        try:
            while httpx.get(f"{match[0]}/readyz").status_code != httpx.codes.OK:
                time.sleep(0.05)
            yield process, match[0]
        finally:
            process.kill()


def test_a_video_that_is_worked_on_is_finished_before_the_server_stops(
    recipe: Path, untrained_model: Path, silent_video: Path, tmp_path: Path
):
    answers: list[httpx.Response] = []

    def post() -> None:
        with silent_video.open("rb") as file:
            files = {"video": ("clip.mp4", file)}
            answers.append(
                http.post("/v1/generations?wait=60", files=files, data={"steps": "40", "seed": "1"})
            )

    with (
        serving(recipe, untrained_model, tmp_path / "work") as (process, url),
        open_client(url) as http,
    ):
        thread = threading.Thread(target=post)
        thread.start()
        while not list((tmp_path / "work" / "serving" / "uploads").glob("*/upload")):
            time.sleep(0.001)
        process.send_signal(signal.SIGTERM)
        thread.join()
        assert process.wait() == 0
    assert [answer.status_code for answer in answers] == [200]
    assert list((tmp_path / "work" / "serving" / "uploads").iterdir()) == []


def test_a_model_that_cannot_be_loaded_stops_the_server(recipe: Path, tmp_path: Path):
    done = CliRunner().invoke(
        app, ["serve", str(recipe), "--model", str(tmp_path), "--port", "0"], catch_exceptions=False
    )
    assert done.exit_code == 1
    assert "config.json" in done.stderr.replace("\n", "")


def test_a_port_in_use_is_told(tone_model: ServedModel, small_limits: Limits, tmp_path: Path):
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(StageError, match="--port"),
    ):
        Server(create_app([tone_model], small_limits, tmp_path), port=taken.getsockname()[1])


@pytest.mark.parametrize("command", [["serve"], []])
def test_without_a_model_both_commands_say_to_train(
    recipe: Path, tmp_path: Path, command: list[str]
):
    done = CliRunner().invoke(app, [*command, str(recipe), "--bucket", f"file://{tmp_path}/none"])
    assert done.exit_code == 1
    assert "run its training stage first" in " ".join(done.stderr.split())


def test_help_lists_the_stage_and_the_server():
    said = CliRunner().invoke(app, ["--help"]).stdout
    assert "Prove that the recipe's model answers" in said
    assert "Serve the recipe's model" in said
