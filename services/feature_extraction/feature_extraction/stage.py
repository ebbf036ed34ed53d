"""Feature extraction: every clip of the newest data set version, packed in shards."""

import time
from collections.abc import Mapping

from feature_extraction.shard import Shard, ShardTask, plan_shards
from s2s.dataset import latest_version, read_version
from s2s.layout import features_prefix
from s2s.manifest import read_failures
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.stage import StageReport, Work, fan_out, finish, shared_bucket
from s2s.storage import Bucket
from s2s.workspace import workspace

__all__ = ["run"]

STAGE = "feature_extraction"


def run(settings: Settings) -> StageReport:
    """Extract the features of the newest data set version to `features/`.

    A clip that cannot be used is left out of its shard and its failure is stored beside it; a
    shard that is there is never written again.

    Raises:
        VersionError: if there is no data set version, or it is damaged.
        BucketUnavailableError: if the bucket does not answer or is full.
        StageError: if this machine's disk is full.
    """
    started = time.monotonic()
    bucket = shared_bucket(settings.bucket_url)
    bucket.check()
    version = read_version(bucket, settings.recipe, latest_version(bucket, settings.recipe))
    prefix = features_prefix(settings.recipe, version.name)
    shards = plan_shards(version, settings.recipe.feature_extraction.clips_per_shard)
    with workspace(settings.work_dir / "tmp" / STAGE) as folder:
        work = Work(
            stage=STAGE,
            prefix=prefix,
            items=shards,
            done=_done(bucket, prefix),
            task=ShardTask(settings, version.name, folder),
        )
        by_shard = fan_out(settings, work)
    outcomes = _by_clip(shards, by_shard, read_failures(bucket, prefix))
    outputs = {"version": version.name, "prefix": prefix, "shards": len(shards)}
    return finish(settings, STAGE, outcomes, started, outputs)


def _done(bucket: Bucket, prefix: str) -> set[str]:
    return {
        key.removeprefix(prefix).removesuffix(".safetensors")
        for key in bucket.keys(prefix)
        if key.endswith(".safetensors")
    }


def _by_clip(
    shards: Mapping[str, Shard],
    by_shard: Mapping[str, Outcome],
    failures: Mapping[str, Outcome],
) -> list[Outcome]:
    """Each clip's outcome is its own failure, or what became of its shard."""
    return [
        failures.get(clip.clip_id) or by_shard[name].model_copy(update={"clip_id": clip.clip_id})
        for name, shard in shards.items()
        for clip in shard.clips
    ]
