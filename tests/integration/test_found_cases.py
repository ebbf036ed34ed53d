"""Every input that was once found to come out wrong, each with the right result.

The folder has one folder a case, each with a README that states its expected result.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import av
import httpx
import numpy as np
import pytest
import typer
from dataset_fixtures import list_clip
from marked_video import click_times_s, frame_numbers
from tone import tone_model
from typer.testing import CliRunner

import collection.stage
import preprocessing.stage
from collection.importing import import_videos
from collection.network.connection import check_cookies
from launcher.commands.catalog import catalog
from s2s.errors import SettingsError
from s2s.manifest import read_manifest
from s2s.media import read_audio, read_frames
from s2s.reasons import Reason
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.storage import open_bucket
from s2s.tasks.recipes import load_recipe
from serving.client import open_client
from serving.http.app import create_app
from serving.http.server import Server
from serving.http.service import Limits
from validation.release.remote import RemoteMode
from validation.release.repository import DataRepository

ROOT = Path(__file__).resolve().parents[2]
# A click is heard where the sound rises; a lossy codec smears it by less.
NEAR_S = 0.025
MODE = RemoteMode.CONTENT_ADDRESSED


@pytest.fixture(scope="session")
def cases() -> Path:
    """The cases: S2S_TEST_CASES, or `shared/cases` beside the project."""
    folder = Path(os.environ.get("S2S_TEST_CASES", ROOT.parent / "shared" / "cases"))
    if not (folder / "01-avi-b-frames").is_dir():
        pytest.skip(f"no cases in {folder}: set S2S_TEST_CASES to a folder that has them")
    return folder


def settings_for(recipe: Path, tmp_path: Path, bucket: str = "bucket") -> Settings:
    return Settings(
        recipe=load_recipe(recipe),
        recipe_path=recipe,
        bucket_url=f"file://{tmp_path / bucket}",
        work_dir=tmp_path / "work",
    )


def cut(case: Path, tmp_path: Path) -> tuple[Settings, dict[str, Outcome]]:
    """Import a case's videos and cut its clips; what became of each."""
    settings = settings_for(case / "c.yaml", tmp_path)
    import_videos(settings, str(case / "videos"))
    preprocessing.stage.run(settings)
    key = f"manifests/{settings.recipe.name}/preprocessing.jsonl"
    return settings, {
        row.clip_id: row for row in read_manifest(open_bucket(settings.bucket_url), key)
    }


def cut_clip(settings: Settings, outcome: Outcome, tmp_path: Path) -> tuple[list[int], list[float]]:
    """The numbers that a clip's frames show, and when its wav clicks."""
    assert outcome.status == "ok", outcome.message
    bucket, spec = open_bucket(settings.bucket_url), settings.recipe.spec
    files = []
    for key in (outcome.key, outcome.key.replace(".mp4", ".wav")):
        files.append(tmp_path / Path(key).name)
        bucket.download(key, files[-1])
    video, sound = files
    rate_hz = spec.sample_rate_hz
    clicks_s = click_times_s(read_audio(sound, rate_hz), rate_hz)
    return frame_numbers(read_frames(video, spec.fps)), clicks_s


def assert_near(found_s: list[float], expected_s: list[float]) -> None:
    assert len(found_s) == len(expected_s), found_s
    assert np.abs(np.subtract(found_s, expected_s)).max() < NEAR_S, found_s


@pytest.mark.parametrize(
    ("name", "numbers", "clicks_s"),
    [
        ("03-sound-hole-under-100ms", list(range(75)), [0, 0.5, 1, 1.5, 2, 2.5]),
        ("04-second-sound-apac", list(range(75)), [0, 0.5, 1, 1.5, 2, 2.5]),
        ("05-no-duration-import", list(range(75)), [0, 0.5, 1, 1.5, 2, 2.5]),
    ],
)
def test_a_file_is_cut_as_it_is_played(cases, tmp_path, name, numbers, clicks_s):
    settings, outcomes = cut(cases / name, tmp_path)
    [outcome] = outcomes.values()
    found, found_s = cut_clip(settings, outcome, tmp_path)
    assert found == numbers
    assert_near(found_s, clicks_s)


