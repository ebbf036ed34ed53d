"""A part of a file: `./s2s classify` says of it what the API says, whatever the file."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from classifiers import classification_settings, save_classifier
from serving_fixtures import MakeVideo
from typer.testing import CliRunner

from launcher.__main__ import app
from s2s.media import MediaLimits, input_args, probe, run_ffmpeg
from s2s.tasks.classification.predictor.offer import ClassificationOptions
from s2s.tasks.contract import Upload
from s2s.tasks.loading import load_task
from serving.client import open_client
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits
from serving.models.notes import JobNotes
from serving.models.stored import model_of_folder

START_S, LENGTH_S = 1.3, 2.9
"""Between keyframes and between the frames that the model looks at."""
UNEVEN = ("-vf", "select='not(between(mod(n,7),1,3))'", "-fps_mode", "vfr")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_classifier(tmp_path_factory.mktemp("both") / "both", "audio_visual")


@pytest.fixture(scope="module")
def api(model: Path, server_folder: Path) -> Iterator[httpx.Client]:
    recipe = classification_settings(server_folder).recipe
    limits = Limits(max_upload_bytes=10_000_000, max_duration_s=30.0)
    served = create_app([model_of_folder(model, "both", recipe)], limits, server_folder)
    with Server(served).running() as url, open_client(url) as http:
        yield http


def made(*options: str, codec: str = "libx264", fps: int = 25) -> Callable[[MakeVideo, str], Path]:
    def make(make_video: MakeVideo, name: str) -> Path:
        return make_video(name, *options, seconds=6, fps=fps, codec=codec, sound="sine")

    return make


def late_sound(make_video: MakeVideo, name: str) -> Path:
    video = make_video(f"in_{name}", "-g", "50", seconds=6, sound="sine")
    path = video.with_name(name)
    both = [*input_args(video), *input_args(video, "-itsoffset", "0.7")]
    run_ffmpeg([*both, "-map", "0:v", "-map", "1:a", "-c", "copy", str(path)], name)
    return path


FILES = {
    "b_frames.mp4": made("-bf", "3", "-g", "100"),
    "mpeg4.avi": made("-bf", "2", "-g", "60", codec="mpeg4"),
    "vp9.webm": made("-c:a", "libopus", "-deadline", "realtime", codec="libvpx-vp9"),
    "odd_rate.mkv": made("-g", "300", fps=19),
    "uneven.mp4": made(*UNEVEN, "-g", "40"),
    "late_sound.mp4": late_sound,
}
REAL = ("vas/cough_video_00331.mp4", "kinetics/flipping_pancake_opus.mkv", "odd/v_GGSY1Qvo990.mp4")


@pytest.mark.parametrize("name", [*FILES, *REAL])
def test_a_part_has_the_answer_of_the_api(
    model: Path,
    api: httpx.Client,
    make_video: MakeVideo,
    tmp_path: Path,
    name: str,
    request: pytest.FixtureRequest,
):
    if name in FILES:
        source = FILES[name](make_video, name)
    else:
        source = request.getfixturevalue("real_data") / "clips" / name
    file = Path(shutil.copy(source, tmp_path / source.name))
    times = ["--start-time", str(START_S), "--duration", str(LENGTH_S)]
    command = ["classify", str(file), *times, "--top-k", "100", "--json"]
    done = CliRunner().invoke(app, [*command, "--model-path", str(model)])
    assert done.exit_code == 0, done.stderr
    said = json.loads(done.stdout)

    fields = {"start_s": str(START_S), "duration_s": str(LENGTH_S), "top_k": "100"}
    sent = {"video": (file.name, file.read_bytes())}
    answer = api.post("/v1/classifications", params={"wait": 60}, files=sent, data=fields)
    assert answer.status_code == 200, answer.text
    served = answer.json()

    for row, other in zip(said["over_time"], served["over_time"], strict=True):
        assert (row["start_s"], row["end_s"]) == (other["start_s"], other["end_s"])
        assert chances_of(row) == pytest.approx(chances_of(other), abs=1e-4)
    assert chances_of(said) == pytest.approx(chances_of(served), abs=1e-4)
    assert said["over_time"][0]["start_s"] == START_S
    cut = probe(tmp_path / f"{file.stem}_cut.mp4")
    assert cut.duration_s == pytest.approx(LENGTH_S, abs=0.15)


def test_a_part_of_a_long_film_is_not_decoded_from_its_start(
    model: Path, make_video: MakeVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    film = make_video("film.mp4", "-g", "50", seconds=60, sound="sine")
    monkeypatch.setattr("s2s.media.read.frames.part.frames_in_order", pytest.fail)
    monkeypatch.setattr("s2s.media.write.samples.read_audio", pytest.fail)
    predictor = load_task("classification").load(model, MediaLimits())
    options = ClassificationOptions(start_s=50, duration_s=3)
    item = predictor.prepare(Upload(film, "video", tmp_path, is_own=True), options, JobNotes())
    assert [(one.start_s, one.end_s) for one in item.windows] == [(50, 52), (51, 53)]
    frames = (tmp_path / "frames").stat().st_size / (48 * 48 * 3)
    assert frames < 30
    assert (tmp_path / "samples").stat().st_size / 4 / 16_000 == 5


def chances_of(row: dict[str, list[dict[str, float]]]) -> dict[str, float]:
    return {str(one["label"]): one["probability"] for one in row["classes"]}
