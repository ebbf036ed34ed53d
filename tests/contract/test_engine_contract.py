"""Every engine keeps the same promises: threads, processes, both, Ray."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from s2s.engine import Engine, WorkerDiedError, make_engine
from s2s.errors import SettingsError, StageError


@pytest.fixture(scope="module", params=["threads", "processes", "sessions", "ray"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "ray":
        ray = pytest.importorskip("ray", reason="Ray is not installed")
        with pytest.MonkeyPatch.context() as patch:
            # Not a cluster that someone else has started. Its workers import this module by name.
            patch.setenv("RAY_ADDRESS", "local")
            patch.setenv("PYTHONPATH", str(Path(__file__).parent))
            yield make_engine("ray", 2)
            ray.shutdown()
    elif request.param == "sessions":
        yield make_engine("local", 2, threads=True, sessions=2)
    else:
        yield make_engine("local", 2, threads=request.param == "threads")


def double(number: int) -> int:
    return 2 * number


def refuse_seven(number: int) -> int:
    if number == 7:
        raise StageError("seven")
    return number


def die_on_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def sleep_a_little(number: int) -> int:
    time.sleep(0.01 * (number % 3))
    return number


def test_every_item_comes_back_once(engine: Engine):
    assert sorted(engine.map(double, range(50))) == [(n, 2 * n) for n in range(50)]


def process(_: int) -> int:
    return os.getpid()


def test_workers_of_a_cluster_are_kept_for_the_next_map(
    engine: Engine, request: pytest.FixtureRequest
):
    if "ray" not in request.node.callspec.id:
        pytest.skip("processes of this machine start at once, and leave their memory in the end")
    first, second = ({pid for _, pid in engine.map(process, range(20))} for _ in range(2))
    assert first & second
    (dead, *_) = first
    assert isinstance(dead, int)
    os.kill(dead, signal.SIGKILL)
    third = {pid for _, pid in engine.map(process, range(20))}
    assert dead not in third


def test_no_items(engine: Engine):
    assert list(engine.map(double, [])) == []


def test_what_a_task_raises_is_raised_here(engine: Engine):
    with pytest.raises(StageError, match="seven"):
        list(engine.map(refuse_seven, range(20)))
    assert dict(engine.map(double, range(3))) == {0: 0, 1: 2, 2: 4}


def test_items_are_taken_as_they_are_needed(engine: Engine):
    taken = []

    def items() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    results = engine.map(sleep_a_little, items())
    next(results)
    assert len(taken) < 50
    results.close()  # type: ignore[attr-defined]


def test_a_dead_worker_takes_only_its_item(engine: Engine, request: pytest.FixtureRequest):
    if "threads" in request.node.callspec.id:
        pytest.skip("a thread cannot die alone")
    results = dict(engine.map(die_on_three, range(6)))
    assert isinstance(results.pop(3), WorkerDiedError)
    assert results == {n: n for n in (0, 1, 2, 4, 5)}


def readiness_to_go(_: int) -> int:
    return int(Path("/proc/self/oom_score_adj").read_text())


def test_the_system_ends_a_worker_for_memory_before_the_run(
    engine: Engine, request: pytest.FixtureRequest
):
    if "processes" not in request.node.callspec.id:
        pytest.skip("threads are the run itself, and Ray has a monitor of its own")
    assert dict(engine.map(readiness_to_go, range(2))) == {0: 1000, 1: 1000}


def test_it_says_how_much_it_works_on(engine: Engine):
    assert engine.room.workers >= 2
    assert engine.room.nodes == 1


def test_unknown_engine():
    with pytest.raises(SettingsError, match="local or ray"):
        make_engine("dask", 2)
