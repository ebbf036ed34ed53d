"""A clip that the system ends a worker of, among the others of its shard."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from dataset_fixtures import MakeSettings, MakeVersion

import feature_extraction.stage
from feature_extraction.shard import ShardMaker
from s2s.manifest import read_failures
from s2s.storage import open_bucket


class DeadlyShard(ShardMaker):
    def _arrays(self, clip: Any, folder: Path, processor: Any) -> Any:
        if clip.source_id == "-source1":
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._arrays(clip, folder, processor)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_clip_that_a_worker_dies_of_costs_itself_alone(
    workers: int,
    make_settings_of: MakeSettings,
    make_version: MakeVersion,
    monkeypatch: pytest.MonkeyPatch,
):
    """The others of its shard are in it, and those of other shards as ever."""
    settings = make_settings_of(feature_extraction={"clips_per_shard": 3})
    settings = settings.model_copy(update={"workers": workers})
    make_version(settings, {"train": (1.0, 1.0, 1.0, 1.0)})
    monkeypatch.setattr(feature_extraction.stage, "ShardMaker", DeadlyShard)
    report = feature_extraction.stage.run(settings)
    assert report.counts == {"failed:crashed": 1, "ok": 3}
    [name] = read_failures(open_bucket(settings.bucket_url), str(report.outputs["prefix"]))
    assert name.startswith("-source1_")
    monkeypatch.undo()
    again = feature_extraction.stage.run(settings)
    assert again.counts == {"ok": 1, "skipped:already_done": 3}