def test_avi_with_b_frames_begins_with_its_first_frame(cases: Path, tmp_path: Path):
    settings, outcomes = cut(cases / "01-avi-b-frames", tmp_path)
    assert len(outcomes) == 2
    for outcome in outcomes.values():
        numbers, clicks_s = cut_clip(settings, outcome, tmp_path)
        # Its own delay: AVI has no time stamps that say otherwise.
        assert np.abs(np.subtract(numbers, range(75))).max() <= 1
        assert_near(clicks_s, [0, 0.5, 1, 1.5, 2, 2.5])


def test_a_frame_that_is_held_stays_until_the_next(cases: Path, tmp_path: Path):
    settings, outcomes = cut(cases / "02-frame-held-over-1s", tmp_path)
    [outcome] = outcomes.values()
    numbers, _ = cut_clip(settings, outcome, tmp_path)
    held = numbers.count(49)
    assert abs(held - 1.5 * 25) <= 1
    assert numbers == [49] * held + list(range(125, 125 + 75 - held))


def test_a_late_clip_fails_alone(cases: Path, tmp_path: Path):
    _, outcomes = cut(cases / "06-one-late-clip-fails-all", tmp_path)
    assert {clip_id: (row.status, row.reason) for clip_id, row in outcomes.items()} == {
        "ok1_00000000_00003000": ("ok", None),
        "ok1_00002000_00005000": ("ok", None),
        "ok1_00030000_00033000": ("failed", Reason.START_PAST_END),
    }


def test_a_name_that_is_not_utf8_is_a_bad_row(cases: Path, tmp_path: Path):
    good = cases / "06-one-late-clip-fails-all" / "videos" / "ok1.mp4"
    folder = tmp_path / "v" / "dog"
    folder.mkdir(parents=True)
    shutil.copy(good, folder / "good.mp4")
    shutil.copy(good, folder / os.fsdecode(b"caf\xe9.mp4"))
    report = collection.stage.run(settings_of_folder(tmp_path))
    assert report.counts == {"ok": 1, "failed:bad_row": 1}


def test_a_linked_folder_is_gone_into(cases: Path, tmp_path: Path):
    good = cases / "06-one-late-clip-fails-all" / "videos" / "ok1.mp4"
    for name in ("v/cat/A.mp4", "real/dog/B.mp4"):
        (tmp_path / name).parent.mkdir(parents=True)
        shutil.copy(good, tmp_path / name)
    (tmp_path / "v" / "dog").symlink_to("../real/dog")
    assert collection.stage.run(settings_of_folder(tmp_path)).counts == {"ok": 2}


def settings_of_folder(tmp_path: Path) -> Settings:
    recipe = tmp_path / "r.yaml"
    recipe.write_text("name: r\ncollection: {catalog: v, format: folder}\nspec: {duration_s: 3}\n")
    return settings_for(recipe, tmp_path)


@pytest.mark.parametrize(
    ("table", "recipe", "clips", "problems"),
    [("noend.csv", "cc.yaml", 1, 0), ("val.csv", "ac.yaml", 5, 1)],
)
def test_a_table_may_lack_columns(cases, tmp_path, table, recipe, clips, problems):
    case = cases / "08-catalog-recipe-columns"
    shown = show_catalog(case / table, "--recipe", case / recipe, "--bucket", f"file://{tmp_path}")
    assert shown["clips"].startswith(f"{clips}, ")
    assert shown["problems"] == str(problems)


def test_json_lines_may_begin_with_a_byte_order_mark(cases: Path):
    shown = show_catalog(cases / "10-json-bom" / "table_bom.jsonl")
    assert shown["format"] == "jsonl"
    assert shown["clips"].startswith("2, ")


def test_a_quoted_line_break_is_part_of_its_cell(cases: Path):
    shown = show_catalog(cases / "11-newline-in-quotes" / "newline_bogus2.csv", "--all-labels")
    assert shown["rows"] == "2"
    assert shown["clips"].startswith("2, ")
    assert shown[""] == "1  dog 1  cat"


