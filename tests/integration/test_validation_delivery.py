"""`./s2s version`: two versions listed, compared, pulled in part, verified, tampered with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cut_clips import make_recipe, put_clips, write_catalog, write_recipe
from typer.testing import CliRunner

from launcher.commands.version import version_app
from s2s.dataset import SPLITS, read_version
from s2s.layout import dataset_bundle_key, dataset_manifest_key
from s2s.settings import Settings
from s2s.storage import DirectoryBucket
from validation.release.changes import compare
from validation.stage import run

RECIPE = make_recipe("delivered").model_copy(update={"licence": "CC BY 4.0"})
FIRST = {f"{label}{n}": [0] for label in ("bell", "drum") for n in range(4)}
ADDED = {"bell4": [0]}


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> DirectoryBucket:
    """Two versions; the second has one clip more."""
    folder = tmp_path_factory.mktemp("delivered")
    bucket = DirectoryBucket(folder / "bucket")
    recipe_path = write_recipe(folder / "delivered.yaml", RECIPE)
    (folder / "cut").mkdir()
    for catalog in (FIRST, FIRST | ADDED):
        put_clips(bucket, RECIPE, folder / "cut", write_catalog(bucket, RECIPE, catalog))
        settings = Settings(
            recipe=RECIPE,
            recipe_path=recipe_path,
            bucket_url=bucket.url,
            work_dir=folder / "work",
            workers=1,
        )
        run(settings)
    return bucket


def ask(bucket: DirectoryBucket, command: str, *args: str) -> tuple[int, str]:
    recipe = str(bucket.directory.parent / "delivered.yaml")
    line = [command, recipe, *args, "--bucket", bucket.url]
    result = CliRunner().invoke(version_app, line, env={"COLUMNS": "160"})
    return result.exit_code, result.output


def test_versions_are_listed_with_what_they_hold(bucket: DirectoryBucket):
    status, text = ask(bucket, "list")
    assert status == 0
    rows = [line for line in text.splitlines() if "dataset_v" in line]
    assert [row.replace("│", " ").split()[0] for row in rows] == ["dataset_v1", "dataset_v2"]
    assert [row.replace("│", " ").split()[4:6] for row in rows] == [["8", "2"], ["9", "2"]]
    assert "content_addressed" in text


def test_versions_are_compared(bucket: DirectoryBucket):
    status, text = ask(bucket, "diff", "v1", "dataset_v2")
    assert status == 0
    assert "bell4_00000000_00002000 bell" in text
    older, newer = (read_version(bucket, RECIPE, f"dataset_v{n}") for n in (1, 2))
    changes = compare(older, newer)
    assert [clip.source_id for clip in changes.added] == ["bell4"]
    assert not (changes.removed or changes.moved or changes.relabelled or changes.rewritten)
    assert [clip.source_id for clip in compare(newer, older).removed] == ["bell4"]


def test_a_version_that_is_not_there(bucket: DirectoryBucket):
    status, text = ask(bucket, "verify", "v7")
    assert status == 1
    assert "dataset_v1, dataset_v2" in text


def test_a_part_is_pulled_and_verified(bucket: DirectoryBucket, tmp_path: Path):
    part = ["--split", "train", "--label", "drum", "--to", str(tmp_path)]
    assert ask(bucket, "pull", "v2", *part)[0] == 0
    version = read_version(bucket, RECIPE, "dataset_v2")
    drums = [clip for clip in version.split("train") if clip.labels == ("drum",)]
    folder = tmp_path / "s2s_dataset"
    found = {path.name for path in (folder / "clips" / "train").iterdir()}
    assert found == {f"{clip.clip_id}.{kind}" for clip in drums for kind in ("mp4", "wav")}
    assert len((folder / "train.csv").read_text().splitlines()) == len(drums) + 1
    assert "0 files new" in ask(bucket, "pull", "v2", *part)[1]

    status, text = ask(bucket, "pull", "v2", "--label", "horn", "--to", str(tmp_path))
    assert (status, "labels are bell, drum" in text.replace("\n", " ")) == (1, True)


def test_what_differs_in_a_folder_is_named(bucket: DirectoryBucket, tmp_path: Path):
    ask(bucket, "pull", "v1", "--to", str(tmp_path))
    assert ask(bucket, "verify", "v1", "--in", str(tmp_path))[0] == 0
    clips = sorted((tmp_path / "s2s_dataset" / "clips" / "train").iterdir())
    clips[0].write_bytes(clips[0].read_bytes()[:-1] + b"\x00\x01")
    clips[1].unlink()
    status, text = ask(bucket, "verify", "v1", "--in", str(tmp_path))
    assert status == 1
    assert f"{clips[0].name}: is not what dataset_v1 says" in text
    assert f"{clips[1].name}: is missing" in text
    assert "2 files differ" in text


def test_what_differs_in_the_bucket_is_named(bucket: DirectoryBucket):
    assert ask(bucket, "verify", "v2") == (0, "all right\n")
    key = dataset_manifest_key(RECIPE, "dataset_v2", "train", "parquet")
    stored, of_test = (
        bucket.read(key),
        dataset_manifest_key(RECIPE, "dataset_v2", "test", "parquet"),
    )
    for damaged, problem in ((bucket.read(of_test), "rows"), (b"x", "cannot be read")):
        bucket.write(key, damaged, overwrite=True)
        status, text = ask(bucket, "verify", "v2")
        assert (status, key in text, problem in text) == (1, True, True)
    bucket.delete(key)
    assert "is missing" in ask(bucket, "verify", "v2")[1]
    bucket.write(key, stored)
    version = read_version(bucket, RECIPE, "dataset_v2")
    clip = version.split("train")[0]
    good = bucket.read(clip.key)
    stored = next(key for key in bucket.keys("dvc_store/files/md5/") if bucket.read(key) == good)
    bad = good[:-1] + bytes([good[-1] ^ 1])
    path = bucket.directory / stored
    path.chmod(0o644)
    try:
        for key in (clip.key, stored):
            bucket.write(key, bad, overwrite=True)
        status, text = ask(bucket, "verify", "v2")
        assert status == 1
        assert f"{clip.key}: has another sha256" in text
        assert f"{stored} (clips/train/{clip.clip_id}.mp4): has another md5" in text
        assert ask(bucket, "pull", "v2", "--to", str(bucket.directory.parent / "x"))[0] == 1
    finally:
        for key in (clip.key, stored):
            bucket.write(key, good, overwrite=True)
    assert ask(bucket, "verify", "v2")[0] == 0


def test_one_clip_more_uploads_little_more(bucket: DirectoryBucket):
    version = read_version(bucket, RECIPE, "dataset_v2")
    clips = [clip for split in SPLITS for clip in version.split(split)]
    stored = sum(bucket.stat(key).size for key in bucket.keys("dvc_store/"))
    # Each file once, although both versions name most; and the manifests of both.
    assert stored < sum(clip.size + clip.wav_size for clip in clips) + 60_000


def test_a_clone_tells_of_itself_and_dvc_reads_single_files(
    bucket: DirectoryBucket, tmp_path: Path
):
    bundle = bucket.directory / dataset_bundle_key(RECIPE, "dataset_v2")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "-b", "dataset_v2", bundle, clone], check=True)
    datasheet = (clone / "datasheet.md").read_text()
    assert "CC BY 4.0" in datasheet
    assert "CRC-32C" in datasheet
    assert '"bell": ' in (clone / "statistics.json").read_text()
    assert "name: delivered" in (clone / "recipe.yaml").read_text()
    program = (
        "import dvc.api, sys; sys.stdout.write(dvc.api.read('s2s_dataset/train.csv',"
        f" repo={str(clone)!r}, rev=sys.argv[1]))"
    )
    for name in ("dataset_v1", "dataset_v2"):
        done = subprocess.run(
            [sys.executable, "-c", program, name],
            env=os.environ | {"DVC_SITE_CACHE_DIR": str(tmp_path / "site")},
            capture_output=True,
            text=True,
            check=True,
        )
        key = f"datasets/delivered/{name}/train.csv"
        assert done.stdout.encode() == bucket.read(key)
    command = [sys.executable, "-m", "dvc", "get", "-q", str(clone), "s2s_dataset/labels.json"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert "bell" in (tmp_path / "labels.json").read_text()


def test_a_folder_with_a_part_is_verified_as_it_was_pulled(bucket: DirectoryBucket, tmp_path: Path):
    part = ("--split", "train", "--label", "bell")
    assert ask(bucket, "pull", "v1", *part, "--to", str(tmp_path))[0] == 0
    folder = ("--in", str(tmp_path))
    assert ask(bucket, "verify", "v1", *part, *folder) == (0, "all right\n")
    assert ask(bucket, "verify", "v1", *folder)[0] == 1
    next(tmp_path.rglob("*.wav")).write_bytes(b"changed")
    status, text = ask(bucket, "verify", "v1", *part, *folder)
    assert (status, "1 file differs" in text) == (1, True)


def test_a_folder_that_is_not_there_or_a_file_is_told(bucket: DirectoryBucket, tmp_path: Path):
    status, text = ask(bucket, "verify", "v1", "--in", str(tmp_path / "gone"))
    assert (status, "there is no such folder" in " ".join(text.split())) == (1, True)
    (tmp_path / "file").write_text("kept")
    status, text = ask(bucket, "pull", "v1", "--to", str(tmp_path / "file"))
    assert (status, "is a file, not a folder" in " ".join(text.split())) == (1, True)
    status, text = ask(bucket, "verify", "v1", "--split", "train")
    assert (status, "name it with --in" in " ".join(text.split())) == (1, True)
