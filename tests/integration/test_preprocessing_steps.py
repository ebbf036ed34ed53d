"""Preprocessing in steps: sources come here, are cut, clips are stored; each step is resumed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from preprocessing.cli import app
from preprocessing.stage import run
from s2s.catalog import catalog_lines
from s2s.catalog.formats.published.vggsound import VGGSound
from s2s.layout import catalog_key, failure_key, processed_prefix, raw_prefix
from s2s.manifest import read_manifest
from s2s.media import run_ffmpeg
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.storage import DirectoryBucket
from s2s.tasks.recipes import load_recipe

TEXT = """
name: tiny
collection: {catalog: vggsound.csv}
preprocessing: {short_side_px: 64, preset: ultrafast, min_duration_s: 0.5}
"""
ROWS = ["good,0,bell", "good,1,bell", "broken,0,bell", "absent,0,bell"]
GOOD = ["good_00000000_00001000", "good_00001000_00002000"]
BROKEN, ABSENT = "broken_00000000_00001000", "absent_00000000_00001000"
Steps = Callable[..., str]


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("source") / "source.mp4"
    pictures = ["-f", "lavfi", "-i", "testsrc=size=96x64:rate=10:duration=2.5"]
    sound = ["-f", "lavfi", "-i", "sine=duration=2.5"]
    run_ffmpeg([*pictures, *sound, "-c:v", "libx264", "-c:a", "aac", str(path)], path.name)
    return path.read_bytes()


@pytest.fixture
def settings(tmp_path: Path, source: bytes) -> Settings:
    recipe_path = tmp_path / "tiny.yaml"
    recipe_path.write_text(TEXT)
    recipe = load_recipe(recipe_path)
    bucket = DirectoryBucket(tmp_path / "bucket")
    clips = [VGGSound(1.0).clip(row.encode()) for row in ROWS]
    bucket.write(catalog_key(recipe), "".join(catalog_lines(clips)).encode())
    bucket.write(f"{raw_prefix()}good.mp4", source)
    bucket.write(f"{raw_prefix()}broken.mp4", source[:500])
    bucket.write(f"{raw_prefix()}other.mp4", source)
    return Settings(
        recipe=recipe,
        recipe_path=recipe_path,
        bucket_url=f"file://{tmp_path / 'bucket'}",
        work_dir=tmp_path / "work",
        workers=2,
    )


@pytest.fixture
def do(settings: Settings) -> Steps:
    def do(*steps: str, status: int = 0) -> str:
        places = ["--bucket", settings.bucket_url, "--work-dir", str(settings.work_dir)]
        result = CliRunner().invoke(app, [str(settings.recipe_path), *places, *steps])
        assert result.exit_code == status, result.output
        return " ".join(result.output.split())

    return do


@pytest.fixture
def bucket(settings: Settings) -> DirectoryBucket:
    return DirectoryBucket(Path(settings.bucket_url.removeprefix("file://")))


@pytest.fixture
def here(settings: Settings) -> DirectoryBucket:
    return DirectoryBucket(settings.work_dir / "preprocessing")


def outcomes(bucket: DirectoryBucket) -> dict[str, Outcome]:
    return {row.clip_id: row for row in read_manifest(bucket, "manifests/tiny/preprocessing.jsonl")}


def names(bucket: DirectoryBucket, prefix: str) -> list[str]:
    return sorted(key.removeprefix(prefix) for key in bucket.keys(prefix))


def test_each_step_does_its_own_and_nothing_else(
    do: Steps, settings: Settings, bucket: DirectoryBucket, here: DirectoryBucket
):
    prefix = processed_prefix(settings.recipe)
    before = names(bucket, "")
    do("-d")
    assert names(here, raw_prefix()) == ["broken.mp4", "good.mp4"], "no other recipe's sources"
    do("-c")
    cut = [f"{clip_id}.{kind}" for clip_id in GOOD for kind in ("mp4", "wav")]
    assert names(here, prefix) == [f"_failed/{BROKEN}.json", *cut]
    assert names(bucket, "") == before, "nothing is stored before -u"
    do("-u")
    assert names(bucket, prefix) == [f"_failed/{BROKEN}.json", *cut]
    for name in cut:
        assert bucket.read(prefix + name) == here.read(prefix + name)


def test_the_bucket_has_in_the_end_what_one_go_makes(
    do: Steps, settings: Settings, bucket: DirectoryBucket, tmp_path: Path
):
    do("-d", "-c")
    do("-u")
    by_steps = outcomes(bucket)
    assert {name: (row.status, row.reason) for name, row in by_steps.items()} == {
        GOOD[0]: (Status.OK, None),
        GOOD[1]: (Status.OK, None),
        BROKEN: (Status.FAILED, Reason.CORRUPT),
        ABSENT: (Status.SKIPPED, Reason.NO_SOURCE),
    }
    assert by_steps[BROKEN].message
    prefix = processed_prefix(settings.recipe)
    stepwise = {key: bucket.read(key) for key in bucket.keys(prefix)}
    for key in stepwise:
        bucket.delete(key)
    run(settings)
    clips = [key for key in stepwise if "_failed" not in key]
    assert [bucket.read(key) for key in clips] == [stepwise[key] for key in clips]


def test_a_step_goes_on_where_it_ended(
    do: Steps, settings: Settings, bucket: DirectoryBucket, here: DirectoryBucket, source: bytes
):
    do("-d", "-c")
    do("-u")
    bucket.write(f"{raw_prefix()}absent.mp4", source)
    (here_file,) = Path(here.url.removeprefix("file://")).glob("raw_data/good.mp4")
    here_file.unlink()
    do("-d")
    assert names(here, raw_prefix()) == ["absent.mp4", "broken.mp4"], "the good one's clips are cut"
    do("-c", "-u")
    found = outcomes(bucket)
    assert found[ABSENT].status is Status.OK
    assert {found[clip_id].reason for clip_id in GOOD} == {Reason.ALREADY_DONE}


def test_what_could_be_cut_later_is_no_failure_any_more(
    do: Steps, settings: Settings, bucket: DirectoryBucket, here: DirectoryBucket, source: bytes
):
    do("-d", "-c")
    do("-u")
    here.write(f"{raw_prefix()}broken.mp4", source, overwrite=True)
    do("-c", "-u", "--retry-failed")
    assert outcomes(bucket)[BROKEN].status is Status.OK
    assert not bucket.exists(failure_key(processed_prefix(settings.recipe), BROKEN))


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (["-c"], "nothing is there to cut for recipe tiny: get its sources with -d first"),
        (["-u"], "not cut on this machine: see -c, and -d for its source"),
        (["-d", "--engine", "ray"], "are for this machine, whose folder a cluster does not see"),
    ],
)
def test_a_step_that_can_do_nothing_says_what_is_first(do: Steps, steps: list[str], message: str):
    assert message in do(*steps, status=1)
