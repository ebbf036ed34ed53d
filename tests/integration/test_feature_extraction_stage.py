"""Feature extraction on a small data set version in a real bucket."""

import numpy as np
import pytest
from dataset_fixtures import MakeSettings, MakeVersion

from feature_extraction.stage import run
from s2s.errors import ModelError, VersionError
from s2s.features.shards import ShardReader
from s2s.layout import failure_key, features_prefix, manifest_key
from s2s.manifest import read_manifest
from s2s.settings import Settings
from s2s.storage import open_bucket

TWO_A_SHARD = {"feature_extraction": {"clips_per_shard": 2}}


def read_shard(settings: Settings, name: str) -> ShardReader:
    path = settings.work_dir / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    key = f"{features_prefix(settings.recipe, 'dataset_v1')}{name}.safetensors"
    open_bucket(settings.bucket_url).download(key, path)
    return ShardReader(path)


def test_every_clip_is_in_a_shard_of_its_split(
    make_settings_of: MakeSettings, make_version: MakeVersion
):
    settings = make_settings_of(**TWO_A_SHARD)
    version = make_version(settings, {"train": (2.0, 1.0, 2.0), "test": (2.0,)})
    report = run(settings)
    assert report.counts == {"ok": 4}
    assert report.outputs["shards"] == 3
    first, second = read_shard(settings, "train-00000"), read_shard(settings, "train-00001")
    names = [clip.clip_id for clip in version.split("train")]
    assert [*first.header.clip_ids, *second.header.clip_ids] == names
    assert first.length(names[0], "mel") == 200
    assert first.length(names[1], "mel") == 100
    assert first.length(names[1], "motion") == 25
    assert first.check(settings.recipe, "dataset_v1") is first


def test_sound_and_picture_are_on_one_grid(
    make_settings_of: MakeSettings, make_version: MakeVersion
):
    settings = make_settings_of()
    version = make_version(settings, {"train": (2.0,)})
    run(settings)
    shard, clip_id = read_shard(settings, "train-00000"), version.split("train")[0].clip_id
    motion = shard.read(clip_id, "motion")[:, :128].sum(1)
    mel = shard.read(clip_id, "mel").mean(1).reshape(-1, 4)
    jumps = np.flatnonzero(motion > motion.max() / 4)
    louder = np.diff(mel.mean(1), prepend=mel[0].mean())
    clicks = np.flatnonzero(louder > louder.max() / 3)
    assert len(jumps) >= 3
    assert all(abs(clicks - jump).min() <= 1 for jump in jumps)


def test_a_second_run_writes_nothing(make_settings_of: MakeSettings, make_version: MakeVersion):
    settings = make_settings_of(**TWO_A_SHARD)
    make_version(settings, {"train": (1.0, 1.0, 1.0)})
    run(settings)
    bucket = open_bucket(settings.bucket_url)
    lost = f"{features_prefix(settings.recipe, 'dataset_v1')}train-00001.safetensors"
    bucket.delete(lost)
    report = run(settings)
    assert report.counts == {"ok": 1, "skipped:already_done": 2}
    again = run(settings)
    assert again.counts == {"skipped:already_done": 3}
    assert again.bytes_written == 0


def test_a_clip_that_was_changed_is_left_out(
    make_settings_of: MakeSettings, make_version: MakeVersion
):
    settings = make_settings_of()
    version = make_version(settings, {"train": (1.0, 1.0)})
    bad, good = version.split("train")
    bucket = open_bucket(settings.bucket_url)
    bucket.write(bad.wav_key, bucket.read(good.wav_key), overwrite=True)
    report = run(settings)
    assert report.counts == {"failed:corrupt": 1, "ok": 1}
    assert read_shard(settings, "train-00000").header.clip_ids == (good.clip_id,)
    prefix = features_prefix(settings.recipe, "dataset_v1")
    assert bad.wav_key in bucket.read(failure_key(prefix, bad.clip_id)).decode()
    rows = read_manifest(bucket, manifest_key(settings.recipe, "feature_extraction"))
    assert {row.clip_id: row.status.value for row in rows} == {
        bad.clip_id: "failed",
        good.clip_id: "ok",
    }
    assert run(settings).counts == {"failed:corrupt": 1, "skipped:already_done": 1}


def test_without_a_version_the_stage_before_is_named(make_settings_of: MakeSettings):
    with pytest.raises(VersionError, match="validation"):
        run(make_settings_of())


def test_features_of_another_recipe_are_refused(
    make_settings_of: MakeSettings, make_version: MakeVersion
):
    settings = make_settings_of()
    make_version(settings, {"train": (1.0,)})
    run(settings)
    shard = read_shard(settings, "train-00000")
    other = make_settings_of(feature_extraction={"motion_grid": 4}).recipe
    with pytest.raises(ModelError, match=r"motion_grid=8.*run feature_extraction again"):
        shard.check(other, "dataset_v1")
    with pytest.raises(ModelError, match="dataset_v2"):
        shard.check(settings.recipe, "dataset_v2")
