"""Two processes as two nodes: each with a work directory of its own, one bucket, the command."""

import csv
import io
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from dataset_fixtures import settings_in, store_version
from training_fixtures import TINY, TINY_VOCODER

from feature_extraction.stage import run as extract_features
from s2s.layout import model_prefix, report_key
from s2s.settings import Settings
from s2s.storage import open_bucket
from training.stage import run

TRAINING: dict[str, Any] = TINY | {
    "batch_size": 4,
    "max_steps": 12,
    "vocoder": TINY_VOCODER | {"batch_size": 4, "discriminators": True},
}
DRIVER = """
import signal
from s2s.tasks.generation.metrics import classifier
from training.callbacks import checkpoints
from training.cli import app
from training.nodes import watch
# A shell's background jobs ignore it; it is what ends a process whose parent was killed.
signal.signal(signal.SIGINT, signal.default_int_handler)
checkpoints._AT_LEAST_EVERY_S = 0.0
watch._SILENT_S = 20.0
classifier._STEPS = 3
app()
"""
"""The command itself, which stores a checkpoint soon, gives up a silent node soon, and measures
with a classifier that has learned nothing."""


class TwoNodes:
    """The command, once for each node."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.recipe = folder / "clicks.yaml"
        content = settings.recipe.model_dump(mode="json")
        content["training"]["nodes"] = 2
        self.recipe.write_text(yaml.safe_dump(content))

    def home(self, rank: int) -> Path:
        return self._folder / f"home{rank}"

    def start(self, rank: int) -> "subprocess.Popen[str]":
        environment = {
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(self._port),
            "NODE_RANK": str(rank),
            "S2S_HOME": str(self.home(rank)),
            "S2S_BUCKET": self._settings.bucket_url,
            "COLUMNS": "400",
            "OMP_NUM_THREADS": "1",
            "PATH": "/usr/bin:/bin",
            "HOME": str(self._folder),
        }
        return subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(self.recipe)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @contextmanager
    def started(self) -> "Iterator[list[subprocess.Popen[str]]]":
        nodes = [self.start(rank) for rank in (0, 1)]
        try:
            yield nodes
        finally:
            for node in nodes:
                node.kill()
                node.wait()
                if node.stdout is not None:
                    node.stdout.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bucket with features of clips that blink and click."""
    folder = tmp_path_factory.mktemp("nodes")
    settings = settings_in(folder, training=TRAINING)
    lengths = {"train": (1.0, 1.0, 1.0), "val": (1.0, 1.0)}
    store_version(folder, settings, lengths)  # pyright: ignore[reportArgumentType] - splits
    extract_features(settings)
    return folder


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, one_thread: None) -> None:
    """Of one thread, as sums of other numbers differ in their last digits."""
    monkeypatch.setattr("s2s.tasks.generation.metrics.classifier._STEPS", 3)


def settings_of(place: Path, folder: Path, **training: Any) -> Settings:
    """Settings on a copy of the bucket."""
    shutil.copytree(place / "bucket", folder / "bucket")
    return settings_in(folder, training=TRAINING | training)


def curve_of(settings: Settings, name: str) -> list[dict[str, float]]:
    bucket, prefix = open_bucket(settings.bucket_url), model_prefix(settings.recipe, "dataset_v1")
    rows = list(csv.DictReader(io.StringIO(bucket.read(prefix + name).decode())))
    return [
        {name: float(value) for name, value in row.items() if value and name != "seconds"}
        for row in rows
    ]


def test_two_nodes_learn_as_one_process_with_their_batch(place: Path, tmp_path: Path):
    (tmp_path / "one").mkdir()
    alone = settings_of(place, tmp_path / "one")
    run(alone)
    (tmp_path / "two").mkdir()
    shared = settings_of(place, tmp_path / "two")
    with TwoNodes(shared, tmp_path / "two").started() as nodes:
        said = [node.communicate()[0] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], said
    for name in ("vocoder.csv", "metrics.csv"):
        one, two = curve_of(alone, name), curve_of(shared, name)
        assert len(one) >= 2
        assert [set(row) for row in one] == [set(row) for row in two]
        for row, wanted in zip(two, one, strict=True):
            assert row == pytest.approx(wanted, rel=2e-3)
    bucket = open_bucket(shared.bucket_url)
    assert "nodes" in said[0]
    assert '"ok": 1' in bucket.read(report_key(shared.recipe, "training")).decode()
    # Nothing but what one machine writes, and nothing is left of checkpoints.
    theirs = set(open_bucket(alone.bucket_url).keys(""))
    assert set(bucket.keys("")) == theirs


def test_a_killed_node_ends_the_other_and_both_go_on_from_the_first_ones_checkpoint(
    place: Path, tmp_path: Path
):
    settings = settings_of(place, tmp_path, max_steps=600, vocoder={"kind": "griffin_lim"})
    two = TwoNodes(settings, tmp_path)
    bucket, prefix = open_bucket(settings.bucket_url), model_prefix(settings.recipe, "dataset_v1")
    with two.started() as nodes:
        while not bucket.exists(prefix + "checkpoints/model.ckpt"):
            assert [node.poll() for node in nodes] == [None, None], nodes[0].communicate()
            time.sleep(0.1)
        nodes[1].send_signal(signal.SIGKILL)
        said, _ = nodes[0].communicate(timeout=300)
        assert nodes[0].returncode == 1, said
    (error,) = [line for line in said.splitlines() if line.startswith("error:")]
    assert "node 1 has given no sign for 20 s" in error
    assert "start the same command again on every node" in error
    assert not bucket.exists(prefix + "config.json")

    shutil.rmtree(two.home(1))
    with two.started() as nodes:
        said = [node.communicate()[0] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], said
    for text in said:
        assert "going on from the checkpoint" in text
    steps = [row["step"] for row in curve_of(settings, "metrics.csv")]
    assert steps[:2] == [1, 10]  # of the run before
    assert steps[-1] == 600
