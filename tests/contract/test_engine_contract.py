"""Every engine keeps the same promises: threads, processes, both, Ray."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from ray_clusters import AS_NICE

from s2s.engine import Engine, WorkerDiedError, make_engine
from s2s.errors import SettingsError, StageError


@pytest.fixture(scope="module", params=["threads", "processes", "sessions", "ray"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "ray":
        ray = pytest.importorskip("ray", reason="Ray is not installed")
        with pytest.MonkeyPatch.context() as patch:
            # Not a cluster that someone else has started. Its workers import this module by name.
            patch.setenv("RAY_ADDRESS", "local")
            folder = Path(__file__).parent
            patch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{folder.parent}")
            patch.setenv(*AS_NICE)
            yield make_engine("ray", 2)
            ray.shutdown()
    elif request.param == "sessions":
        yield make_engine("local", 2, sessions=2)
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


class DiesOnce:
    """Dies with item 3 the first time, and sleeps so that others are worked on at the same time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, number: int) -> int:
        if number == 3 and not (self.folder / "dead").exists():
            (self.folder / "dead").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.01)
        return number


def test_what_does_when_it_is_alone_is_not_lost(
    engine: Engine, request: pytest.FixtureRequest, tmp_path: Path
):
    if "threads" in request.node.callspec.id:
        pytest.skip("a thread cannot die alone")
    assert sorted(engine.map(DiesOnce(tmp_path), range(30))) == [(n, n) for n in range(30)]


class DiesWithTheIdle:
    """Item 3 ends its worker, the first time, and the other one, which waits for work."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, number: int) -> int:
        if number == 2:  # its worker has nothing after it
            (self.folder / f"{os.getpid()}").touch()
        if number == 3 and not (self.folder / "dead").exists():
            while not (others := list(self.folder.iterdir())):
                time.sleep(0.02)
            time.sleep(0.5)  # its result is there
            (self.folder / "dead").touch()
            os.kill(int(others[0].name), signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)
        return number


def test_a_worker_that_has_not_begun_an_item_does_not_count(
    engine: Engine, request: pytest.FixtureRequest, tmp_path: Path
):
    if "threads" in request.node.callspec.id:
        pytest.skip("a thread cannot die alone")
    results = engine.map(DiesWithTheIdle(tmp_path), [3, 0, 1, 2])
    assert sorted(results) == [(number, number) for number in range(4)]


def die_always(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_every_item_has_its_verdict_where_all_die(engine: Engine, request: pytest.FixtureRequest):
    if "threads" in request.node.callspec.id:
        pytest.skip("a thread cannot die alone")
    results = dict(engine.map(die_always, range(5)))
    assert sorted(results) == list(range(5))
    assert all(isinstance(result, WorkerDiedError) for result in results.values())


def start_a_program(folder: Path, number: int) -> int:
    if number == 0:
        return number
    program = subprocess.Popen(["sleep", "600"])
    (folder / f"{program.pid}").touch()
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return program.wait()


def count_programs(folder: Path) -> tuple[int, int]:
    """How many programs were started, and how many of them run."""
    states = [Path(f"/proc/{path.name}/stat") for path in folder.iterdir()]
    return len(states), sum(
        path.exists() and "(sleep) Z" not in path.read_text() for path in states
    )


def wait_for_programs(folder: Path, started: int, running: int) -> None:
    deadline = time.monotonic() + 60
    while (found := count_programs(folder)) != (started, running):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def test_a_workers_programs_end_with_it(
    engine: Engine, request: pytest.FixtureRequest, tmp_path: Path
):
    if "processes" not in request.node.callspec.id:
        pytest.skip("threads share the run's programs, and Ray ends its own")
    function = partial(start_a_program, tmp_path)
    assert isinstance(dict(engine.map(function, [1]))[1], WorkerDiedError)
    wait_for_programs(tmp_path, 2, 0)
    results = engine.map(function, iter([0, 2]))  # of unknown length: one is sent ahead
    assert next(results) == (0, 0)
    wait_for_programs(tmp_path, 3, 1)
    results.close()  # type: ignore[attr-defined]
    wait_for_programs(tmp_path, 3, 0)


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
