"""A node that runs low on memory: Ray ends workers, and the engine finds out what may stay."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from ray_clusters import running_cluster

from s2s.engine import Engine, WorkerDiedError, make_engine

pytest.importorskip("ray", reason="Ray is not installed")
from s2s.engine.ray.worker import _Worker

LEAST_FREE_BYTES = 4_000_000_000
PIECE_BYTES = 50_000_000
HUNGRY = 3


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Two workers on a node that may take a quarter of what is free now."""
    memory = psutil.virtual_memory()
    if memory.available < LEAST_FREE_BYTES:
        pytest.skip(f"{memory.available / 1e9:.1f} GB of memory are free, 4 GB are needed")
    used = memory.total - memory.available
    limits = {
        "RAY_memory_usage_threshold": f"{(used + 0.25 * memory.available) / memory.total:.4f}",
        "RAY_memory_monitor_refresh_ms": "100",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in limits.items():
            patch.setenv(name, value)
        with running_cluster(num_cpus=2):
            yield make_engine("ray")


def take_all(number: int) -> int:
    """Take memory until it is too much."""
    held, until_s = [], time.monotonic() + 300
    while time.monotonic() < until_s:
        if len(held) * PIECE_BYTES < 0.6 * psutil.virtual_memory().total:
            held.append(b"x" * PIECE_BYTES)
        time.sleep(0.005)
    return number


def be_hungry(folder: Path, times: int, number: int) -> int:
    """Item 3 takes all memory, so many times; the others take a moment."""
    if number == HUNGRY:
        (folder / f"{os.getpid()}-{time.monotonic_ns()}").touch()
        if len(list(folder.iterdir())) <= times:
            return take_all(number)
    time.sleep(0.1)
    return number


def test_what_follows_waits_until_what_was_ended_is_gone():
    with subprocess.Popen(["sleep", "600"]) as program:
        waiting = threading.Thread(target=_Worker(1).ready, args=([program.pid],))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        program.kill()
    waiting.join()


def test_who_takes_too_much_is_given_up_and_no_other(engine: Engine, tmp_path: Path):
    """Ray ends the worker that began last, whoever takes the memory, and others with it."""
    results: dict[int, Any] = dict(engine.map(partial(be_hungry, tmp_path, 100), range(40)))
    given_up = results.pop(HUNGRY)
    assert isinstance(given_up, WorkerDiedError)
    assert "OutOfMemoryError" in str(given_up)
    assert "low on memory" in str(given_up)
    assert "\n" not in str(given_up)
    assert results == {number: number for number in range(40) if number != HUNGRY}
    assert len(list(tmp_path.iterdir())) == 2


def test_what_fits_when_it_is_alone_is_not_lost(engine: Engine, tmp_path: Path):
    results = list(engine.map(partial(be_hungry, tmp_path, 1), range(40)))
    assert sorted(results) == [(number, number) for number in range(40)]
    assert len(list(tmp_path.iterdir())) == 2