def show_catalog(*args: object) -> dict[str, str]:
    """What `./s2s catalog` shows, by the first column; its rows without one are joined."""
    app = typer.Typer()
    app.command()(catalog)
    result = CliRunner().invoke(app, list(map(str, args)), env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    found: dict[str, list[str]] = {}
    for line in result.output.splitlines():
        cells = [cell.strip() for cell in line.split("│")]
        if len(cells) == 4:
            found.setdefault(cells[1], []).append(cells[2])
    return {name: " ".join(values) for name, values in found.items()}


def test_a_bucket_may_have_a_hash_in_its_path(cases: Path, tmp_path: Path):
    assert (cases / "09-bucket-hash").is_dir()
    bucket = open_bucket(f"file://{tmp_path}/x#1/bucket")
    bucket.prepare()
    video, sound = tmp_path / "a.mp4", tmp_path / "a.wav"
    video.write_bytes(b"picture")
    sound.write_bytes(b"sound")
    clips = (list_clip(bucket, (video, sound), "a", "train", 1.0, "x"),)
    repository = DataRepository(tmp_path / "work")
    repository.restore(None)
    repository.configure(bucket, MODE)
    repository.fill(bucket, {"train": clips, "val": (), "test": ()}, MODE)
    repository.track(bucket)
    assert list(bucket.keys("dvc_store/"))
    assert not (tmp_path / "x").exists()


def test_a_mirrored_video_is_read_as_it_is_shown(cases: Path):
    frames = read_frames(cases / "12-mirrored-video" / "hflip.mp4", 25)
    strip = frames[:, :12, :, 0].astype(float)
    assert strip[..., -30:].mean() > 200
    assert strip[..., :30].mean() < 100
    assert frames[:, -8:, -30:, 0].mean() < 200


def test_new_sound_is_in_step_with_a_picture_that_starts_late(
    cases: Path, tmp_path: Path, late_api: httpx.Client
):
    with (cases / "13-upload-picture-starts-late" / "latepic.mkv").open("rb") as file:
        answer = late_api.post("/v1/generations?wait=60", files={"video": ("latepic.mkv", file)})
    assert answer.status_code == 200, answer.text
    path = tmp_path / "a.mp4"
    path.write_bytes(answer.content)
    spans = []
    with av.open(str(path)) as file:
        for stream in (file.streams.video[0], file.streams.audio[0]):
            file.seek(0)
            times = [
                frame.time or 0.0
                for packet in file.demux(stream)
                for frame in packet.decode()
                if isinstance(frame, av.VideoFrame | av.AudioFrame)
            ]
            last = 1 / 25 if stream.type == "video" else 1024 / (stream.rate or 1)
            spans.append((times[0], times[-1] + last))
    assert np.abs(np.subtract(*spans)).max() < 0.1, spans


@pytest.fixture
def late_api(tmp_path: Path) -> Iterator[httpx.Client]:
    """A server of a model whose answer is a tone; it takes videos of 10 s."""
    limits = Limits(max_upload_bytes=2_000_000, max_duration_s=10.0, max_pixels=640 * 480)
    app = create_app([tone_model("tone")], limits, tmp_path / "serving")
    with Server(app).running() as url, open_client(url) as http:
        yield http


def test_a_result_obeys_conditions_and_takes_any_range(cases: Path, late_api: httpx.Client):
    with (cases / "12-mirrored-video" / "hflip.mp4").open("rb") as file:
        # Case 16: what browsers send for a file input that was left empty.
        files = {"video": ("clip.mp4", file), "picture": ("", b"")}
        answer = late_api.post("/v1/generations?wait=60", files=files)
    assert answer.status_code == 200, answer.text
    url = answer.headers["location"] + "/result"
    whole = late_api.get(url)
    etag, size = whole.headers["etag"], len(whole.content)

    def status(**headers: str) -> int:
        return late_api.get(
            url, headers={k.replace("_", "-"): v for k, v in headers.items()}
        ).status_code

    # Case 14.
    head = late_api.head(url, headers={"Range": "bytes=0-9"})
    assert (head.status_code, head.headers["content-length"]) == (200, str(size))
    assert [status(If_None_Match=e) for e in (f"W/{etag}", f'"x", {etag}', "*")] == [304] * 3
    assert status(If_Match='"x"') == status(If_Match='"x"', Range="bytes=0-9") == 412
    assert status(Range="bytes=1 2-3 4") == 200
    # Case 15.
    assert status(Range=f"bytes=0-{'9' * 4301}") in (200, 206)
    assert status(Range=f"bytes={'9' * 4301}-") == 416
    assert status(Range=f"bytes=-{'9' * 4301}") in (200, 206)


@pytest.mark.parametrize("name", ["json.txt", "html.txt", "bomcrlf.txt"])
def test_cookies_of_another_format_are_one_error(cases: Path, name: str):
    with pytest.raises(SettingsError, match=rf"collection\.cookies_file: .*{name}"):
        check_cookies(cases / "18-cookies-file" / name)
