"""A training that is killed goes on where its last checkpoint was, on any machine, as if it had
never been killed."""

import csv
import io
import json
import math
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from dataset_fixtures import MakeSettings, MakeVersion

from feature_extraction.stage import run as extract_features
from s2s.layout import model_prefix
from s2s.settings import Settings
from s2s.storage import open_bucket
from s2s.tasks.recipes import recipe_class
from training.callbacks.checkpoints import StoredCheckpoints
from training.stage import run

KILLED_AT = 13
TINY = {
    "width": 16,
    "depth": 1,
    "heads": 1,
    "window_s": 0.4,
    "batch_size": 2,
    "max_steps": 25,
    "accelerator": "cpu",
    "held_out_clips": 1,
}
VOCODER = {"kind": "istft", "width": 16, "depth": 1, "crop_s": 0.1, "batch_size": 2}
PARTS = {"vocoder": VOCODER | {"discriminators": True, "max_steps": 15}}


def train_until_killed(settings: Settings, objective: str) -> None:
    """Runs in a process of its own, which dies right after a checkpoint."""
    note_every_step()
    torch.set_num_threads(1)

    def store_and_die(self: StoredCheckpoints, trainer: Any, *_args: Any, **_kwargs: Any) -> None:
        if trainer.global_step == KILLED_AT and f"{objective}.ckpt" in self._key:
            self.store(trainer)
            os.kill(os.getpid(), signal.SIGKILL)

    StoredCheckpoints.on_train_batch_end = store_and_die
    run(settings)


def note_every_step() -> None:
    """The curve has every step."""
    from training.callbacks import curve  # noqa: PLC0415 - in the process that trains

    curve._EVERY_STEPS = 1


def curve_of(settings: Settings, name: str) -> list[dict[str, str]]:
    bucket, prefix = open_bucket(settings.bucket_url), model_prefix(settings.recipe, "dataset_v1")
    rows = list(csv.DictReader(io.StringIO(bucket.read(prefix + name).decode())))
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def killed(settings: Settings, objective: str) -> None:
    process = multiprocessing.get_context("spawn").Process(
        target=train_until_killed, args=(settings, objective)
    )
    process.start()
    process.join(300)
    assert process.exitcode == -signal.SIGKILL


def assert_same(one: list[dict[str, str]], other: list[dict[str, str]]) -> None:
    assert [row["step"] for row in one] == [row["step"] for row in other]
    for first, second in zip(one, other, strict=True):
        for name, value in first.items():
            assert (value == "") == (second[name] == ""), (first, second)
            if value:
                assert math.isclose(float(value), float(second[name]), abs_tol=1e-4), (
                    first,
                    second,
                )


