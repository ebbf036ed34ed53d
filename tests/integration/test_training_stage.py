"""Training on small data set versions: what it exports, measures and refuses."""

import csv
import fcntl
import io
import json

import numpy as np
import pytest
from dataset_fixtures import MakeSettings, MakeVersion
from training_fixtures import TINY, TINY_VOCODER, TinyModel

from feature_extraction.stage import run as extract_features
from s2s.errors import StageError, VersionError
from s2s.layout import model_prefix
from s2s.settings import Settings
from s2s.storage import open_bucket
from s2s.tasks.generation.network.directory import load_bundle
from s2s.tasks.generation.predictor.predictor import GenerationPredictor
from training.stage import run

MODEL_FILES = {
    "README.md",
    "config.json",
    "learning_curve.png",
    "metrics.csv",
    "metrics.json",
    "model.safetensors",
    "vocoder.csv",
    "vocoder.png",
    "vocoder.safetensors",
}


def read_model(settings: Settings, name: str) -> bytes:
    prefix = model_prefix(settings.recipe, "dataset_v1")
    return open_bucket(settings.bucket_url).read(prefix + name)


def test_a_model_is_trained_measured_and_exported(tiny_model: TinyModel):
    settings, prefix = tiny_model.settings, tiny_model.prefix
    assert tiny_model.report.counts == {"ok": 1}
    keys = open_bucket(settings.bucket_url).keys(prefix)
    assert {key.removeprefix(prefix) for key in keys} == MODEL_FILES
    metrics = json.loads(tiny_model.read("metrics.json"))
    assert (metrics["split"], metrics["n_clips"]) == ("test", 2)
    training = metrics["training"]
    assert (training["steps"], training["stopped_by"]) == (3, "max_steps")
    assert (training["n_train"], training["n_train_sources"]) == (3, 3)
    assert training["objectives"]["vocoder"]["steps"] == 4
    assert tiny_model.report.outputs["training"] == training
    assert metrics["systems"]["real"]["onset_f1"] == 1.0
    assert metrics["systems"]["real"]["mel_l1"] == 0.0
    assert metrics["systems"]["silence"]["onset_recall"] == 0.0
    assert [set(row["systems"]) for row in metrics["clips"]] == [set(metrics["systems"])] * 2
    card = tiny_model.read("README.md").decode()
    assert "dataset_v1" in card
    assert "Sound for silent videos" in card
    assert "its budget of steps" in card
    curve = list(csv.DictReader(io.StringIO(tiny_model.read("metrics.csv").decode())))
    assert float(curve[0]["train_loss"]) > 0
    assert any(row["val_loss"] for row in curve)

    again = run(settings)
    assert again.counts == {"skipped:already_done": 1}
    assert again.outputs == tiny_model.report.outputs

    network, config = load_bundle(tiny_model.folder)
    assert config.version == "dataset_v1"
    frames = np.zeros((30, 64, 64, 3), np.uint8)
    sound = GenerationPredictor(network, config).sound(frames, seed=1)
    assert sound.shape == (config.spec.samples(30),)


def test_a_cap_of_time_that_strikes_is_told(
    make_settings_of: MakeSettings, make_version: MakeVersion
):
    settings = make_settings_of(training=TINY | {"max_steps": 10**6, "max_minutes": 0.005})
    make_version(settings, {"train": (1.0,)})
    extract_features(settings)
    report = run(settings)
    assert report.outputs["training"]["stopped_by"] == "max_minutes"
    assert "a cap of time, max_minutes" in read_model(settings, "README.md").decode()


def test_without_test_clips_the_val_split_is_measured(
    make_settings_of: MakeSettings, make_version: MakeVersion
):
    settings = make_settings_of(training=TINY)
    make_version(settings, {"train": (1.0, 1.0), "val": (1.0,), "test": ()}, labels=("one",))
    extract_features(settings)
    run(settings)
    metrics = json.loads(read_model(settings, "metrics.json"))
    assert metrics["split"] == "val"
    assert "measured on the val split" in metrics["note"]
    assert "less than two labels" in metrics["note"]
    assert metrics["systems"]["model"]["class_accuracy"] is None
    assert metrics["systems"]["real_mel"]["onset_f1"] > 0.8


def test_without_held_out_clips_nothing_is_measured(
    make_settings_of: MakeSettings, make_version: MakeVersion
):
    settings = make_settings_of(training=TINY)
    make_version(settings, {"train": (1.0,)})
    extract_features(settings)
    run(settings)
    metrics = json.loads(read_model(settings, "metrics.json"))
    assert metrics["split"] is None
    assert metrics["systems"] == {}
    assert "nothing was measured" in read_model(settings, "README.md").decode()


def test_what_is_missing_is_told(make_settings_of: MakeSettings, make_version: MakeVersion):
    settings = make_settings_of(training=TINY)
    open_bucket(settings.bucket_url).prepare()
    with pytest.raises(VersionError, match="validation"):
        run(settings)
    version = make_version(settings, {"train": (1.0,)})
    with pytest.raises(StageError, match="run feature_extraction first"):
        run(settings)
    bucket = open_bucket(settings.bucket_url)
    bucket.write(version.split("train")[0].key, b"not a video", overwrite=True)
    extract_features(settings)
    with pytest.raises(StageError, match="no clip with features"):
        run(settings)


def test_without_a_gpu_none_can_be_asked_for(
    make_settings_of: MakeSettings, make_version: MakeVersion, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    vocoder = {"vocoder": TINY_VOCODER}  # trained first
    settings = make_settings_of(training={**TINY, "accelerator": "gpu", **vocoder})
    make_version(settings, {"train": (1.0,)})
    extract_features(settings)
    with pytest.raises(StageError, match="set it to auto or cpu"):
        run(settings)


def test_two_runs_on_one_machine_do_not_meet(
    make_settings_of: MakeSettings, make_version: MakeVersion
):
    settings = make_settings_of(training=TINY)
    make_version(settings, {"train": (1.0,)})
    folder = settings.work_dir / "training" / model_prefix(settings.recipe, "dataset_v1")
    folder.mkdir(parents=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StageError, match="another run is training this model"):
            run(settings)
