"""`./s2s generate`: the same offline, on a whole file, a part of it, or a picture."""

import math
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from launcher.__main__ import app
from launcher.commands.own_file.cut import cut_span, seconds_of
from s2s.errors import SettingsError
from s2s.media import probe, run_ffmpeg


@pytest.fixture
def file(silent_video: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(silent_video, tmp_path / "clip.mp4"))


def generate(model: Path, *args: object) -> Result:
    return CliRunner().invoke(app, ["generate", *map(str, args), "--model", str(model)])


def test_a_file_gets_sound_beside_itself(untrained_model: Path, file: Path):
    done = generate(untrained_model, file)
    assert done.exit_code == 0, done.stderr
    made = probe(file.with_name("clip_with_sound.mp4"))
    assert made.has_audio
    assert made.duration_s == pytest.approx(2.0, abs=1 / 25)
    assert sorted(path.name for path in file.parent.iterdir()) == [
        "clip.mp4",
        "clip_with_sound.mp4",
    ]


def test_nothing_beside_the_file_is_overwritten(untrained_model: Path, file: Path):
    own = file.with_name(".clip_with_sound.mp4.part")
    own.write_bytes(b"my own")
    assert generate(untrained_model, file).exit_code == 0
    assert own.read_bytes() == b"my own"
    assert len(list(file.parent.iterdir())) == 3


def test_a_part_is_cut_and_kept(untrained_model: Path, file: Path, tmp_path: Path):
    out = tmp_path / "other" / "out.mp4"
    out.parent.mkdir()
    done = generate(untrained_model, file, "--start-time", 0.4, "--end-time", 1.6, "--out", out)
    assert done.exit_code == 0, done.stderr
    for path in (out.with_name("clip_cut.mp4"), out):
        assert probe(path).duration_s == pytest.approx(1.2, abs=1 / 25)
    assert "less than asked for" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "other"}


def test_the_sound_of_a_part_is_called_after_it(untrained_model: Path, file: Path):
    done = generate(untrained_model, file, "--duration", 9)
    assert done.exit_code == 0, done.stderr
    assert "less than asked for: clip.mp4 ends after 2.00 s" in " ".join(done.stderr.split())
    assert {path.name for path in file.parent.iterdir()} == {
        "clip.mp4",
        "clip_cut.mp4",
        "clip_cut_with_sound.mp4",
    }


