"""Every stage on a cluster, a node of which is killed in mid-run: the same as on one machine."""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import ray_deaths
from cut_clips import make_clip, make_recipe
from faulty_site import FaultySite
from ray_clusters import add_node, raylet_of, running_cluster

from s2s.dataset import read_version
from s2s.layout import checks_prefix, features_prefix, manifest_key, processed_prefix, raw_prefix
from s2s.manifest import read_failures, read_manifest
from s2s.media import run_ffmpeg
from s2s.records import Outcome
from s2s.settings import Recipe, Settings
from s2s.storage import open_bucket

pytest.importorskip("ray", reason="Ray is not installed")

FUNCTIONS = {
    "collection": "DownloadSource",
    "preprocessing": "PassTask",
    "validation": "CheckTask",
    "feature_extraction": "ShardMaker",
}
DEADLY = {
    "collection": ray_deaths.DeadlyDownload,
    "preprocessing": ray_deaths.DeadlyPass,
    "validation": ray_deaths.DeadlyCheck,
    "feature_extraction": ray_deaths.DeadlyShard,
}
SOURCES = [f"{label}{number}" for label in ("low", "high") for number in range(4)]


def prefix_of(stage: str, recipe: Recipe) -> str:
    """Where a stage puts what it makes of single clips."""
    return {
        "collection": raw_prefix(),
        "preprocessing": processed_prefix(recipe),
        "validation": checks_prefix(recipe),
        "feature_extraction": features_prefix(recipe, "dataset_v1"),
    }[stage]


@dataclass
class Reference:
    """The stages' work on this machine alone.

    Attributes:
        settings: of the run.
        before: the bucket before each stage that has run, by its name.
        outcomes: of each such stage's clips.
    """

    settings: Settings
    before: dict[str, Path] = field(default_factory=dict)
    outcomes: dict[str, dict[str, Outcome]] = field(default_factory=dict)

    def run_until(self, last: str) -> None:
        """Run the stages, up to one, that have not run yet."""
        bucket = Path(self.settings.bucket_url.removeprefix("file://"))
        for stage in [*FUNCTIONS][: [*FUNCTIONS].index(last) + 1]:
            if stage not in self.before:
                self.before[stage] = bucket.with_name(stage)
                shutil.copytree(bucket, self.before[stage])
                import_module(f"{stage}.stage").run(self.settings)
                self.outcomes[stage] = outcomes_of(self.settings, stage)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultySite]:
    """Eight videos with sound, one that is none, and none of the source `gone`."""
    folder = tmp_path_factory.mktemp("site")
    for number, name in enumerate(SOURCES):
        video, sound = make_clip(folder, f"{name}-part", hue=40 * number, duration_s=4)
        both = ["-i", str(video), "-i", str(sound), "-map", "0:v", "-map", "1:a", "-c:v", "copy"]
        run_ffmpeg([*both, "-c:a", "aac", str(folder / f"{name}.mp4")], name)
    (folder / "broken.mp4").write_bytes(b"no video" * 1000)
    with FaultySite(folder).running() as site:
        yield site


@pytest.fixture(scope="module")
def reference(site: FaultySite, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    folder = tmp_path_factory.mktemp("reference")
    rows = [f"{name},0,{name[:-1]}" for name in SOURCES] + ["gone,0,low", "broken,0,low"]
    (folder / "c.csv").write_text("\n".join(rows) + "\n")
    site_settings = {"source_url": site.url, "fetch": "whole", "sessions": 2, "workers": 1}
    settings = Settings(
        recipe=make_recipe(
            collection={"catalog": "c.csv", **site_settings},
            preprocessing={"short_side_px": 48, "preset": "ultrafast"},
            feature_extraction={"clips_per_shard": 1},
        ),
        recipe_path=folder / "tiny.yaml",
        bucket_url=f"file://{folder / 'bucket'}",
        work_dir=folder / "work",
    )
    (folder / "bucket").mkdir()
    return Reference(settings)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head with one core."""
    with running_cluster(num_cpus=1) as cluster:
        yield cluster


def outcomes_of(settings: Settings, stage: str) -> dict[str, Outcome]:
    """What became of each clip, but for the time that it took."""
    rows = list(
        read_manifest(open_bucket(settings.bucket_url), manifest_key(settings.recipe, stage))
    )
    assert Counter(row.clip_id for row in rows).most_common(1)[0][1] == 1
    return {row.clip_id: row.model_copy(update={"seconds": 0.0}) for row in rows}


def made_by(settings: Settings, stage: str) -> dict[str, str]:
    """Checksums of what a stage made of single clips."""
    bucket, prefix = open_bucket(settings.bucket_url), prefix_of(stage, settings.recipe)
    keys = [key for key in bucket.keys(prefix) if "/_failed/" not in key]
    return {key: bucket.stat(key).crc32c for key in keys}


@pytest.mark.parametrize("stage", FUNCTIONS)
@pytest.mark.timeout(900)
def test_a_node_that_is_killed_in_mid_run(
    stage: str,
    reference: Reference,
    cluster: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    """Nothing is lost, and nothing is there twice: outcomes and objects are those of one machine.

    The node dies with an item that is stored, and that it has not told of.
    """
    reference.run_until(stage)
    shutil.copytree(reference.before[stage], tmp_path / "bucket")
    there = {"bucket_url": f"file://{tmp_path / 'bucket'}", "work_dir": tmp_path / "work"}
    settings = reference.settings.model_copy(update={**there, "engine": "ray"})
    doomed = add_node(cluster, num_cpus=1)
    ray_deaths.doom(settings, raylet_of(doomed))
    found = import_module(f"{stage}.stage")
    monkeypatch.setattr(found, FUNCTIONS[stage], DEADLY[stage])
    found.run(settings)
    assert ray_deaths.has_ended(settings)
    cluster.remove_node(doomed)
    assert outcomes_of(settings, stage) == reference.outcomes[stage]
    made = made_by(settings, stage)
    assert made
    assert made == made_by(reference.settings, stage)
    buckets = [open_bucket(one.bucket_url) for one in (settings, reference.settings)]
    lost, expected = (
        set(read_failures(bucket, prefix_of(stage, settings.recipe))) for bucket in buckets
    )
    assert lost == expected
    if stage == "validation":
        clips, same = (
            read_version(bucket, settings.recipe, "dataset_v1").clips for bucket in buckets
        )
        assert clips == same