@pytest.mark.usefixtures("one_thread")
def test_the_curve_is_that_of_an_unbroken_run(
    make_settings_of: MakeSettings,
    make_version: MakeVersion,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("training.callbacks.curve._EVERY_STEPS", 1)
    settings = make_settings_of(training=TINY | PARTS)
    make_version(settings, {"train": (1.0, 1.0), "val": (1.0,)})
    extract_features(settings)
    bucket, prefix = open_bucket(settings.bucket_url), model_prefix(settings.recipe, "dataset_v1")
    run(settings)
    names = ("vocoder.csv", "metrics.csv")
    unbroken = {name: curve_of(settings, name) for name in names}
    assert [int(row["step"]) for row in unbroken["metrics.csv"]][:-1] == list(range(1, 26))
    weights = bucket.read(prefix + "model.safetensors")
    for key in list(bucket.keys(prefix)):
        bucket.delete(key)

    for machine, objective in enumerate(("vocoder", "model")):  # and each goes on elsewhere
        elsewhere = settings.work_dir.parent / f"machine{machine}"
        killed(settings.model_copy(update={"work_dir": elsewhere}), objective)
    assert bucket.exists(prefix + "vocoder.safetensors")
    report = run(settings.model_copy(update={"work_dir": settings.work_dir.parent / "last"}))

    assert report.counts == {"ok": 1}
    told = re.search(r"going on from the checkpoint (\S+), at step (\d+)", caplog.text)
    assert told is not None
    assert told[1] == f"{prefix}checkpoints/model.ckpt"
    assert 0 < int(told[2]) < 25
    for name, rows in unbroken.items():
        assert_same(curve_of(settings, name), rows)
    assert bucket.read(prefix + "model.safetensors") == weights
    training = json.loads(bucket.read(prefix + "metrics.json"))["training"]
    assert (training["steps"], training["stopped_by"]) == (25, "max_steps")
    assert training["objectives"]["vocoder"]["steps"] == 15
    assert not [key for key in bucket.keys(prefix) if "checkpoints" in key]


TASKS: dict[str, dict[str, Any]] = {
    "classification": {
        "feature_extraction": {"frame_rate_hz": 8, "height_px": 32, "width_px": 32},
        "training": {
            **{"model": "audio_visual", "visual": "cnn_3d", "frames": 4, "crop_px": 32},
            **{"modality_dropout": 0.3, "augmentation": {"mixup": 0.2}},
        },
    },
    "separation": {
        "feature_extraction": {"faces": "simulated", "speech_check": False},
        "training": {"size": "tiny", "window_s": 1},
    },
}


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("task", TASKS)
def test_the_curve_of_every_task_is_that_of_an_unbroken_run(
    task: str, make_version: MakeVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("training.callbacks.curve._EVERY_STEPS", 1)
    shared = {"batch_size": 4, "max_steps": 20, "accelerator": "cpu", "held_out_clips": 1}
    content = {"name": "clicks", "spec": {"duration_s": 2}, "tracking": {"trackers": []}}
    content |= {"collection": {"catalog": "none.csv"}, **TASKS[task]}
    content["training"] = shared | TASKS[task]["training"]
    whole = Settings(
        recipe=recipe_class(task).model_validate(content),
        recipe_path=tmp_path / "clicks.yaml",
        bucket_url=f"file://{tmp_path}/bucket",
        work_dir=tmp_path / "whole",
        workers=1,
    )
    make_version(whole, {"train": (2.0, 2.0, 2.0, 2.0), "val": (2.0, 2.0), "test": (2.0, 2.0)})
    extract_features(whole)
    bucket, prefix = open_bucket(whole.bucket_url), model_prefix(whole.recipe, "dataset_v1")
    run(whole)
    unbroken, weights = curve_of(whole, "metrics.csv"), bucket.read(prefix + "model.safetensors")
    for key in list(bucket.keys(prefix)):
        bucket.delete(key)

    broken = whole.model_copy(update={"work_dir": tmp_path / "broken"})
    killed(broken, "model")
    assert bucket.exists(prefix + "checkpoints/model.ckpt")
    run(broken)

    assert [int(row["step"]) for row in unbroken][:-1] == list(range(1, 21))
    assert_same(curve_of(broken, "metrics.csv"), unbroken)
    assert bucket.read(prefix + "model.safetensors") == weights


DRIVER = """
import signal
import sys
from pathlib import Path
from training.callbacks.checkpoints import StoredCheckpoints
from training.cli import app
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
begun = Path(sys.argv.pop())
def store_once(self, trainer, *_args, **_kwargs):
    if not begun.exists():
        self.store(trainer)
        begun.touch()
StoredCheckpoints.on_train_batch_end = store_once
app()
"""
"""The command itself; a file tells that it is in the midst of training, with a checkpoint."""


def interrupted(command: list[str], begun: Path, stop: signal.Signals) -> tuple[int, str]:
    """The status and the words of a training that is stopped in its midst."""
    with subprocess.Popen(
        [*command, str(begun)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        while not begun.exists():
            assert process.poll() is None, process.stdout.read().decode()
            time.sleep(0.1)
        process.send_signal(stop)
        said = process.stdout.read().decode()
    return process.returncode, said


def test_an_interrupted_training_says_so(
    make_settings_of: MakeSettings, make_version: MakeVersion, tmp_path: Path
):
    settings = make_settings_of(training=TINY | {"max_steps": 10**6})
    make_version(settings, {"train": (1.0, 1.0)})
    extract_features(settings)
    recipe = tmp_path / "clicks.yaml"
    recipe.write_text(yaml.safe_dump(settings.recipe.model_dump(mode="json")))
    command = [sys.executable, "-c", DRIVER, str(recipe), "--bucket", settings.bucket_url]
    command += ["--work-dir", str(settings.work_dir)]
    for stop, goes_on in ((signal.SIGTERM, False), (signal.SIGINT, True)):
        status, said = interrupted(command, tmp_path / stop.name, stop)
        assert status == 128 + stop, said
        assert "interrupted: what is stored stays; run again to go on" in said
        assert ("going on from the checkpoint" in " ".join(said.split())) == goes_on
        assert "Traceback" not in said