@pytest.mark.parametrize("command", ["generate", "classify", "separate"])
def test_a_name_that_begins_with_a_dash_is_told_from_an_option(
    command: str, file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(file.parent)
    file.rename("-dash.mp4")
    done = CliRunner().invoke(app, [command, "-dash.mp4"])
    assert done.exit_code == 2
    assert "-dash.mp4 would be read as an option: write ./-dash.mp4" in done.stderr


def test_a_dash_is_taken_where_it_cannot_be_an_option(
    untrained_model: Path, file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(file.parent)
    file.rename("-dash.mp4")
    command = ["generate", "--model", str(untrained_model), "--out", "-x.mp4", "--", "-dash.mp4"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.stderr
    assert probe(Path("-x.mp4")).has_audio


def test_ones_own_cut_is_not_overwritten(untrained_model: Path, file: Path):
    own = file.with_name("clip_cut.mp4")
    own.write_bytes(b"my own")
    for name in ("clip_cut_2.mp4", "clip_cut_3.mp4"):
        done = generate(untrained_model, file, "--duration", 0.4)
        assert done.exit_code == 0, done.stderr
        assert probe(file.with_name(name)).duration_s == pytest.approx(0.4, abs=1 / 25)
    assert own.read_bytes() == b"my own"


def test_ones_own_result_is_not_overwritten(untrained_model: Path, file: Path):
    own = file.with_name("clip_with_sound.mp4")
    own.write_bytes(b"my own")
    assert generate(untrained_model, file).exit_code == 0
    assert own.read_bytes() == b"my own"
    assert probe(file.with_name("clip_with_sound_2.mp4")).has_audio


def test_ones_own_file_is_not_written_over(untrained_model: Path, file: Path):
    before = file.read_bytes()
    done = generate(untrained_model, file, "--out", file)
    assert done.exit_code == 1
    assert "is the file itself" in " ".join(done.stderr.split())
    assert file.read_bytes() == before


def test_what_an_upload_is_refused_for_is_refused_here(untrained_model: Path, file: Path):
    picture = file.with_name("picture.png")
    run_ffmpeg(["-i", str(file), "-frames:v", "1", str(picture)], "picture")
    for whole in (file, picture):
        data = whole.read_bytes()
        whole.write_bytes(data[: len(data) // 2])
        done = generate(untrained_model, whole)
        assert done.exit_code == 1
        assert f"{whole.name}: the file was cut off" in " ".join(done.stderr.split())
    text = file.with_name("notes.mp4")
    text.write_text("not a video")
    done = generate(untrained_model, text)
    assert done.exit_code == 1
    said = " ".join(done.stderr.split())
    assert "'notes.mp4' does not begin as a file of type mp4. Accepted are videos" in said
    assert "API" not in said


def test_the_sound_alone_is_made_where_out_says_so(
    untrained_model: Path, file: Path, tmp_path: Path
):
    done = generate(untrained_model, file, "--out", tmp_path / "x.wav")
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "x.wav").read_bytes()[:4] == b"RIFF"
    done = generate(untrained_model, file, "--out", tmp_path / "x.mp3")
    assert done.exit_code == 1
    assert "must end in .mp4" in " ".join(done.stderr.split())


@pytest.mark.parametrize("command", ["generate", "classify", "separate", "evaluate", "serve"])
def test_without_a_model_every_command_says_the_same(command: str, file: Path, tmp_path: Path):
    (tmp_path / "bucket").mkdir()
    of_file = command in {"generate", "classify", "separate"}
    given = [str(file)] if of_file else ["silent_to_sound.sample", "--work-dir", f"{tmp_path}/work"]
    for name, why in (("none", "there is no such directory"), ("bucket", "no model of recipe")):
        bucket = f"file://{tmp_path}/{name}"
        done = CliRunner().invoke(app, [command, *given, "--bucket", bucket])
        assert done.exit_code == 1
        said = " ".join(done.stderr.split())
        assert why in said
        assert "yet: run './s2s run RECIPE' (for a sample recipe './s2s demo NAME')" in said
        assert ("or name another recipe with --recipe" in said) == of_file


def test_a_folder_that_is_not_there_is_told(untrained_model: Path, file: Path, tmp_path: Path):
    done = generate(untrained_model, file, "--out", tmp_path / "none" / "out.mp4")
    assert done.exit_code == 1
    assert "no such folder" in " ".join(done.stderr.split())


def test_a_recipes_note_and_a_warning_are_told(untrained_model: Path, tmp_path: Path):
    recipe, plain = tmp_path / "quiet.yaml", tmp_path / "plain.mp4"
    recipe.write_text(
        "{name: quiet, collection: {catalog: none.csv}, serving: {note: Learned nothing yet.}}"
    )
    run_ffmpeg(["-f", "lavfi", "-i", "color=red:d=1", str(plain)], "plain")
    done = generate(untrained_model, plain, "--recipe", recipe)
    assert done.exit_code == 0, done.stderr
    told = " ".join(done.stderr.split())
    assert "The picture is of one colour" in told
    assert "Learned nothing yet." in told


def test_times_may_be_minutes_and_seconds():
    given = {"90": 90, "7.5": 7.5, ".5": 0.5, "1:30": 90, "0:01:30.25": 90.25, "1:00:00": 3600}
    assert {text: seconds_of(text) for text in given} == given
    for text in ("1:", ":30", "-1", "1m", "nan", "inf", "1e3", "1:2:3:4", ""):
        with pytest.raises(typer.BadParameter, match="is no time: give seconds, such as 90"):
            seconds_of(text)
    for text in ("1:60", "1:99", "0:60:00", "1:00:60.5"):
        with pytest.raises(typer.BadParameter, match=f"'{text}' is no time: behind a colon"):
            seconds_of(text)
    assert (seconds_of("99:59"), seconds_of("90.5")) == (5999, 90.5)


def test_a_picture_lasts_as_long_as_asked(untrained_model: Path, file: Path, tmp_path: Path):
    picture = tmp_path / "picture.jpg"
    run_ffmpeg(["-i", str(file), "-frames:v", "1", str(picture)], "picture")
    done = generate(untrained_model, picture, "--duration", 1)
    assert done.exit_code == 0, done.stderr
    assert probe(tmp_path / "picture_with_sound.mp4").duration_s == pytest.approx(1, abs=1 / 25)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--start-time", 1], "needs an --end-time or a --duration"),
        (["--end-time", 1, "--duration", 1], "one of the two"),
        (["--start-time", 1, "--end-time", 1], "nothing lies between --start-time (second 1) and"),
        (["--duration", 0], "--duration 0: give more than 0 seconds"),
        (["--start-time", "0:07", "--duration", 1], "ends after 2.00 s"),
    ],
)
def test_times_that_say_no_part_are_an_error(untrained_model: Path, file: Path, args, said):
    done = generate(untrained_model, file, *args)
    assert done.exit_code == 1
    assert said in " ".join(done.stderr.split())
    assert [path.name for path in file.parent.iterdir()] == ["clip.mp4"]


def test_spans():
    assert cut_span(None, None, None) is None
    assert cut_span(None, 3, None) == (0, 3)
    assert cut_span(2, None, 3) == (2, 3)
    assert cut_span(2, 5, None) == (2, 3)
    with pytest.raises(SettingsError):
        cut_span(2, None, None)
    for times in (
        (math.inf, 3, None),
        (0, math.inf, None),
        (0, None, math.inf),
        (0, math.nan, None),
    ):
        with pytest.raises(SettingsError, match=r"--[a-z-]+ (inf|nan): give a number of seconds"):
            cut_span(*times)
