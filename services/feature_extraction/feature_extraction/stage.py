"""Feature extraction: every clip of the newest data set version, packed in shards."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from feature_extraction.media import check_pictures
from feature_extraction.shard import Shard, ShardMaker, plan_shards
from s2s.dataset import latest_version, read_version
from s2s.errors import SettingsError
from s2s.features.stored import clip_identity, find_clips
from s2s.layout import extractors_key, features_prefix
from s2s.manifest import read_failures
from s2s.reasons import Reason
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.stage import StageReport, Work, fan_out, finish, left_alone, shared_bucket
from s2s.storage import Bucket
from s2s.tasks.loading import load_task
from s2s.tasks.values import EXTRACTOR_WEIGHTS_FILE
from s2s.workspace import workspace

__all__ = ["run"]

STAGE = "feature_extraction"


def run(settings: Settings) -> StageReport:
    """Extract the features of the newest data set version to `features/`.

    Clips whose features are there, whichever version they were made for, are left alone. A clip
    that cannot be used is left out of its shard and its failure is stored beside it; a shard that
    is there is never written again.

    Raises:
        VersionError: if there is no data set version, or it is damaged.
        ModelError: if weights of an extractor are not there, or what is stored is no shard.
        BucketUnavailableError: if the bucket does not answer or is full.
        SettingsError: if there is no folder of the recipe's `feature_extraction.jpegs`, or no clip
            has pictures in it.
        StageError: if this machine's disk or its GPU's memory is full.
    """
    started = time.monotonic()
    bucket, recipe = shared_bucket(settings.bucket_url), settings.recipe
    bucket.check()
    bucket.prepare()
    jpegs = _jpegs_folder(settings)
    version = read_version(bucket, recipe, latest_version(bucket, recipe))
    prefix = features_prefix(recipe, version.name)
    stored, failures = find_clips(bucket, recipe), read_failures(bucket, prefix)
    clips = {clip.clip_id: clip for split in version.clips.values() for clip in split}
    done = {name for name, clip in clips.items() if (name, clip_identity(clip)) in stored}
    outcomes = left_alone(settings, clips, done, failures)
    pending = {
        split: [clip for clip in rows if clip.clip_id not in outcomes]
        for split, rows in version.clips.items()
    }
    if jpegs is not None and any(pending.values()):
        check_pictures(jpegs, version.name, clips.values())
    shards = plan_shards(pending, recipe.feature_extraction.clips_per_shard)
    # Which clips are tried again is decided; shards have no failures of those reasons.
    all_shards = settings.model_copy(update={"retry_reasons": None})
    with workspace(settings.work_dir / "tmp" / STAGE) as folder:
        if shards and recipe.feature_extraction.needs_weights:
            _keep_weights(settings, bucket, folder / EXTRACTOR_WEIGHTS_FILE)
        maker = ShardMaker(settings, version.name, folder, frozenset(failures))
        by_shard = _make(all_shards, prefix, shards, maker)
    outcomes |= _by_clip(shards, by_shard, read_failures(bucket, prefix))
    outputs = {"version": version.name, "prefix": prefix, "shards": len(shards)}
    return finish(settings, STAGE, [outcomes[name] for name in clips], started, outputs)


def _make(
    settings: Settings, prefix: str, shards: Mapping[str, Shard], maker: ShardMaker
) -> dict[str, Outcome]:
    """Make shards; where a worker died of one, its clips are tried one by one.

    So a clip that takes more memory than there is, or ends the process, costs itself alone. Where
    all clips of a shard do, others are not tried: what is short is short for any.
    """
    uses_gpu = settings.recipe.feature_extraction.needs_weights
    work = Work(STAGE, prefix, shards, frozenset(), maker, uses_gpu=uses_gpu, unit="shard")
    by_shard = fan_out(settings, work)
    for name in [name for name, each in by_shard.items() if each.reason is Reason.CRASHED]:
        clips = {clip.clip_id: clip for clip in shards[name].clips}
        tried = fan_out(settings, replace(work, items=clips, function=maker.try_clip, unit="clip"))
        lost = {name for name, each in tried.items() if each.reason is Reason.CRASHED}
        rest = replace(work, items={name: shards[name]}, function=maker.without(lost))
        by_shard |= fan_out(settings, rest)
        if lost == clips.keys():
            break
    return by_shard


def _jpegs_folder(settings: Settings) -> Path | None:
    """The folder that pictures are read from; None where they are the clips'."""
    named = settings.recipe.feature_extraction.jpegs
    if not named:
        return None
    folder = settings.recipe_path.parent / named
    if not folder.is_dir():
        raise SettingsError(
            f"feature_extraction.jpegs: there is no folder {folder}: write it with "
            "'./s2s export RECIPE FOLDER --jpegs', or leave the setting out to read the clips"
        )
    return folder


def _keep_weights(settings: Settings, bucket: Bucket, path: Path) -> None:
    """Have the extractors' weights in the bucket, where models of these features take them from."""
    recipe, key = settings.recipe, extractors_key(settings.recipe)
    path.parent.mkdir(parents=True, exist_ok=True)
    if bucket.exists(key):
        bucket.fetch(key, path)
        return
    load_task(recipe.task).fetch_weights(recipe, path, settings.recipe_path.parent, bucket)
    bucket.upload(path, key)


def _by_clip(
    shards: Mapping[str, Shard],
    by_shard: Mapping[str, Outcome],
    failures: Mapping[str, Outcome],
) -> dict[str, Outcome]:
    """Each clip's outcome is its own failure, or what became of its shard."""
    return {
        clip.clip_id: failures.get(clip.clip_id)
        or by_shard[name].model_copy(update={"clip_id": clip.clip_id})
        for name, shard in shards.items()
        for clip in shard.clips
    }
