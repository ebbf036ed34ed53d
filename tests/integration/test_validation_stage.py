"""The stage with real git and DVC, over a directory bucket: versions, growth, kills, races."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from cut_clips import make_clip, make_recipe, put_clips, store_clip, write_catalog, write_recipe

import validation.release.repository
from s2s.dataset import SPLITS, manifest_from_csv, read_version, version_names
from s2s.errors import BucketUnavailableError, StageError, VersionError
from s2s.layout import (
    dataset_bundle_key,
    dataset_index_key,
    failure_key,
    manifest_key,
    processed_prefix,
    report_key,
)
from s2s.manifest import read_failures, read_manifest
from s2s.reasons import Reason, Status
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.stage import StageReport
from s2s.storage import Bucket, DirectoryBucket
from validation.release.repository import DataRepository
from validation.stage import run

RECIPE = make_recipe()
FIVE = {f"bell{n}": [0] for n in range(5)}
EIGHT = {f"bell{n}": [0] for n in range(8)}

# Runs the command line of validation, but dies by SIGKILL where a function is called.
KILLED = """
import os, signal, sys
import validation.release.releasing
from validation.cli import app
from validation.release.repository import DataRepository
owner = {"release": validation.release.releasing, "repository": DataRepository}[sys.argv[1]]
setattr(owner, sys.argv[2], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
app(sys.argv[3:])
"""

# The same, but dies with DVC as soon as the push has stored the first files.
KILLED_IN_PUSH = """
import os, pathlib, signal, subprocess, sys, time
import validation.release.repository
from validation.cli import app
real, store = validation.release.repository.dvc, pathlib.Path(sys.argv[1])
def dvc(folder, *args):
    if args[0] != "push":
        return real(folder, *args)
    child = subprocess.Popen([sys.executable, "-m", "dvc", *args, "-q", "--jobs", "1"], cwd=folder)
    while child.poll() is None and len(list(store.glob("files/md5/*/*"))) < 2:
        time.sleep(0.001)
    child.kill()
    os.kill(os.getpid(), signal.SIGKILL)
validation.release.repository.dvc = dvc
app(sys.argv[2:])
"""


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture
def bucket(tmp_path: Path, clip_folder: Path) -> DirectoryBucket:
    bucket = DirectoryBucket(tmp_path / "bucket")
    put_clips(bucket, RECIPE, clip_folder, write_catalog(bucket, RECIPE, EIGHT))
    return bucket


def settings_of(bucket: DirectoryBucket, **changes: object) -> Settings:
    options: dict[str, object] = {
        "recipe": RECIPE,
        "recipe_path": bucket.directory.parent / "tiny.yaml",
        "bucket_url": bucket.url,
        "work_dir": bucket.directory.parent / "work",
        "workers": 1,
    }
    return Settings.model_validate(options | changes)


def command_of(bucket: DirectoryBucket, work_dir: str = "work") -> list[str]:
    folder = bucket.directory.parent
    recipe = write_recipe(folder / "tiny.yaml", RECIPE)
    return [str(recipe), "--bucket", bucket.url, "--work-dir", str(folder / work_dir)]


def kill_at(bucket: DirectoryBucket, *place: str, program: str = KILLED) -> None:
    done = subprocess.run([sys.executable, "-c", program, *place, *command_of(bucket)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not version_names(bucket, RECIPE), "the index is written last"


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def pulled(bucket: DirectoryBucket, version: str, folder: Path) -> dict[str, bytes]:
    """What a user gets who has nothing but the bundle and the store."""
    bundle = bucket.directory / dataset_bundle_key(RECIPE, version)
    subprocess.run(["git", "clone", "-q", "-b", version, bundle, folder], check=True)
    subprocess.run([sys.executable, "-m", "dvc", "pull", "-q"], cwd=folder, check=True)
    return files_of(folder / "s2s_dataset")


def expected_files(bucket: DirectoryBucket, version: str) -> dict[str, bytes]:
    """The files that a version should have, from the bucket."""
    content = read_version(bucket, RECIPE, version)
    clips = {
        f"clips/{split}/{clip.clip_id}.{kind}": bucket.read(key)
        for split in SPLITS
        for clip in content.split(split)
        for kind, key in (("mp4", clip.key), ("wav", clip.wav_key))
    }
    prefix = dataset_index_key(RECIPE, version).removesuffix(".json")
    return clips | {f"{split}.csv": bucket.read(f"{prefix}/{split}.csv") for split in SPLITS}


def check_parquet(files: dict[str, bytes], folder: Path) -> None:
    """Take the Parquet manifests out of files; they have the rows of the CSV ones."""
    for split in SPLITS:
        path = folder / f"{split}.parquet"
        path.write_bytes(files.pop(f"{split}.parquet"))
        rows = manifest_from_csv(files[f"{split}.csv"], split)
        with duckdb.connect() as database:
            query = "SELECT clip_id, labels, size, duration_s, fold FROM read_parquet(?)"
            found = database.execute(query, [str(path)]).fetchall()
        assert found == [
            (row.clip_id, list(row.labels), row.size, row.duration_s, row.fold) for row in rows
        ]


def test_every_clip_of_the_catalog_has_an_outcome(bucket: DirectoryBucket, tmp_path: Path):
    ids = write_catalog(bucket, RECIPE, EIGHT | {"bell8": [0], "bell9": [0]})
    store_clip(bucket, RECIPE, ids[0], *make_clip(tmp_path, ids[0], volume=0))
    prefix = processed_prefix(RECIPE)
    bucket.write(f"{prefix}{ids[1]}.mp4", b"not a video", overwrite=True)
    bucket.delete(f"{prefix}{ids[2]}.wav")
    failure = Outcome(clip_id=ids[8], status=Status.FAILED, reason=Reason.NO_AUDIO, message="mute")
    bucket.write(failure_key(prefix, ids[8]), failure.model_dump_json().encode())

    report = run(settings_of(bucket))

    assert report.counts == {
        "ok": 5,
        "failed:silent": 1,
        "failed:corrupt": 1,
        "skipped:upstream_failed": 3,
    }
    rows = {row.clip_id: row for row in read_manifest(bucket, manifest_key(RECIPE, "validation"))}
    assert rows.keys() == set(ids)
    assert "mute" in rows[ids[8]].message
    assert "preprocessing has not run" in rows[ids[9]].message
    assert report.outputs["version"] == "dataset_v1"
    assert sum(report.outputs["splits"].values()) == 5


def test_a_run_that_changes_nothing_makes_no_version_and_starts_no_dvc(
    bucket: DirectoryBucket, monkeypatch: pytest.MonkeyPatch
):
    first = run(settings_of(bucket))
    before = files_of(bucket.directory / "datasets")

    def no_program(*_: object) -> str:
        raise AssertionError("a program was started")

    monkeypatch.setattr(validation.release.repository, "dvc", no_program)
    monkeypatch.setattr(validation.release.repository, "git", no_program)
    again = run(settings_of(bucket))
    assert again.counts == {"skipped:already_done": 8}
    assert first.outputs["checked"]["clips"] == 8
    assert first.outputs["checked"]["clips_per_s"] > 0
    nothing = {"clips": 0, "clips_per_s": 0}
    assert again.outputs == first.outputs | {"reused": True, "checked": nothing}
    assert files_of(bucket.directory / "datasets") == before
    monkeypatch.undo()
    shutil.rmtree(bucket.directory.parent / "work")
    assert run(settings_of(bucket)).outputs["reused"] is True
    repository = bucket.directory.parent / "work" / f"dataset-{RECIPE.name}"
    assert (repository / ".git").is_dir(), "it comes back from its bundle"


def test_fix_puts_clips_of_no_use_aside_and_leaves_sources_alone(
    bucket: DirectoryBucket, tmp_path: Path
):
    ids = write_catalog(bucket, RECIPE, EIGHT)
    source = bucket.write("raw_data/bell0.mp4", b"a source")
    store_clip(bucket, RECIPE, ids[0], *make_clip(tmp_path, ids[0], volume=0))
    prefix = processed_prefix(RECIPE)
    for suffix in ("mp4", "wav"):
        data = bucket.read(f"{prefix}{ids[1]}.{suffix}")
        bucket.write(f"{prefix}{ids[2]}.{suffix}", data, overwrite=True)
    recipe = make_recipe(validation={"fix": "quarantine"})

    report = run(settings_of(bucket, recipe=recipe))

    assert report.outputs["alike"] == {"duplicate": 1}
    assert report.outputs["fixed"] == 2
    aside = sorted(key.rpartition("/")[2] for key in bucket.keys("quarantine/"))
    assert aside == sorted(f"{ids[n]}.{suffix}" for n in (0, 2) for suffix in ("mp4", "wav"))
    assert not list(bucket.keys(prefix + ids[0]))
    assert bucket.stat(source.key) == source
    failures = read_failures(bucket, prefix)
    assert failures[ids[0]].reason is Reason.SILENT, "so preprocessing does not cut it again"
    again = run(settings_of(bucket, recipe=recipe))
    assert again.outputs["reused"]
    assert again.counts == {"skipped:already_done": 6, "skipped:upstream_failed": 2}


def test_labels_that_the_recipe_does_not_know(bucket: DirectoryBucket):
    write_catalog(bucket, RECIPE, EIGHT)
    recipe = make_recipe(validation={"known_labels": ["drum"]})
    with pytest.raises(StageError, match="8 unknown_label"):
        run(settings_of(bucket, recipe=recipe))


def test_a_larger_catalog_makes_the_next_version_and_moves_nothing(
    bucket: DirectoryBucket, tmp_path: Path
):
    write_catalog(bucket, RECIPE, FIVE)
    assert run(settings_of(bucket)).outputs["version"] == "dataset_v1"
    first = read_version(bucket, RECIPE, "dataset_v1")
    # Another machine goes on: all that is there is the bucket.
    shutil.rmtree(bucket.directory.parent / "work")
    write_catalog(bucket, RECIPE, EIGHT)
    report = run(settings_of(bucket))
    assert report.outputs["version"] == "dataset_v2"
    assert report.counts == {"ok": 3, "skipped:already_done": 5}
    second = read_version(bucket, RECIPE, "dataset_v2")
    for split in SPLITS:
        assert set(first.split(split)) <= set(second.split(split))

    files = pulled(bucket, "dataset_v2", tmp_path / "clone")
    labels = json.loads(files.pop("labels.json"))
    check_parquet(files, tmp_path)
    assert files == expected_files(bucket, "dataset_v2")
    stored = (tmp_path / "test.parquet").read_bytes()
    assert bucket.read("datasets/tiny/dataset_v2/test.parquet") == stored
    assert labels == {"bell": {split: len(second.split(split)) for split in SPLITS}}
    subprocess.run(["git", "checkout", "-q", "dataset_v1"], cwd=tmp_path / "clone", check=True)
    command = [sys.executable, "-m", "dvc", "pull", "-q"]
    subprocess.run(command, cwd=tmp_path / "clone", check=True)
    older = files_of(tmp_path / "clone" / "s2s_dataset")
    check_parquet(older, tmp_path)
    assert older.pop("labels.json")
    assert older == expected_files(bucket, "dataset_v1")


def test_runs_killed_halfway_are_completed_by_the_next(bucket: DirectoryBucket, tmp_path: Path):
    kill_at(bucket, str(bucket.directory / "dvc_store"), program=KILLED_IN_PUSH)
    kill_at(bucket, "repository", "commit")
    kill_at(bucket, "release", "write_version")
    report = run(settings_of(bucket))
    assert report.outputs["version"] == "dataset_v1"
    assert report.counts == {"skipped:already_done": 8}
    files = pulled(bucket, "dataset_v1", tmp_path / "clone")
    assert files.pop("labels.json")
    check_parquet(files, tmp_path)
    assert files == expected_files(bucket, "dataset_v1")


def test_what_a_killed_run_left_of_other_clips_is_passed_by(bucket: DirectoryBucket):
    write_catalog(bucket, RECIPE, FIVE)
    kill_at(bucket, "release", "write_version")
    write_catalog(bucket, RECIPE, EIGHT)
    assert run(settings_of(bucket)).outputs["version"] == "dataset_v2"
    assert version_names(bucket, RECIPE) == ["dataset_v2"]
    assert sum(map(len, read_version(bucket, RECIPE, "dataset_v2").clips.values())) == 8


@pytest.mark.parametrize("work_dirs", [("work", "work"), ("work", "elsewhere")])
def test_of_two_runs_at_once_both_end_with_one_version(
    work_dirs: tuple[str, str], bucket: DirectoryBucket
):
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "validation", *command_of(bucket, work_dir)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for work_dir in work_dirs
    ]
    for process in runs:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        assert "dataset_v1" in errors
    assert version_names(bucket, RECIPE) == ["dataset_v1"]
    assert sum(map(len, read_version(bucket, RECIPE, "dataset_v1").clips.values())) == 8


def test_a_version_that_another_run_made_meanwhile_is_not_built_over(
    bucket: DirectoryBucket, monkeypatch: pytest.MonkeyPatch
):
    def other_run_goes_first(repository: DataRepository, store: Bucket) -> None:
        monkeypatch.undo()
        write_catalog(bucket, RECIPE, FIVE)
        other = settings_of(bucket, work_dir=bucket.directory.parent / "elsewhere")
        assert run(other).outputs["version"] == "dataset_v1"
        repository.track(store)

    monkeypatch.setattr(DataRepository, "track", other_run_goes_first)
    with pytest.raises(VersionError, match="another run has made dataset_v1"):
        run(settings_of(bucket))
    assert version_names(bucket, RECIPE) == ["dataset_v1"]


def test_a_clip_that_was_changed_after_its_check_is_noticed(
    bucket: DirectoryBucket, clip_folder: Path
):
    ids = write_catalog(bucket, RECIPE, FIVE)
    kill_at(bucket, "repository", "fill")
    other = clip_folder / "bell7_00000000_00002000"
    store_clip(bucket, RECIPE, ids[0], other.with_suffix(".mp4"), other.with_suffix(".wav"))
    with pytest.raises(VersionError, match=rf"{ids[0]}\.mp4: is not what was checked"):
        run(settings_of(bucket))
    assert not version_names(bucket, RECIPE)


def test_a_store_that_cannot_be_written_is_told_and_the_next_run_completes(
    bucket: DirectoryBucket,
):
    store = bucket.directory / "dvc_store"
    store.write_text("in the way")
    with pytest.raises(VersionError, match="'dvc push'"):
        run(settings_of(bucket))
    assert not version_names(bucket, RECIPE)
    store.unlink()
    assert run(settings_of(bucket)).outputs["version"] == "dataset_v1"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 950 kB: the clips go in, a second time they do not."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=950k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting a small file system needs root and CAP_SYS_ADMIN")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_bucket_is_told_and_the_next_run_completes(small_disk: Path, clip_folder: Path):
    bucket = DirectoryBucket(small_disk / "bucket")
    put_clips(bucket, RECIPE, clip_folder, write_catalog(bucket, RECIPE, EIGHT))
    work_dir = clip_folder / "work of the small disk"
    with pytest.raises(StageError, match=r"disk of .* or of the bucket is full"):
        run(settings_of(bucket, work_dir=work_dir))
    assert not version_names(bucket, RECIPE)
    subprocess.run(["mount", "-o", "remount,size=9m", str(small_disk)], check=True)
    assert run(settings_of(bucket, work_dir=work_dir)).outputs["version"] == "dataset_v1"


def test_a_full_work_dir_is_told(bucket: DirectoryBucket, small_disk: Path):
    (small_disk / "in the way").write_bytes(bytes(700_000))
    with pytest.raises((StageError, BucketUnavailableError), match="disk is full"):
        run(settings_of(bucket, work_dir=small_disk / "work"))
    assert not version_names(bucket, RECIPE)


def test_nothing_usable(bucket: DirectoryBucket, tmp_path: Path):
    (name,) = write_catalog(bucket, RECIPE, {"bell0": [0]})
    store_clip(bucket, RECIPE, name, *make_clip(tmp_path, name, volume=0))
    with pytest.raises(StageError, match=r"none of its 1 clip is usable \(1 silent\)"):
        run(settings_of(bucket))
    report = StageReport.model_validate_json(bucket.read(report_key(RECIPE, "validation")))
    assert report.counts == {"failed:silent": 1}


def test_nothing_cut_yet(bucket: DirectoryBucket):
    write_catalog(bucket, RECIPE, {"horn0": [0]})
    with pytest.raises(StageError, match="run its preprocessing stage first"):
        run(settings_of(bucket))


def test_a_version_is_pushed_to_a_git_repository_of_its_own(
    bucket: DirectoryBucket, tmp_path: Path
):
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    recipe = make_recipe(validation={"git_remote": str(remote)})
    run(settings_of(bucket, recipe=recipe))
    tags = subprocess.run(
        ["git", "tag", "--list"], cwd=remote, capture_output=True, text=True, check=True
    )
    assert tags.stdout.split() == ["dataset_v1"]
    # A repository that lost it gets it again, without a new version.
    shutil.rmtree(remote)
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    assert run(settings_of(bucket, recipe=recipe)).outputs["reused"]
    subprocess.run(["git", "rev-parse", "dataset_v1^{commit}"], cwd=remote, check=True)
    shutil.rmtree(remote)
    with pytest.raises(VersionError, match="'git push'"):
        run(settings_of(bucket, recipe=recipe))
