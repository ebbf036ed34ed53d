"""Workers with a GPU, or a share of one, on a cluster that says it has two."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import ray_loads
from dataset_fixtures import MakeSettings, MakeVersion
from ray_clusters import running_cluster

import feature_extraction.stage
from s2s.engine import make_engine
from s2s.errors import SettingsError, StageError
from s2s.settings import Settings
from s2s.stage import preflight

ray = pytest.importorskip("ray", reason="Ray is not installed")

NETWORK = {"semantic": "timm/test_vit", "semantic_weights": "random"}


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[Any]:
    """One node with four cores and two GPUs; nothing looks whether there are any."""
    with running_cluster(num_cpus=4, num_gpus=2) as cluster:
        yield cluster


def share_of(folder: Path, n_workers: int, _: int) -> tuple[int, str, float]:
    """The worker, the GPUs that it sees, and its share; when so many workers have an item."""
    (folder / f"{os.getpid()}").touch()
    until_s = time.monotonic() + 300
    while len(list(folder.iterdir())) < n_workers:
        assert time.monotonic() < until_s, "there are not so many workers"
        time.sleep(0.05)
    share = ray.get_runtime_context().get_assigned_resources()["GPU"]
    return os.getpid(), os.environ["CUDA_VISIBLE_DEVICES"], share


@pytest.mark.parametrize(("gpus", "share", "n_workers"), [(0.5, 0.5, 4), (None, 1.0, 2)])
def test_each_worker_has_the_share_that_is_asked_for(
    gpus: float | None, share: float, n_workers: int, tmp_path: Path
):
    engine = make_engine("ray", gpus=gpus)
    assert engine.room.workers == n_workers
    results: set[Any] = {
        result for _, result in engine.map(partial(share_of, tmp_path, n_workers), range(8))
    }
    assert {found for *_, found in results} == {share}
    each = n_workers // 2
    assert Counter(gpu for _, gpu, _ in results) == {"0": each, "1": each}
    del engine
    ray.shutdown()  # its workers are kept, and have the GPUs


def on_ray(settings: Settings, gpus: float) -> Settings:
    return settings.model_copy(update={"engine": "ray", "workers": None, "gpus": gpus})


def test_a_worker_loads_its_networks_once(
    make_settings_of: MakeSettings, make_version: MakeVersion, monkeypatch: pytest.MonkeyPatch
):
    settings = on_ray(make_settings_of(feature_extraction={"clips_per_shard": 1, **NETWORK}), 1.0)
    make_version(settings, {"train": (1.0,) * 8})
    settings.work_dir.mkdir()
    monkeypatch.setattr(feature_extraction.stage, "ShardMaker", ray_loads.WatchedShard)
    assert feature_extraction.stage.run(settings).counts == {"ok": 8}
    loads = list(ray_loads.loads_of(settings))
    assert len(loads) == 8
    assert {load.n_loads for load in loads} == {1}
    assert {load.gpu for load in loads} <= {"0", "1"}
    assert len({load.worker for load in loads}) <= 2 < len(loads)
    ray.shutdown()


def test_before_work_it_is_told_what_there_is(
    make_settings_of: MakeSettings, capsys: pytest.CaptureFixture[str]
):
    settings = make_settings_of(feature_extraction=NETWORK)
    Path(settings.bucket_url.removeprefix("file://")).mkdir()
    preflight(on_ray(settings, 0.25), "feature_extraction")
    said = " ".join(capsys.readouterr().err.split())
    assert "has room for 4 workers with 0.25 GPU each" in said
    with pytest.raises(StageError, match=r"has what a worker is to have, 1 CPU and 3 GPU\. Choose"):
        preflight(on_ray(settings, 3), "feature_extraction")
    preflight(on_ray(settings, 3), "validation")  # has no use for one


def test_a_share_of_several_is_refused(make_settings_of: MakeSettings):
    settings = make_settings_of()
    with pytest.raises(ValueError, match=r"a share of one GPU, such as 0\.25, or a"):
        Settings.model_validate(settings.model_dump() | {"recipe": settings.recipe, "gpus": 1.5})
    with pytest.raises(SettingsError, match="3 GPU"):
        make_engine("ray", gpus=3)
