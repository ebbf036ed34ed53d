"""Classes over HTTP: options, real clips, odd ones among them, and uploads that mean harm."""

import shutil
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from classifiers import CLASSES, classification_settings, save_classifier
from serving_fixtures import MakeVideo

from s2s.media import MediaLimits, input_args, probe, run_ffmpeg
from s2s.tasks.classification.predictor.offer import ClassificationOptions
from s2s.tasks.classification.predictor.predictor import ClassificationPredictor
from s2s.tasks.contract import Upload
from serving.client import open_client
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits
from serving.models.notes import JobNotes
from serving.models.stored import model_of_folder

REAL = (
    "kinetics/arm_wrestling_no_audio.mp4",
    "kinetics/flipping_pancake_opus.mkv",
    "talk/two_people_002.avi",
    "vas/cough_video_00331.mp4",
    "vas/dog_video_02677.mp4",
    "vggsound/0nib7bMm8BA_15000_25000.mp4",
    "odd/v_GGSY1Qvo990.mp4",
    "odd/decord_video_90.mov",
    "odd/h264_10bits.mp4",
    "odd/-starts-with-a-dash.mp4",
)
"""Without sound, Matroska with Opus, an AVI, 15.25 and 19.62 frames a second, rotated, 10 bits."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, server_folder: Path) -> Iterator[httpx.Client]:
    folder = save_classifier(tmp_path_factory.mktemp("both") / "both", "audio_visual")
    limits = Limits(max_upload_bytes=10_000_000, max_duration_s=30.0)
    recipe = classification_settings(server_folder).recipe
    model = replace(model_of_folder(folder, "both", recipe), media=limits.media)
    app = create_app([model], limits, server_folder)
    with Server(app).running() as url, open_client(url) as http:
        yield http


@pytest.mark.parametrize(
    ("recipe", "example"),
    [
        ("kinetics_actions.pretrained", "example.mp4"),
        ("vggsound_contest.sample", "example.vggsound_contest.mp4"),
    ],
)
def test_the_page_offers_an_example_of_the_recipes_own(tmp_path: Path, recipe: str, example: str):
    settings = classification_settings(tmp_path).recipe.model_copy(update={"name": recipe})
    model = model_of_folder(save_classifier(tmp_path / "model"), "model", settings)
    with Server(create_app([model], Limits(1_000_000, 5.0), tmp_path)).running() as url:
        (offered,) = httpx.get(f"{url}/v1/models").json()["models"]
        assert offered["example"] == f"/static/tasks/classification/{example}"
        found = httpx.get(url + offered["example"])
    assert found.headers["content-type"] == "video/mp4"
    assert found.content[4:8] == b"ftyp"


@pytest.fixture(scope="module")
def clip(make_video: MakeVideo) -> Path:
    return make_video("clip.mp4", seconds=5, sound="sine")


def classify(api: httpx.Client, path: Path, **fields: object) -> httpx.Response:
    with path.open("rb") as video:
        return api.post(
            "/v1/classifications",
            params={"wait": 60},
            files={"video": (path.name, video)},
            data={name: str(value) for name, value in fields.items()},
            timeout=120,
        )


def document(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_options_choose_classes_and_the_part(api: httpx.Client, clip: Path):
    whole = document(classify(api, clip, top_k=2))
    assert [row["start_s"] for row in whole["over_time"]] == [0, 1, 2, 3]
    assert len(whole["classes"]) == len(whole["curves"]) == 2
    assert set(whole["curves"]) == {row["label"] for row in whole["classes"]} <= set(CLASSES)
    assert all(len(curve) == 4 for curve in whole["curves"].values())
    part = document(classify(api, clip, start_s=1, duration_s=3, top_k=100))
    assert [(row["start_s"], row["end_s"]) for row in part["over_time"]] == [(1, 3), (2, 4)]
    assert sum(row["probability"] for row in part["classes"]) == pytest.approx(1, abs=1e-4)
    by_end = document(classify(api, clip, start_s=1, end_s=4, top_k=100))
    assert by_end == part
    short = document(classify(api, clip, start_s=4.5, end_s=99))
    assert [(row["start_s"], row["end_s"]) for row in short["over_time"]] == [(4.5, 5)]


def test_times_end_with_the_video(api: httpx.Client, make_video: MakeVideo):
    found = document(
        classify(api, make_video("odd.mp4", seconds=2.44))
    )  # 19.5 frames that are read
    assert found["over_time"][-1]["end_s"] == 2.44
    assert found["window_s"] == 2


def test_what_is_said_without_sound_is_told(
    api: httpx.Client, clip: Path, make_video: MakeVideo, tmp_path: Path
):
    assert "warning" not in document(classify(api, clip))
    mute = document(classify(api, make_video("mute.mp4", seconds=3)))
    assert mute["warning"] == "The video's sound is missing: this answer is by its picture alone."
    silent = make_video("silent.mp4", seconds=3, sound="anullsrc")
    told = document(classify(api, silent))["warning"]
    assert told == "The video's sound is silent: this answer is by its picture alone."
    half = tmp_path / "half.mp4"
    run_ffmpeg([*input_args(clip), "-af", "volume=0:enable='lt(t,2.5)'", str(half)], "half")
    told = document(classify(api, half))["warning"]
    assert told.startswith("Nothing is heard in 1 of 4 stretches of the video: ")


def test_what_is_said_of_a_picture_of_one_colour_is_told(
    api: httpx.Client, clip: Path, tmp_path: Path
):
    def warned(filters: str, *more: str) -> str:
        made = tmp_path / "made.mp4"
        run_ffmpeg([*input_args(clip), "-vf", filters, *more, "-y", str(made)], "made")
        return document(classify(api, made))["warning"]

    of_one_colour = "The video's picture is of one colour: there is nothing in it to go by, and "
    whole = "drawbox=color=black:t=fill"
    assert warned(whole) == of_one_colour + "this answer is by its sound alone."
    assert warned(whole, "-an").endswith(of_one_colour + "this answer means nothing.")
    assert warned(f"{whole}:enable='lt(t,2.5)'") == (
        "The picture is of one colour in 1 of 4 stretches of the video: there is nothing in it to "
        "go by."
    )


def test_picture_and_sound_are_read_on_one_clock(
    api: httpx.Client, make_video: MakeVideo, tmp_path: Path
):
    clip, late = make_video("in_time.mkv", seconds=3, sound="anoisesrc"), "late.mkv"
    sound = ["-filter_complex", "[1:a]adelay=1000[a]", "-map", "0:v", "-map", "[a]"]
    both = [*input_args(clip, "-itsoffset", "1"), *input_args(clip), *sound]
    run_ffmpeg([*both, "-c:v", "copy", "-c:a", "flac", str(tmp_path / late)], late)
    known = document(classify(api, clip, top_k=100))["over_time"]
    found = document(classify(api, tmp_path / late, top_k=100))["over_time"]
    assert [row["start_s"] for row in found] == [0, 1, 2]
    for row, other in zip(found[1:], known, strict=True):
        chances, others = (
            {one["label"]: one["probability"] for one in each["classes"]} for each in (row, other)
        )
        assert chances == pytest.approx(others, abs=1e-3)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"start_s": 1}, '"detail":"start_s needs an end_s or a duration_s"'),
        ({"end_s": 2, "duration_s": 1}, "give one of the two"),
        ({"start_s": 2, "end_s": 1}, "end_s must be after start_s"),
        ({"start_s": 9, "duration_s": 1}, "ends after 5.00 s"),
        ({"start_s": -1, "end_s": 2}, "start_s"),
        ({"start_s": "nan", "end_s": 2}, "start_s"),
        ({"duration_s": 0}, "duration_s"),
        ({"top_k": 0}, "top_k"),
        ({"top_k": 101}, "top_k"),
        ({"top_k": "all"}, "top_k"),
        ({"seed": 1}, "seed"),
    ],
)
def test_options_that_cannot_be_are_told(api: httpx.Client, clip: Path, fields: Any, said: str):
    answer = classify(api, clip, **fields)
    assert answer.status_code == 422
    assert said in answer.text


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"start_s": 1}, ["start_s", "end_s", "duration_s"]),
        ({"end_s": 2, "duration_s": 1}, ["end_s", "duration_s"]),
        ({"start_s": 2, "end_s": 1}, ["end_s", "start_s"]),
        ({"top_k": 101, "seed": 1, "start_s": "1:30"}, ["seed", "start_s", "top_k"]),
        ({"top_k": 101, "model": "none"}, ["model", "top_k"]),
        ({"end_s": "one", "start_s": 2}, ["end_s"]),
    ],
)
def test_errors_name_every_field_that_they_are_about(
    api: httpx.Client, clip: Path, fields: Any, named: list[str]
):
    errors = classify(api, clip, **fields).json()["errors"]
    assert [one["field"] for one in errors] == named


def test_parameters_of_the_address_are_told_before_the_form(api: httpx.Client, clip: Path):
    for query, named in (
        ("?wiat=1&for=2&wait=x", ["query.wiat", "query.for"]),
        ("?wait=x", ["query.wait"]),
    ):
        files = {"video": ("clip.mp4", clip.read_bytes())}
        answer = api.post(f"/v1/classifications{query}", files=files, data={"top_k": "0"})
        assert answer.status_code == 422
        assert [one["field"] for one in answer.json()["errors"]] == named


@pytest.mark.parametrize("name", REAL)
def test_real_clips_are_labelled_every_second(api: httpx.Client, real_data: Path, name: str):
    found = document(classify(api, real_data / "clips" / name))
    assert {row["label"] for row in found["classes"]} == set(CLASSES)
    assert sum(row["probability"] for row in found["classes"]) == pytest.approx(1, abs=1e-4)
    rows = found["over_time"]
    assert rows[0]["start_s"] == 0
    length_s = probe(real_data / "clips" / name).duration_s
    assert rows[-1]["end_s"] == pytest.approx(length_s, abs=0.13)  # frames are 1/8 s apart
    steps = [b["start_s"] - a["start_s"] for a, b in pairwise(rows)]
    assert all(0 < step <= 1 for step in steps)


def test_a_file_that_is_damaged_is_refused_with_its_reason(api: httpx.Client, real_data: Path):
    answer = classify(api, real_data / "clips" / "odd" / "decord_corrupted.mp4")
    assert (answer.status_code, answer.json()["reason"]) == (422, "corrupt")


def test_hostile_files_are_refused_and_the_server_goes_on(
    api: httpx.Client, clip: Path, make_video: MakeVideo, tmp_path: Path
):
    secret = tmp_path / "secret.txt"
    secret.write_text("not for you")
    content = clip.read_bytes()
    wide = make_video("wide.mp4", seconds=0.2, fps=5, size="4096x4096", codec="mpeg4")
    long = make_video("long.mp4", seconds=40, fps=1)
    files = {
        "list.mp4": f"#EXTM3U\n#EXTINF:1,\nfile://{secret}\n".encode(),
        "concat.mp4": f"ffconcat version 1.0\nfile '{secret}'\n".encode(),
        "cut.mp4": content[: len(content) // 3],
        "zeros.mp4": bytes(100_000),
        "empty.mp4": b"",
        "text.avi": b"RIFF" + b"not a video" * 100,
        "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(64),
        "wide.mp4": wide.read_bytes(),
        "long.mp4": long.read_bytes(),
    }
    for name, sent in files.items():
        path = tmp_path / name
        path.write_bytes(sent)
        answer = classify(api, path)
        assert 400 <= answer.status_code < 500, (name, answer.text)
        assert "not for you" not in answer.text
        assert str(tmp_path) not in answer.text
    assert document(classify(api, Path(shutil.copy(clip, tmp_path / "again.mp4"))))


def test_a_long_video_takes_no_more_memory_than_its_frames(tmp_path: Path, make_video: MakeVideo):
    """Windows overlap: copies of each would be as many times as large as a window is long."""
    model = save_classifier(tmp_path / "model", height_px=128, width_px=128)
    predictor = ClassificationPredictor.load(model, MediaLimits())
    video = make_video("long.mp4", seconds=60, fps=8)
    upload = Upload(video, "video", tmp_path, is_own=True)
    tracemalloc.start()
    windows = predictor.prepare(upload, ClassificationOptions(), JobNotes()).windows
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(windows) == 59
    assert peak < 4_000_000
