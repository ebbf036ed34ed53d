"""Ray beside processes: tasks of a second, tiny items, and Ray Data doing the same.

Both sides in one run, in turn, on this machine alone; Ray is started before the clock is.

    .venv/bin/python benchmarks/engine_ray.py [--tasks 20] [--tiny 20000] [--without-ray-data]
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("RAY_ADDRESS", "local")

import ray

from s2s.engine import Engine, make_engine

_ROUNDS = 3
_TASK_S = 1.0


def sleep(_: int) -> None:
    """A task that takes a second on any machine, however busy."""
    time.sleep(_TASK_S)


def tiny(number: int) -> int:
    """An item that takes no time."""
    return number + 1


def timed(work: Callable[[], object]) -> float:
    """Seconds on the clock."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


def mapped(engine: Engine, function: Callable[[int], object], number: int) -> float:
    """Seconds for so many items."""
    return timed(lambda: list(engine.map(function, range(number))))


def of_ray_data(number: int) -> float:
    """Seconds for so many tiny items, as a data set of rows."""
    rows = ray.data.from_items([{"number": one} for one in range(number)])
    return timed(
        lambda: rows.map_batches(
            lambda batch: {"n": batch["number"] + 1}, batch_size=1000
        ).take_all()
    )


def main() -> None:
    """Print seconds of both sides, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--tiny", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument("--without-ray-data", action="store_true")
    asked = parser.parse_args()
    local, joined = make_engine("local"), make_engine("ray")
    for engine in (local, joined):
        mapped(engine, tiny, 2)
    sides = {"local": local, "ray": joined}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(asked.rounds):
        for name, engine in sides.items():
            seconds[name].append(mapped(engine, sleep, asked.tasks))
    ours, theirs = (statistics.median(seconds[name]) for name in sides)
    workers = joined.room.workers
    print(f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores, {workers} workers each")
    print(
        f"{asked.tasks} tasks of {_TASK_S:.0f} s: local {ours:.2f} s, ray {theirs:.2f} s: ", end=""
    )
    print(f"{theirs / ours:.2f}× (nothing but work: {asked.tasks * _TASK_S / workers:.1f} s)")
    for name, engine in sides.items():
        taken = statistics.median(mapped(engine, tiny, asked.tiny) for _ in range(asked.rounds))
        print(f"{asked.tiny} tiny items, {name}: {taken:.2f} s, {asked.tiny / taken:.0f} a second")
    if not asked.without_ray_data:
        ray.shutdown()  # our workers are kept, and would leave it no core
        ray.init(address="local", include_dashboard=False, log_to_driver=False)
        taken = statistics.median(of_ray_data(asked.tiny) for _ in range(asked.rounds))
        print(
            f"{asked.tiny} tiny items, Ray Data: {taken:.2f} s, {asked.tiny / taken:.0f} a second"
        )


if __name__ == "__main__":
    main()
