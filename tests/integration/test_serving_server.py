"""The commands as processes: how the server starts, stops, and fails."""

import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from server_process import RECIPE, server
from typer.testing import CliRunner

from launcher.__main__ import app as launcher
from s2s.errors import StageError
from serving.cli import app
from serving.client import open_client
from serving.http.app import create_app
from serving.http.server import Server, listen
from serving.http.service import Limits
from serving.jobs.storage import locked
from serving.models.served import ServedModel


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    return path


def test_a_video_that_is_worked_on_is_finished_before_the_server_stops(
    untrained_model: Path, silent_video: Path, tmp_path: Path
):
    answers: list[httpx.Response] = []

    def post() -> None:
        with open_client(running.url) as http, silent_video.open("rb") as file:
            files = {"video": ("clip.mp4", file)}
            answers.append(http.post("/v1/generations?wait=60", files=files, data={"steps": "40"}))

    with server(tmp_path, untrained_model) as running:
        thread = threading.Thread(target=post)
        thread.start()
        while not answers and not list(running.uploads.glob("*/upload")):
            time.sleep(0.001)
        running.process.send_signal(signal.SIGTERM)
        thread.join()
        assert running.process.wait() == 0
    assert [answer.status_code for answer in answers] == [200]
    assert list(running.uploads.iterdir()) == []


def peak_bytes(pid: int) -> int:
    """The most memory that a process has had at a time."""
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])  # pyright: ignore[reportOptionalSubscript]


def test_large_uploads_are_never_held_in_memory(
    untrained_model: Path, silent_video: Path, tmp_path: Path
):
    large, size = tmp_path / "large.mp4", 64_000_000
    with large.open("wb") as file:  # an empty box behind the video
        file.write(silent_video.read_bytes())
        file.write(struct.pack(">I4s", size - file.tell(), b"free"))
        file.truncate(size)
    with server(tmp_path, untrained_model) as running, open_client(running.url) as http:

        def send(video: Path) -> int:
            with video.open("rb") as file:
                files = {"video": ("clip.mp4", file)}
                answer = http.post("/v1/generations?wait=60", files=files, data={"steps": "1"})
            return answer.status_code

        assert send(silent_video) == 200
        before = peak_bytes(running.process.pid)
        assert [send(large) for _ in range(3)] == [200, 200, 200]
        assert peak_bytes(running.process.pid) - before < size / 2


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


def test_why_there_is_no_listening_is_said_once_and_in_words():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StageError) as told:
            listen("127.0.0.1", port)
    assert str(told.value) == (
        f"127.0.0.1:{port} cannot be listened on: another program listens there: stop it, or "
        "choose another --port"
    )
    with pytest.raises(StageError, match="this machine has no such address: choose another --host"):
        listen("203.0.113.7", 0)  # of documentation: nobody has it
    with pytest.raises(StageError, match="from 0 to 65535: choose another --port"):
        listen("127.0.0.1", 65536)


def test_another_server_in_the_folder_is_told_before_models_are_looked_for(
    recipe: Path, tmp_path: Path
):
    folder = tmp_path / "work" / "serving"
    folder.mkdir(parents=True)
    asked = ["serve", str(recipe), "--model", str(tmp_path / "none"), "--port", "0"]
    with locked(folder):
        done = CliRunner().invoke(app, [*asked, "--work-dir", str(tmp_path / "work")])
    assert done.exit_code == 1
    assert "another server works here" in " ".join(done.stderr.split())


def test_a_port_in_use_ends_the_command_in_peace(
    recipe: Path, untrained_model: Path, tmp_path: Path
):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "serving", "serve", str(recipe)]
        command += ["--model", str(untrained_model), "--work-dir", str(tmp_path / "work")]
        command += ["--port", str(taken.getsockname()[1])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "--port" in done.stderr


@pytest.mark.parametrize("place", ["file/work", "/proc/nothing"])
def test_a_work_directory_that_cannot_be_written_is_named(
    recipe: Path, untrained_model: Path, tmp_path: Path, place: str
):
    (tmp_path / "file").touch()
    asked = ["serve", str(recipe), "--model", str(untrained_model), "--port", "0"]
    done = CliRunner().invoke(app, [*asked, "--work-dir", str(tmp_path / place)])
    assert done.exit_code == 1
    said = "".join(done.stderr.split())  # long paths are broken anywhere
    assert f"--work-dir{tmp_path / place}:cannotbewritten" in said


@pytest.mark.parametrize("name", ["typo", "typo.yaml"])
@pytest.mark.parametrize("before", [[], ["silent_to_sound.sample"]])
def test_a_recipe_that_is_not_there_is_named(name: str, before: list[str]):
    done = CliRunner().invoke(launcher, ["serve", *before, name])
    assert done.exit_code == 1
    assert f"recipe {name}: cannot be read" in " ".join(done.stderr.split())


@pytest.mark.parametrize("command", [["serve", "--port", "0"], []])
def test_without_a_model_both_commands_say_to_train(
    recipe: Path, tmp_path: Path, command: list[str]
):
    (tmp_path / "none").mkdir()
    done = CliRunner().invoke(app, [*command, str(recipe), "--bucket", f"file://{tmp_path}/none"])
    assert done.exit_code == 1
    said = " ".join(done.stderr.split())
    assert "with its present settings yet: run './s2s run RECIPE'" in said


def test_help_lists_the_stage_and_the_server():
    said = CliRunner().invoke(app, ["--help"]).stdout
    assert "Prove that the recipe's model answers" in said
    assert "Serve the recipes' models" in said
