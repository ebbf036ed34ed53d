"""`./s2s separate`: the voice of every face, as files beside the video and as a table or JSON."""

import json
import shutil
from pathlib import Path

import pytest
from separators import EMPTY, beside, draw_talker, save_separator, write_film
from typer.testing import CliRunner, Result

from launcher.__main__ import app
from s2s.media import run_ffmpeg

RECIPE = """\
name: talkers
task: separation
spec: {sample_rate_hz: 8000, duration_s: 2}
collection: {catalog: none.csv}
serving: {note: Learned nothing yet.}
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
    for name in ("film_face_2.wav", "film_rest.wav", "film_mixture.wav"):
        assert (folder / name).is_file()
        assert name in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "Learned nothing yet." in done.stderr


def test_a_warning_is_told(folder: Path, tmp_path: Path):
    still = write_film(tmp_path / "still.mp4", draw_talker(1, 40, moves=False))
    done = separate(folder, still)
    assert done.exit_code == 0, done.output
    assert "No face was heard" in " ".join(done.stderr.split())


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
    done = separate(folder, nobody, "--out", nobody)
    assert done.exit_code == 1
    assert "is a file, and no folder" in " ".join(done.output.split())
    done = separate(folder, folder / "film.mp4", "--out", "/proc")
    assert done.exit_code == 1
    assert "/proc: cannot be written to" in " ".join(done.output.split())


def test_files_of_an_earlier_run_stay(folder: Path, tmp_path: Path):
    own = tmp_path / "film_rest.wav"
    own.write_bytes(b"my own")
    done = separate(folder, folder / "film.mp4", "--json", "--out", tmp_path, "--max-faces", 1)
    assert done.exit_code == 0, done.output
    assert {Path(path).name for path in json.loads(done.stdout)["files"].values()} == {
        "film_face_1_2.mp4",
        "film_face_1_2.wav",
        "film_face_1_2.jpg",
        "film_mixture_2.wav",
        "film_rest_2.wav",
    }
    assert own.read_bytes() == b"my own"


def test_a_part_and_its_files_are_in_the_folder_that_is_named(folder: Path, tmp_path: Path):
    film = Path(shutil.copy(folder / "film.mp4", tmp_path / "whole.mp4"))
    out = tmp_path / "out"
    out.mkdir()
    times = ["--start-time", 0.4, "--end-time", 50]
    done = separate(folder, film, *times, "--out", out, "--max-faces", 1)
    assert done.exit_code == 0, done.output
    assert "less than asked for: whole.mp4 ends after 1.60 s" in " ".join(done.stderr.split())
    assert sorted(path.name for path in out.iterdir()) == [
        "whole_cut.mp4",
        "whole_cut_face_1.jpg",
        "whole_cut_face_1.mp4",
        "whole_cut_face_1.wav",
        "whole_cut_mixture.wav",
        "whole_cut_rest.wav",
    ]
    assert {path.name for path in tmp_path.iterdir()} == {"whole.mp4", "out"}


def test_a_file_that_was_cut_off_is_refused_and_nothing_made(folder: Path, tmp_path: Path):
    whole = tmp_path / "whole.mp4"
    copied = ["-i", str(folder / "film.mp4"), "-c", "copy", "-movflags", "+faststart"]
    run_ffmpeg([*copied, str(whole)], "whole")
    part = tmp_path / "part.mp4"
    part.write_bytes(whole.read_bytes()[: int(0.9 * whole.stat().st_size)])
    for times in ([], ["--duration", 0.5]):
        done = separate(folder, part, *times)
        assert done.exit_code == 1
        said = " ".join(done.stderr.split())
        assert said.startswith("error: corrupt: part.mp4: the file was cut off: its end is missing")
        assert said.endswith("; copy or download it again")  # in no words of ffmpeg
    assert {path.name for path in tmp_path.iterdir()} == {"whole.mp4", "part.mp4"}
