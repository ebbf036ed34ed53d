"""The client's command, against a real server."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from brightness import brightness_model
from tone import TonePredictor
from tone import tone_model as tone_model_of
from typer.testing import CliRunner

from s2s.media import probe
from serving.client import ApiError, generate, open_client
from serving.client.api import _fetch
from serving.client.command import app
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits
from serving.models.served import ServedModel


def test_a_video_gets_sound_beside_itself(tone_url: str, silent_video: Path):
    done = CliRunner().invoke(app, [str(silent_video), "--url", tone_url, "--seed", "9"])
    assert done.exit_code == 0, done.stderr
    output = silent_video.with_name("clip_with_sound.mp4")
    assert probe(output).has_audio
    assert "seed 9; upload" in " ".join(done.stderr.split())
    assert not list(output.parent.glob(".*"))


def test_ones_own_file_is_not_written_over(tone_url: str, silent_video: Path, tmp_path: Path):
    same = tmp_path / "same.mp4"
    same.hardlink_to(silent_video)
    before = silent_video.read_bytes()
    for out in (silent_video, same):
        done = CliRunner().invoke(app, [str(silent_video), "--url", tone_url, "--out", str(out)])
        assert done.exit_code == 1
        assert "is the file itself" in " ".join(done.stderr.split())
    assert silent_video.read_bytes() == before


def test_other_tasks_are_asked_by_name(
    tone_model: ServedModel, small_limits: Limits, silent_video: Path, tmp_path: Path
):
    clip = tmp_path / "a clip.mp4"
    shutil.copy(silent_video, clip)
    models = [tone_model, brightness_model()]
    with Server(create_app(models, small_limits, tmp_path / "api")).running() as url:
        asked = [str(clip), "--url", url, "--task", "classification"]
        done = CliRunner().invoke(app, [*asked, "--field", "top=1"])
        assert done.exit_code == 0, done.stderr
        found = json.loads((tmp_path / "a clip_result.json").read_text())
        assert [len(row["labels"]) for row in found["labels_over_time"]] == [1] * 10
        for wrong, said in (
            (["--field", "top"], "not of the form NAME=VALUE"),
            (["--model", "none"], "brightness (classification)"),
            (["--field", "top=9"], "A field is missing or wrong"),
        ):
            done = CliRunner().invoke(app, [*asked, *wrong])
            assert done.exit_code == 1
            assert said in " ".join(done.stderr.split())


def test_every_file_is_fetched_where_all_are_wanted(
    small_limits: Limits, silent_video: Path, tmp_path: Path
):
    clip = tmp_path / "clip.mp4"
    shutil.copy(silent_video, clip)

    class Two(TonePredictor):
        def finish(self, upload, options, output, notes):
            made = super().finish(upload, options, output, notes)
            (video,) = made.files
            other = replace(video, name="other", suffix="_other.mp4")
            return replace(made, files=(video, other))

    with Server(
        create_app([tone_model_of("two", Two)], small_limits, tmp_path / "api")
    ).running() as url:
        (tmp_path / "out").mkdir()
        out = ["--out", str(tmp_path / "out" / "first.mp4")]
        for options in (out, out, [], []):
            done = CliRunner().invoke(app, [str(clip), "--url", url, "--all", *options])
            assert done.exit_code == 0, done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "first.mp4",
        "clip_other.mp4",
        "clip_other_2.mp4",
    }
    assert {path.name for path in tmp_path.glob("*.mp4")} == {
        "clip.mp4",
        "clip_with_sound.mp4",
        "clip_other.mp4",
        "clip_with_sound_2.mp4",
        "clip_other_2.mp4",
    }


def test_a_refusal_is_shown_and_nothing_written(tone_url: str, tmp_path: Path):
    text = tmp_path / "notes.mp4"
    text.write_text("not a video")
    done = CliRunner().invoke(
        app, [str(text), "--url", tone_url, "--out", str(tmp_path / "out.mp4")]
    )
    assert done.exit_code == 1
    assert "does not begin as a file of type mp4" in " ".join(done.stderr.split())
    assert [path.name for path in tmp_path.iterdir()] == ["notes.mp4"]


def test_a_folder_that_is_not_there_is_told_before_anything_is_sent(
    silent_video: Path, tmp_path: Path
):
    out = tmp_path / "none" / "out.mp4"
    done = CliRunner().invoke(
        app, [str(silent_video), "--out", str(out), "--url", "http://[::1]:9"]
    )
    assert done.exit_code == 1
    assert "no such folder" in " ".join(done.stderr.split())


def test_no_server_is_told_with_what_to_do(silent_video: Path, tmp_path: Path):
    with (
        open_client("http://127.0.0.1:9") as http,
        silent_video.open("rb") as video,
        pytest.raises(ApiError, match=r"s2s serve.*--url") as caught,
    ):
        generate(http, video, "clip.mp4", tmp_path / "out.mp4")
    assert caught.value.status == 0


class LosesTheFirstAnswer(httpx.HTTPTransport):
    """The connection breaks when the server has taken the request."""

    jobs: list[str]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        if request.method == "POST":
            self.jobs = [*getattr(self, "jobs", []), answer.headers["location"]]
            if len(self.jobs) == 1:
                answer.close()
                raise httpx.ReadError("gone")
        return answer


def test_a_request_whose_answer_is_lost_is_sent_again_for_the_same_job(
    tone_url: str, silent_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("serving.client.api._RETRY_S", 0.0)
    transport = LosesTheFirstAnswer()
    with (
        httpx.Client(transport=transport, base_url=tone_url, timeout=60) as http,
        silent_video.open("rb") as video,
    ):
        generate(http, video, "clip.mp4", tmp_path / "out.mp4")
    assert len(transport.jobs) == 2
    assert len(set(transport.jobs)) == 1
    assert probe(tmp_path / "out.mp4").has_audio


def test_an_answer_that_breaks_off_leaves_no_file(
    silent_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("serving.client.api._RETRY_S", 0.0)

    class Broken(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield b"half of "
            raise httpx.ReadError("gone")

    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Broken()))
    with (
        httpx.Client(transport=transport, base_url="http://api") as http,
        silent_video.open("rb") as video,
        pytest.raises(ApiError, match="gone"),
    ):
        generate(http, video, "clip.mp4", tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


def test_two_that_write_the_same_file_at_a_time_leave_a_whole_one(
    silent_video: Path, tmp_path: Path
):
    output = tmp_path / f"{'a' * 246}.mp4"  # as long as a name may be

    class Interrupted(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield b"one "
            _fetch(http, "/other", output)
            yield b"two"

    def answer(request: httpx.Request) -> httpx.Response:
        is_other = request.url.path == "/other"
        stream = httpx.ByteStream(b"another") if is_other else Interrupted()
        return httpx.Response(200, stream=stream)

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://api") as http:
        _fetch(http, "/first", output)
    assert output.read_bytes() == b"one two"
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize("status", [200, 502])
def test_an_answer_of_something_else_than_our_api_is_told(
    silent_video: Path, tmp_path: Path, status: int
):
    transport = httpx.MockTransport(lambda _: httpx.Response(status, html="<h1>A proxy</h1>"))
    with (
        httpx.Client(transport=transport, base_url="http://api") as http,
        silent_video.open("rb") as video,
        pytest.raises(ApiError, match=str(status)),
    ):
        generate(http, video, "clip.mp4", tmp_path / "out.mp4")
