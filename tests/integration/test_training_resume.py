"""A training that is killed goes on where its last checkpoint was, on any machine."""

import csv
import io
import json
import math
import multiprocessing
import os
import signal
from typing import Any

import pytest
from dataset_fixtures import MakeSettings, MakeVersion

from feature_extraction.stage import run as extract_features
from s2s.layout import model_prefix
from s2s.settings import Settings
from s2s.storage import open_bucket
from training.callbacks import StoredCheckpoints
from training.stage import run

KILLED_AT = 12
TINY = {"width": 16, "depth": 1, "heads": 1, "window_s": 0.4, "batch_size": 2, "max_steps": 25}


def train_until_killed(settings: Settings) -> None:
    """Runs in a process of its own, which dies right after a checkpoint."""
    store = StoredCheckpoints.on_train_batch_end

    def store_and_die(self: StoredCheckpoints, trainer: Any, *_args: Any, **_kwargs: Any) -> None:
        if trainer.global_step == KILLED_AT:
            self._last_s = -math.inf
            store(self, trainer)
            os.kill(os.getpid(), signal.SIGKILL)

    StoredCheckpoints.on_train_batch_end = store_and_die
    run(settings)


def test_another_machine_goes_on_from_the_checkpoint(
    make_settings_of: MakeSettings, make_version: MakeVersion, caplog: pytest.LogCaptureFixture
):
    settings = make_settings_of(training={**TINY, "accelerator": "cpu"})
    make_version(settings, {"train": (1.0, 1.0)})
    extract_features(settings)
    process = multiprocessing.get_context("spawn").Process(
        target=train_until_killed, args=(settings,)
    )
    process.start()
    process.join(300)
    assert process.exitcode == -signal.SIGKILL

    elsewhere = settings.model_copy(update={"work_dir": settings.work_dir.parent / "elsewhere"})
    report = run(elsewhere)
    assert report.counts == {"ok": 1}
    assert "going on from the checkpoint" in caplog.text
    prefix, bucket = model_prefix(settings.recipe, "dataset_v1"), open_bucket(settings.bucket_url)
    metrics = json.loads(bucket.read(prefix + "metrics.json"))
    assert metrics["training"]["steps"] == TINY["max_steps"]
    rows = list(csv.DictReader(io.StringIO(bucket.read(prefix + "metrics.csv").decode())))
    assert [int(row["step"]) for row in rows] == [1, 10, 20]
    seconds = [float(row["seconds"]) for row in rows]
    assert seconds == sorted(seconds)
    assert not [key for key in bucket.keys(prefix) if "checkpoints" in key]
