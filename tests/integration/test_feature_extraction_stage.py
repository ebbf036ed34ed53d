"""Feature extraction on a small data set version in a real bucket."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dataset_fixtures import MakeSettings, MakeVersion, store_clip

from feature_extraction.stage import run
from s2s.dataset import DatasetClip, DatasetVersion, write_version
from s2s.errors import ModelError, VersionError
from s2s.features.shards import ShardReader
from s2s.features.stored import clip_identity, fetch_clips, find_clips
from s2s.layout import failure_key, features_prefix, manifest_key
from s2s.logs import console
from s2s.manifest import read_manifest
from s2s.settings import Settings
from s2s.storage import open_bucket
from s2s.tasks.generation.data import condition_of, frames_of, mel_of

TWO_A_SHARD = {"feature_extraction": {"clips_per_shard": 2}}


def shard_keys(settings: Settings, version: str = "dataset_v1") -> list[str]:
    keys = open_bucket(settings.bucket_url).keys(features_prefix(settings.recipe, version))
    return [key for key in keys if key.endswith(".safetensors")]


def read_shard(settings: Settings, clip_id: str) -> ShardReader:
    """The shard that holds a clip."""
    bucket = open_bucket(settings.bucket_url)
    (key,) = {
        key for (name, _), key in find_clips(bucket, settings.recipe).items() if name == clip_id
    }
    path = settings.work_dir / Path(key).name
    path.parent.mkdir(parents=True, exist_ok=True)
    bucket.download(key, path)
    return ShardReader(path)


def test_every_clip_is_in_a_shard_of_its_split(
    make_settings_of: MakeSettings, make_version: MakeVersion
):
    settings = make_settings_of(**TWO_A_SHARD)
    version = make_version(settings, {"train": (2.0, 1.0, 2.0), "test": (2.0,)})
    report = run(settings)
    assert report.counts == {"ok": 4}
    assert report.outputs["shards"] == 3
    names = [clip.clip_id for clip in version.split("train")]
    first, second = read_shard(settings, names[0]), read_shard(settings, names[2])
    assert [*first.header.clips, *second.header.clips] == names
    assert first.length(names[0], "mel") == 200
    assert first.length(names[1], "mel") == 100
    assert first.length(names[1], "motion") == first.length(names[1], "appearance") == 25
    assert first.check(settings.recipe) is first


def test_what_is_counted_is_told(make_settings_of: MakeSettings, make_version: MakeVersion):
    settings = make_settings_of(**TWO_A_SHARD)
    make_version(settings, {"train": (1.0, 1.0, 1.0)})
    with console.capture() as captured:
        run(settings)
    said = " ".join(captured.get().split())
    assert "feature_extraction: 2 shards worked on" in said
    assert "2/2 shards" in said


def test_sound_and_picture_are_on_one_grid(
    make_settings_of: MakeSettings, make_version: MakeVersion
):
    settings = make_settings_of()
    version = make_version(settings, {"train": (2.0,)})
    run(settings)
    clip_id = version.split("train")[0].clip_id
    shard = read_shard(settings, clip_id)
    motion = shard.read(clip_id, "motion").sum(1)
    mel = shard.read(clip_id, "mel").mean(1).reshape(-1, 4)
    jumps = np.flatnonzero(motion > motion.max() / 4)
    louder = np.diff(mel.mean(1), prepend=mel[0].mean())
    clicks = np.flatnonzero(louder > louder.max() / 3)
    assert len(jumps) >= 3
    assert all(abs(clicks - jump).min() <= 1 for jump in jumps)


def test_a_second_run_writes_nothing(make_settings_of: MakeSettings, make_version: MakeVersion):
    settings = make_settings_of(**TWO_A_SHARD)
    version = make_version(settings, {"train": (1.0, 1.0, 1.0)})
    run(settings)
    bucket = open_bucket(settings.bucket_url)
    key = read_shard(settings, version.split("train")[2].clip_id).path.name
    bucket.delete(f"{features_prefix(settings.recipe, 'dataset_v1')}{key}")
    report = run(settings)
    assert report.counts == {"ok": 1, "skipped:already_done": 2}
    again = run(settings)
    assert again.counts == {"skipped:already_done": 3}
    assert again.bytes_written == 0


@pytest.mark.parametrize("fault", ["other bytes", "cut off"])
def test_a_damaged_shard_is_told_by_its_key_and_made_again_when_it_is_deleted(
    make_settings_of: MakeSettings, make_version: MakeVersion, tmp_path: Path, fault: str
):
    settings = make_settings_of()
    version = make_version(settings, {"train": (1.0,)})
    run(settings)
    bucket, recipe, place = open_bucket(settings.bucket_url), settings.recipe, tmp_path / "shards"
    (key,) = shard_keys(settings)
    whole = bucket.read(key)
    middle = len(whole) // 2
    damaged = whole[:middle] + bytes(99) + whole[middle + 99 :]
    bucket.write(key, damaged if fault == "other bytes" else whole[:-9], overwrite=True)
    for _ in range(2):  # the copy that is there now is no better
        with pytest.raises(ModelError) as told:
            fetch_clips(bucket, recipe, version, place)
        assert f"{bucket.url}/{key}: " in str(told.value)
        assert "delete" in str(told.value)
    bucket.delete(key)
    assert run(settings).counts == {"ok": 1}
    assert bucket.read(key) == whole
    assert [clip.clip_id for clip in fetch_clips(bucket, recipe, version, place)["train"]] == [
        clip.clip_id for clip in version.split("train")
    ]


def next_version(settings: Settings, *clips: DatasetClip) -> DatasetVersion:
    version = DatasetVersion("dataset_v2", {"train": clips})
    write_version(open_bucket(settings.bucket_url), settings.recipe, version)
    return version


def test_the_next_version_extracts_only_what_is_new(
    make_settings_of: MakeSettings, make_version: MakeVersion, tmp_path: Path
):
    settings = make_settings_of()
    kept, gone = make_version(settings, {"train": (1.0, 1.0)}).split("train")
    run(settings)
    before = shard_keys(settings)
    bucket = open_bucket(settings.bucket_url)
    added = store_clip(bucket, tmp_path, seed=7, split="train", seconds=1.0, label="high")
    changed = replace(gone, wav_crc32c=kept.wav_crc32c, wav_key=kept.wav_key)
    version = next_version(settings, kept, changed, added)

    assert run(settings).counts == {"ok": 2, "skipped:already_done": 1}
    assert shard_keys(settings) == before
    (key,) = shard_keys(settings, "dataset_v2")
    found = find_clips(bucket, settings.recipe)
    assert [found[clip.clip_id, clip_identity(clip)] for clip in version.split("train")] == [
        *before,
        key,
        key,
    ]
    clips = fetch_clips(bucket, settings.recipe, version, tmp_path)["train"]
    assert [frames_of(clip) for clip in clips] == [25, 25, 25]
    # The clip whose sound was changed has its new one.
    np.testing.assert_array_equal(mel_of(clips[0]), mel_of(clips[1]))
    assert not np.array_equal(condition_of(clips[0]), condition_of(clips[1]))
    assert run(settings).counts == {"skipped:already_done": 3}


def test_a_clip_that_is_whole_again_is_tried_when_that_is_asked_for(
    make_settings_of: MakeSettings, make_version: MakeVersion
):
    settings = make_settings_of()
    (clip,) = make_version(settings, {"train": (1.0,)}).split("train")
    bucket = open_bucket(settings.bucket_url)
    whole = bucket.read(clip.wav_key)
    bucket.write(clip.wav_key, b"half", overwrite=True)
    assert run(settings).counts == {"failed:corrupt": 1}
    bucket.write(clip.wav_key, whole, overwrite=True)
    assert run(settings).counts == {"failed:corrupt": 1}
    assert run(settings.model_copy(update={"retry_failed": True})).counts == {"ok": 1}
    assert run(settings).counts == {"skipped:already_done": 1}


def test_what_is_no_shard_is_told(make_settings_of: MakeSettings, make_version: MakeVersion):
    settings = make_settings_of()
    make_version(settings, {"train": (1.0,)})
    key = f"{features_prefix(settings.recipe, 'dataset_v1')}odd.safetensors"
    open_bucket(settings.bucket_url).write(key, b"not a shard")
    with pytest.raises(ModelError, match=r"odd\.safetensors is not a feature shard.*delete it"):
        run(settings)


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
    assert list(read_shard(settings, good.clip_id).header.clips) == [good.clip_id]
    prefix = features_prefix(settings.recipe, "dataset_v1")
    assert bad.wav_key in bucket.read(failure_key(prefix, bad.clip_id)).decode()
    rows = read_manifest(bucket, manifest_key(settings.recipe, "feature_extraction"))
    assert {row.clip_id: row.status.value for row in rows} == {
        bad.clip_id: "failed",
        good.clip_id: "ok",
    }
    assert run(settings).counts == {"failed:corrupt": 1, "skipped:already_done": 1}


def test_without_a_version_the_stage_before_is_named(make_settings_of: MakeSettings):
    settings = make_settings_of()
    open_bucket(settings.bucket_url).prepare()
    with pytest.raises(VersionError, match="validation"):
        run(settings)


def test_features_of_another_recipe_are_refused(
    make_settings_of: MakeSettings, make_version: MakeVersion
):
    settings = make_settings_of()
    version = make_version(settings, {"train": (1.0,)})
    run(settings)
    shard = read_shard(settings, version.split("train")[0].clip_id)
    other = make_settings_of(feature_extraction={"motion_grid": 4}).recipe
    with pytest.raises(ModelError, match=r"motion_grid 8, but 4.*run feature_extraction again"):
        shard.check(other)
