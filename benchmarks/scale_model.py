"""How long, how much and how large a data set is with 1, 16 or 256 workers: a simulation.

    pip install simpy
    python benchmarks/scale_model.py            # the tables of docs/scale.md
    python benchmarks/scale_model.py --seed 1   # the same with other chance

Clips go through collection, preprocessing, validation and feature extraction, in batches, as soon
as a worker is free. What stands in their way are costs measured here (benchmarks/README.md), and
limits that others have published.
"""

import argparse
import random
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any

import simpy

HOUR_S = 3600.0
Steps = Generator[Any, Any, None]


@dataclass(frozen=True)
class DataSet:
    """A catalog.

    Attributes:
        name: as it is published.
        sources: videos.
        clips: of those videos.
        dead: share of the videos that are gone.
        clip_s: length of a clip.
    """

    name: str
    sources: int
    clips: int
    dead: float
    clip_s: float = 10.0


DATA_SETS = (
    DataSet("VGGSound", 200_000, 200_000, 0.2),
    DataSet("AVSpeech", 290_000, 2_600_000, 0.2, 7.0),
    DataSet("Kinetics-700", 650_000, 650_000, 0.2),
)


@dataclass(frozen=True)
class Limits:
    """What a clip costs and what is allowed.

    Attributes:
        cut_cpu_s: CPU of one clip in preprocessing: 10 s of 720p to 256 px.
        check_cpu_s: in validation.
        feature_cpu_s: in feature extraction without networks: sound, motion and colours.
        per_hour: videos that YouTube gives one session (address) in an hour.
        sessions_per_worker: addresses of a worker.
        writes_per_s: objects that a bucket takes in a second under one prefix, at first.
        doubles_s: after so long at that rate, a prefix takes twice as much.
        source_mb: a section of a source; kept for a month.
        clip_mb: a clip with its sound.
        feature_mb: its features.
        cpu_hour: dollars.
        gb_month: dollars.
        write_1000: dollars.
    """

    cut_cpu_s: float = 2.3
    check_cpu_s: float = 0.137
    feature_cpu_s: float = 0.241
    per_hour: float = 300.0
    sessions_per_worker: int = 1
    writes_per_s: float = 1000.0
    doubles_s: float = 1200.0
    source_mb: float = 2.5
    clip_mb: float = 0.6
    feature_mb: float = 0.4
    cpu_hour: float = 0.05
    gb_month: float = 0.02
    write_1000: float = 0.005


@dataclass
class Result:
    """What came of a simulation; times in seconds, by stage the time at which it had done all."""

    clips: int = 0
    failed: int = 0
    objects: int = 0
    cpu_s: float = 0.0
    wait_s: float = 0.0
    ends: dict[str, float] = field(default_factory=dict)

    @property
    def wall_s(self) -> float:
        """When the last stage had done all."""
        return max(self.ends.values(), default=0.0)


class Pipeline:
    """One data set on its way.

    Args:
        data: the catalog.
        workers: processes of one core each, each with an address of its own.
        limits: costs and limits.
        seed: of chance: which sources are dead.
        batch: sources that go through together; the smaller, the finer and slower.
        barriers: a stage begins when the one before has done all, as with `./s2s run`.
    """

    def __init__(
        self,
        data: DataSet,
        workers: int,
        limits: Limits,
        seed: int = 0,
        batch: int = 100,
        *,
        barriers: bool = False,
    ) -> None:
        self.data, self.limits, self.batch, self.barriers = data, limits, batch, barriers
        self.chance = random.Random(seed)
        self.world = simpy.Environment()
        self.sessions = simpy.Resource(self.world, workers * limits.sessions_per_worker)
        self.cores = simpy.Resource(self.world, workers)
        self.bucket = simpy.Resource(self.world, 1)
        self.result = Result()

    def run(self) -> Result:
        """Let all sources go through."""
        batches = []
        for start in range(0, self.data.sources, self.batch):
            sources = min(self.batch, self.data.sources - start)
            alive = sum(self.chance.random() >= self.data.dead for _ in range(sources))
            clips = round(alive * self.data.clips / self.data.sources)
            batches.append([self._collect(sources, alive), *self._compute(clips)])
        if self.barriers:
            for steps in zip(*batches, strict=True):
                for step in steps:
                    self.world.process(step)
                self.world.run()
        else:
            for steps in batches:
                self.world.process(_in_turn(steps))
            self.world.run()
        return self.result

    def _collect(self, sources: int, alive: int) -> Steps:
        with self.sessions.request() as session:
            yield session
            # One that is dead costs the session a request as well.
            yield self.world.timeout(sources / self.limits.per_hour * HOUR_S)
        self.result.failed += sources - alive
        yield from self._write(sources)  # a source, or the reason why there is none
        self._done("collection")

    def _compute(self, clips: int) -> list[Steps]:
        self.result.clips += clips
        limits = self.limits
        return [
            self._stage(
                "preprocessing", limits.cut_cpu_s * self.data.clip_s / 10, clips, 2 * clips
            ),
            self._stage("validation", limits.check_cpu_s, clips, clips),
            self._stage("feature_extraction", limits.feature_cpu_s, clips, clips // 500 + 1),
        ]

    def _stage(self, stage: str, cpu_s: float, clips: int, objects: int) -> Steps:
        with self.cores.request() as core:
            yield core
            yield self.world.timeout(cpu_s * clips)
        self.result.cpu_s += cpu_s * clips
        yield from self._write(objects)
        self._done(stage)

    def _write(self, objects: int) -> Steps:
        with self.bucket.request() as turn:
            asked = self.world.now
            yield turn
            self.result.wait_s += self.world.now - asked
            doublings = min(10, int(self.world.now / self.limits.doubles_s))
            yield self.world.timeout(objects / (self.limits.writes_per_s * 2**doublings))
        self.result.objects += objects

    def _done(self, stage: str) -> None:
        self.result.ends[stage] = self.world.now


def _in_turn(steps: list[Steps]) -> Steps:
    for step in steps:
        yield from step


def dollars(data: DataSet, limits: Limits, result: Result) -> tuple[float, float, float]:
    """Of computing and writing, of a month's storage, and how many GB that is."""
    sources = data.sources - result.failed
    gb = (sources * limits.source_mb + result.clips * (limits.clip_mb + limits.feature_mb)) / 1000
    once = result.cpu_s / HOUR_S * limits.cpu_hour + result.objects / 1000 * limits.write_1000
    return once, gb * limits.gb_month, gb


def span(seconds: float) -> str:
    """Hours below two days, days above."""
    hours = seconds / HOUR_S
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} d"


def main() -> None:
    """Print the table of all data sets and numbers of workers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sessions", type=int, default=1, help="addresses of a worker")
    options = parser.parse_args()
    print("| data set | workers | all | without collection | objects | GB | once, $ | a month, $ |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for data in DATA_SETS:
        for workers in (1, 16, 256):
            limits = Limits(sessions_per_worker=options.sessions)
            result = Pipeline(data, workers, limits, options.seed).run()
            there = replace(limits, per_hour=1e9)  # the sources are in the bucket already
            computing = Pipeline(data, workers, there, options.seed).run()
            once, monthly, gb = dollars(data, limits, result)
            print(
                f"| {data.name} | {workers} | {span(result.wall_s)} | {span(computing.wall_s)} | "
                f"{result.objects / 1e6:.2f} M | {gb:,.0f} | {once:,.0f} | {monthly:,.0f} |"
            )


if __name__ == "__main__":
    main()
