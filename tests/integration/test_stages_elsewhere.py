"""What a stage maps works on a machine that has nothing of the one that the run was started on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from classifiers import classification_settings
from cut_clips import make_clip, make_recipe, store_clip
from dataset_fixtures import settings_in, store_version
from faulty_site import FaultySite

from collection.download import DownloadOptions
from collection.fetch import Fetch
from collection.source import DownloadSource
from feature_extraction.shard import ShardMaker, plan_shards
from preprocessing.stage import PassTask
from s2s.catalog import StoredFile
from s2s.errors import StageError
from s2s.layout import raw_prefix
from s2s.reasons import Status
from s2s.records import ClipRecord
from s2s.settings import Recipe, Settings
from s2s.storage import open_bucket
from validation.checks.clip_checks import CheckTask

NAME = "bell0_00000000_00002000"
RECIPE = make_recipe(preprocessing={"short_side_px": 48})


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """The folder of a run that was started on another machine."""
    return tmp_path / "work" / "tmp" / "stage" / "tmp7f3a"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[FaultySite]:
    with FaultySite(tmp_path).running() as site:
        yield site


def settings_of(tmp_path: Path, recipe: Recipe = RECIPE) -> Settings:
    return Settings(
        recipe=recipe,
        recipe_path=tmp_path / "tiny.yaml",
        bucket_url=f"file://{tmp_path / 'bucket'}",
        work_dir=tmp_path / "work",
    )


def test_a_source_is_collected(tmp_path: Path, elsewhere: Path, site: FaultySite):
    make_clip(tmp_path, "bell0")
    collection: dict[str, object] = {"catalog": "c.csv", "source_url": site.url, "fetch": "whole"}
    settings = settings_of(tmp_path, make_recipe(collection=collection))
    download = DownloadSource(settings, elsewhere, DownloadOptions.of_run(settings))
    assert download(Fetch("bell0")).status is Status.OK


def test_a_pass_of_clips_is_cut(tmp_path: Path, elsewhere: Path):
    video, _ = make_clip(tmp_path, "bell0", duration_s=4)
    settings = settings_of(tmp_path)
    file = StoredFile("bell0", f"{raw_prefix()}bell0.mp4")
    open_bucket(settings.bucket_url).upload(video, file.key)
    clips = [ClipRecord(source_id="bell0", start_s=at_s, end_s=at_s + 2) for at_s in (0, 2)]
    outcomes = PassTask(settings, elsewhere)([(clip, file) for clip in clips])
    assert [getattr(outcome, "status", outcome) for outcome in outcomes] == [Status.OK] * 2


def test_a_clip_is_checked(tmp_path: Path, elsewhere: Path):
    settings = settings_of(tmp_path)
    bucket = open_bucket(settings.bucket_url)
    store_clip(bucket, RECIPE, NAME, *make_clip(tmp_path, NAME))
    assert CheckTask(settings, elsewhere)(NAME).status is Status.OK


@pytest.mark.parametrize("kind", ["shard", "clip"])
def test_features_are_extracted(kind: str, tmp_path: Path, elsewhere: Path):
    settings = settings_in(tmp_path)
    clips = store_version(tmp_path, settings, {"train": (2.0,)}).split("train")
    (shard,) = plan_shards({"train": clips}, 64).values()
    maker = ShardMaker(settings, "dataset_v1", elsewhere)
    outcome = maker(shard) if kind == "shard" else maker.try_clip(clips[0])
    assert outcome.status is Status.OK


def test_pictures_that_are_not_there_are_one_error(tmp_path: Path, elsewhere: Path):
    """And no clip's failure, which the next run would leave alone."""
    folder = {"jpegs": "files"}
    settings = classification_settings(tmp_path, feature_extraction=folder)
    clips = store_version(tmp_path, settings, {"train": (2.0,)}).split("train")
    with pytest.raises(StageError, match=r"jpegs: there is no folder .*files on "):
        ShardMaker(settings, "dataset_v1", elsewhere).try_clip(clips[0])


def test_cookies_that_are_not_there_are_one_error(
    tmp_path: Path, elsewhere: Path, site: FaultySite
):
    make_clip(tmp_path, "bell0")
    collection: dict[str, object] = {"catalog": "c.csv", "source_url": site.url}
    settings = settings_of(tmp_path, make_recipe(collection=collection))
    options = replace(DownloadOptions.of_run(settings), cookies_file=tmp_path / "cookies.txt")
    with pytest.raises(StageError, match=r"cookies\.txt is not there on "):
        DownloadSource(settings, elsewhere, options)(Fetch("bell0"))
    assert not site.requests


def test_a_folder_that_cannot_be_made_is_one_error(tmp_path: Path, elsewhere: Path):
    (tmp_path / "work").write_text("no folder")
    with pytest.raises(StageError, match=r"tmp7f3a cannot be made on .*: choose a --work-dir"):
        CheckTask(settings_of(tmp_path), elsewhere)(NAME)
