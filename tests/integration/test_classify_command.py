"""`./s2s classify`: classes of a file on the whole and over time, as evaluation gives them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from classifiers import CLASSES, SPEC, save_classifier
from dataset_fixtures import clicking_clip, encode
from serving_fixtures import MakeVideo
from typer.testing import CliRunner, Result

from launcher.__main__ import app
from launcher.commands.own_file.stretches import Stretch, stretches_of
from s2s.features.arrays import ClipMedia
from s2s.media import MediaLimits, probe, read_audio, read_frames, run_ffmpeg, write_wav
from s2s.tasks.classification.data import audible
from s2s.tasks.classification.predictor.offer import ClassificationOptions
from s2s.tasks.classification.predictor.predictor import ClassificationPredictor
from s2s.tasks.contract import Upload
from serving.models.notes import JobNotes


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_classifier(tmp_path_factory.mktemp("classifier"))


@pytest.fixture
def file(make_video: MakeVideo, tmp_path: Path) -> Path:
    made = make_video("clip.mp4", seconds=6, sound="sine")
    return Path(shutil.copy(made, tmp_path / "clip.mp4"))


def classify(model: Path, *args: object) -> Result:
    command = ["classify", *map(str, args), "--model-path", str(model)]
    return CliRunner().invoke(app, command, env={"COLUMNS": "80"})


def test_a_long_video_is_labelled_over_time(model: Path, file: Path):
    done = classify(model, file)
    assert done.exit_code == 0, done.stderr
    assert "On the whole" in done.stdout
    assert "Over time" in done.stdout
    assert "0:00.0" in done.stdout
    assert "0:06.0" in done.stdout
    assert "Each instant is judged by the 2 s around it" in " ".join(done.stdout.split())
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert [path.name for path in file.parent.iterdir()] == ["clip.mp4"]


def test_json_is_one_document(model: Path, file: Path):
    done = classify(model, "--videopath", file, "--json", "--top-k", 2)
    assert done.exit_code == 0, done.stderr
    content = json.loads(done.stdout)
    assert content["file"] == str(file)
    assert len(content["classes"]) == 2
    starts = [row["start_s"] for row in content["over_time"]]
    assert starts == [0, 1, 2, 3, 4]
    stretches = content["stretches"]
    assert (stretches[0]["start_s"], stretches[-1]["end_s"]) == (0, 6)
    assert {row["label"] for row in stretches} <= set(CLASSES)


def test_a_part_is_cut_with_its_sound_and_kept(model: Path, file: Path):
    own = file.with_name("clip_cut.mp4")
    own.write_bytes(b"my own")
    done = classify(model, file, "--start-time", "0:02", "--duration", 3, "--json")
    assert done.exit_code == 0, done.stderr
    cut = probe(file.with_name("clip_cut_2.mp4"))
    assert cut.duration_s == pytest.approx(3, abs=1 / 25)
    assert cut.has_audio
    assert own.read_bytes() == b"my own"
    rows = json.loads(done.stdout)["over_time"]
    assert [(row["start_s"], row["end_s"]) for row in rows] == [(2, 4), (3, 5)]


def test_frames_are_saved_and_removed_as_asked(model: Path, file: Path, tmp_path: Path):
    folder = tmp_path / "frames"
    done = classify(model, file, "--save-frames-path", folder)
    assert done.exit_code == 0, done.stderr
    assert f"{folder}: 48 frames" in " ".join(done.stderr.split())
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"image_{n:05d}.jpg" for n in range(1, 6 * 8 + 1)]
    again = classify(model, file, "--save-frames-path", folder)
    assert again.exit_code == 1
    assert "already" in again.stderr
    part = classify(model, file, "--duration", 1, "--save-frames-path", folder)
    assert part.exit_code == 1
    assert not file.with_name("clip_cut.mp4").exists(), "nothing is written before it is refused"
    below = classify(model, file, "--save-frames-path", file / "frames")
    assert below.exit_code == 1
    assert "choose another --save-frames-path" in " ".join(below.stderr.split())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("my own")
    for name in ("mine", "new"):
        done = classify(model, file, "--save-frames-path", tmp_path / name, "--rm-frames")
        assert done.exit_code == 0, done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["FILE", "--start-time", 1], "needs an --end-time or a --duration"),
        (["FILE", "--end-time", 1, "--duration", 1], "one of the two"),
        (["FILE", "--start-time", 9, "--duration", 1], "ends after 6.00 s"),
        (["FILE", "--rm-frames"], "removes what --save-frames-path saves: name that too"),
        (["FILE", "--videopath", "FILE"], "name one video"),
        ([], "name one video"),
        (["FILE", "--recipe", "recipes/silent_to_sound.sample.yaml"], "its task is generation"),
    ],
)
def test_options_that_say_nothing_are_an_error(model: Path, file: Path, args, said):
    given = [file if arg == "FILE" else arg for arg in args]
    done = classify(model, *given)
    assert done.exit_code == 1
    assert said in " ".join(done.stderr.split())
    assert [path.name for path in file.parent.iterdir()] == ["clip.mp4"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing", "nothing: is not there; name a model directory"),
        ("whole/config.json", "config.json: is a file, and no folder; name a model directory"),
        ("without_config.json", "has no config.json; name a model directory"),
        ("without_model.safetensors", "model.safetensors: is missing, and config.json describes"),
        ("other", "a model of the task generation, and the recipe kinetics_actions.sample is of c"),
    ],
)
def test_a_model_path_without_a_model_is_told(
    model: Path, untrained_model: Path, file: Path, tmp_path: Path, name: str, said: str
):
    shutil.copytree(model, tmp_path / "whole")
    shutil.copytree(untrained_model, tmp_path / "other")
    for left_out in ("config.json", "model.safetensors"):
        half = shutil.copytree(model, tmp_path / f"without_{left_out}")
        (half / left_out).unlink()
    done = classify(tmp_path / name, file)
    assert done.exit_code == 1
    # A long path is broken anywhere.
    assert "".join(said.split()) in "".join(done.stderr.split())


def test_a_recipes_note_and_a_warning_are_told(model: Path, silent_video: Path, tmp_path: Path):
    recipe = tmp_path / "acts.yaml"
    note = "Learned from drawings: of anything else it knows nothing."
    content = {"name": "acts", "task": "classification", "collection": {"catalog": "none.csv"}}
    recipe.write_text(yaml.safe_dump(content | {"serving": {"note": note}}))
    hears = save_classifier(tmp_path / "hears", "audio_visual")
    for given in ([], ["--json"]):
        done = classify(hears, silent_video, "--recipe", recipe, *given)
        assert done.exit_code == 0, done.stderr
        told = " ".join(done.stderr.split())
        assert note in told
        assert "The video's sound is missing: this answer is by its picture alone." in told
    assert "warning" in json.loads(done.stdout)
    assert "warning" not in classify(model, silent_video, "--recipe", recipe, "--json").stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--start-time", "1:x", "--duration", "1"], "'1:x' is no time: give seconds, such as 90"),
        (["--end-time", "-1"], "'-1' is no time"),
        (["--duration", "1e3"], "'1e3' is no time"),
    ],
)
def test_what_is_no_time_is_told_with_what_is(model: Path, file: Path, args: list[str], said: str):
    done = classify(model, file, *args)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())


def test_a_file_that_was_cut_off_is_refused(model: Path, file: Path):
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    done = classify(model, file, "--duration", 1)
    assert done.exit_code == 1
    assert "clip.mp4: the file was cut off: its end is missing" in " ".join(done.stderr.split())
    assert [path.name for path in file.parent.iterdir()] == ["clip.mp4"]


def test_a_picture_is_refused(model: Path, file: Path, tmp_path: Path):
    picture = tmp_path / "picture.png"
    run_ffmpeg(["-i", str(file), "-frames:v", "1", str(picture)], "picture")
    done = classify(model, picture)
    assert done.exit_code == 1
    assert "error:" in done.stderr
    assert "picture.png" in done.stderr


def test_what_only_hears_refuses_a_file_without_sound(silent_video: Path, tmp_path: Path):
    done = classify(save_classifier(tmp_path, "audio"), silent_video)
    assert done.exit_code == 1
    assert "no_audio" in done.stderr


def test_what_only_hears_refuses_silence(make_video: MakeVideo, tmp_path: Path):
    done = classify(save_classifier(tmp_path, "audio"), make_video("s.mp4", sound="anullsrc"))
    assert done.exit_code == 1
    assert "its sound is silent, and the model only hears" in " ".join(done.stderr.split())


@pytest.mark.parametrize("kind", ["frame_average", "cnn_3d", "audio", "audio_visual"])
def test_a_file_has_the_logits_of_its_stored_features(kind: str, tmp_path: Path):
    frames_THWC, samples_N = clicking_clip(1, 2.0)
    video = encode(tmp_path / "clip.mp4", frames_THWC)
    wav, both = tmp_path / "clip.wav", tmp_path / "clip.mkv"
    write_wav(wav, samples_N, SPEC.sample_rate_hz)
    run_ffmpeg(["-i", str(video), "-i", str(wav), "-c:v", "copy", "-c:a", "flac", str(both)], "mux")
    predictor = ClassificationPredictor.load(
        save_classifier(tmp_path / "model", kind), MediaLimits()
    )
    processor = predictor.classifier.processor

    media = ClipMedia(
        read_frames(video, processor.fps, processor.frame_size),
        read_audio(wav, SPEC.sample_rate_hz),
    )
    stored = {}
    for extractor in processor.extractors:
        given = extractor(media)
        for spec in extractor.arrays:
            stored |= spec.pack(given[spec.name])
    mel_MK = audible(stored["mel"].astype(np.float32)) if "mel" in stored else None
    measured_L = predictor.classifier.chances((stored["frames"], mel_MK))

    (tmp_path / "job").mkdir()
    upload = Upload(both, "video", tmp_path / "job", is_own=True)
    item = predictor.prepare(upload, ClassificationOptions(), JobNotes())
    ((served_L,),) = (said.chances_WL for said in predictor.predict([item]))
    assert np.abs(np.log(served_L) - np.log(measured_L)).max() < 1e-4


def window(start: float, end: float, label: str, probability: float) -> dict[str, object]:
    return {
        "start_s": start,
        "end_s": end,
        "classes": [{"label": label, "probability": probability}],
    }


def test_of_independent_classes_all_that_hold_are_named():
    def window(start_s: float, **chances: float) -> dict[str, object]:
        said = sorted(chances.items(), key=lambda one: -one[1])
        classes = [{"label": label, "probability": chance} for label, chance in said]
        return {"start_s": start_s, "end_s": start_s + 2, "classes": classes}

    windows = [
        window(0, dog=0.9, rain=0.6, car=0.1),
        window(1, dog=0.7, rain=0.8, car=0.1),
        window(2, dog=0.3, rain=0.2, car=0.1),
    ]
    assert [
        (one.start_s, one.end_s, one.label, round(one.probability, 6))
        for one in stretches_of(windows, several=True)
    ] == [(0, 2.5, "dog", 0.8), (0, 2.5, "rain", 0.7), (2.5, 4, "dog", 0.3)]


def test_windows_of_several_classes_are_told_to_be(file: Path, tmp_path: Path):
    model = save_classifier(tmp_path / "several")
    config = json.loads((model / "config.json").read_text())
    config["config"]["multi_label"] = True
    (model / "config.json").write_text(json.dumps(config))
    told = " ".join(classify(model, file).stdout.split())
    assert "Classes are independent: all above 50 % are named" in told
    assert json.loads(classify(model, file, "--json").stdout)["multi_label"] is True


def test_windows_of_one_class_are_one_stretch():
    windows = [window(0, 4, "a", 0.5), window(1, 5, "a", 0.7), window(2, 6, "b", 0.9)]
    assert stretches_of(windows) == [Stretch(0, 3.5, "a", 0.6), Stretch(3.5, 6, "b", 0.9)]
    assert stretches_of(windows[:1]) == [Stretch(0, 4, "a", 0.5)]
    assert stretches_of([]) == []
