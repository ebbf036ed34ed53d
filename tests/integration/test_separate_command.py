"""`./s2s separate`: the voice of every face, as files beside the video and as a table or JSON."""

import json
from pathlib import Path

import pytest
from separators import EMPTY, beside, draw_talker, save_separator, write_film
from typer.testing import CliRunner, Result

from launcher.__main__ import app

RECIPE = """\
name: talkers
task: separation
spec: {sample_rate_hz: 8000, duration_s: 2}
collection: {catalog: none.csv}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("separate")
    (folder / "talkers.yaml").write_text(RECIPE)
    save_separator(folder / "model")
    write_film(folder / "film.mp4", beside(draw_talker(1, 40), draw_talker(2, 40)))
    return folder


def separate(folder: Path, *args: object) -> Result:
    options = ["--recipe", folder / "talkers.yaml", "--model", folder / "model"]
    return CliRunner().invoke(app, ["separate", *map(str, [*args, *options])])


def test_files_stand_beside_the_video(folder: Path):
    done = separate(folder, folder / "film.mp4")
    assert done.exit_code == 0, done.output
    for number in (1, 2):
        for ending in ("mp4", "wav", "jpg"):
            assert (folder / f"film_face_{number}.{ending}").stat().st_size > 1000
    assert (folder / "film_rest.wav").is_file()
    assert "film_face_2.wav" in done.output
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_json_and_another_folder(folder: Path, tmp_path: Path):
    done = separate(folder, folder / "film.mp4", "--json", "--out", tmp_path, "--max-faces", 1)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert len(found["faces"]) == found["faces_left_out"] == 1
    assert {"sound", "faces", "decode", "follow", "model", "files"} == set(found["seconds"])
    assert Path(found["files"]["face-1-video"]).parent == tmp_path


def test_what_is_wrong_is_said_in_one_line(folder: Path, tmp_path: Path):
    nobody = write_film(tmp_path / "nobody.mp4", [EMPTY] * 10)
    done = separate(folder, nobody)
    assert done.exit_code == 1
    assert "no face was found in the picture" in " ".join(done.output.split())
    done = separate(folder, folder / "film.mp4", "--out", tmp_path / "none")
    assert done.exit_code == 1
    assert "no such folder" in " ".join(done.output.split())
    done = separate(folder, folder / "film.mp4", "--out", "/proc")
    assert done.exit_code == 1
    assert "/proc: cannot be written to" in " ".join(done.output.split())
