"""The simulation behind docs/scale.md, against what can be worked out without it."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("simpy", reason="simpy is not installed: run ./s2s once")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from scale_model import (  # pyright: ignore[reportMissingImports]
    DataSet,
    Limits,
    Pipeline,
)

SMALL = DataSet("small", sources=2000, clips=2000, dead=0.0)
FREE = Limits(per_hour=1e9, writes_per_s=1e9)


def test_one_worker_takes_the_sum_of_all_costs():
    result = Pipeline(SMALL, 1, FREE).run()
    assert result.clips == 2000
    assert result.cpu_s == pytest.approx(2000 * (2.3 + 0.137 + 0.241))
    assert result.wall_s == pytest.approx(result.cpu_s, rel=0.01)


def test_sixteen_workers_share_it():
    one, many = (Pipeline(SMALL, workers, FREE, batch=5).run() for workers in (1, 16))
    assert one.wall_s / many.wall_s == pytest.approx(16, rel=0.05)


def test_a_session_gets_so_many_videos_an_hour():
    result = Pipeline(SMALL, 1, Limits(per_hour=300)).run()
    assert result.ends["collection"] == pytest.approx(2000 / 300 * 3600, rel=0.01)


def test_a_bucket_takes_so_many_writes_a_second():
    free = Limits(per_hour=1e9, cut_cpu_s=0, check_cpu_s=0, feature_cpu_s=0)
    limits = replace(free, writes_per_s=10, doubles_s=1e9)
    result = Pipeline(SMALL, 256, limits).run()
    assert result.wall_s == pytest.approx(result.objects / 10, rel=0.01)


def test_dead_sources_are_counted_and_make_no_clips():
    result = Pipeline(DataSet("dead", 2000, 2000, 0.2), 16, FREE, seed=3).run()
    assert result.clips + result.failed == 2000
    assert 340 < result.failed < 460


def test_same_seed_same_result():
    data = DataSet("dead", 500, 500, 0.2)
    assert Pipeline(data, 4, Limits(), seed=1).run() == Pipeline(data, 4, Limits(), seed=1).run()


def test_stages_that_wait_for_each_other_take_their_sum():
    limits = replace(FREE, per_hour=1800)
    result = Pipeline(SMALL, 4, limits, batch=5, barriers=True).run()
    collected = 2000 / 1800 / 4 * 3600
    computed = 2000 * (2.3 + 0.137 + 0.241) / 4
    assert result.ends["collection"] == pytest.approx(collected, rel=0.01)
    assert result.wall_s == pytest.approx(collected + computed, rel=0.01)
    flowing = Pipeline(SMALL, 4, limits, batch=5).run()
    assert flowing.wall_s == pytest.approx(max(collected, computed), rel=0.05)
