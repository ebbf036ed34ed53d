"""Clips as files: a folder a label, and a manifest that names them."""

import csv
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marked_video import MarkedVideo
from typer.testing import CliRunner

from preprocessing.export import app, label_folder
from preprocessing.stage import run
from s2s.catalog import catalog_lines, store_source_paths
from s2s.dataset import DatasetClip, DatasetVersion, Split, write_version
from s2s.layout import catalog_key, raw_prefix
from s2s.records import ClipRecord
from s2s.settings import Settings
from s2s.storage import open_bucket
from s2s.tasks.recipes import load_recipe

LABELS = ["playing d'oud, (solo)", "../../etc", 'say "hi"/bye', "../../etc"]


@pytest.fixture
def recipe_path(tmp_path: Path) -> Path:
    """A recipe whose clips are cut."""
    path = tmp_path / "files.yaml"
    path.write_text(
        "name: files\nspec: {duration_s: 2}\ncollection: {catalog: c.csv}\n"
        "preprocessing: {short_side_px: 64, preset: ultrafast, poster: true, more_wav_hz: [8000]}\n"
    )
    recipe = load_recipe(path)
    bucket = open_bucket(f"file://{tmp_path / 'bucket'}")
    bucket.upload(MarkedVideo().write(tmp_path / "a.mp4"), f"{raw_prefix()}a.mp4")
    clips = [
        ClipRecord(source_id="a", start_s=k, end_s=k + 2, labels=(label,))
        for k, label in enumerate(LABELS)
    ]
    bucket.write(catalog_key(recipe), "".join(catalog_lines(clips)).encode())
    report = run(
        Settings(
            recipe=recipe,
            recipe_path=path,
            bucket_url=bucket.url,
            work_dir=tmp_path / "work",
            workers=1,
        )
    )
    assert report.counts == {"ok": 4}
    return path


def test_clips_become_files_under_their_labels(recipe_path: Path, tmp_path: Path):
    folder = tmp_path / "out" / "files"
    args = [str(recipe_path), str(folder), "--bucket", f"file://{tmp_path / 'bucket'}", "--jpegs"]
    result = CliRunner().invoke(app, args)
    assert result.exit_code == 0, result.output
    with (folder / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["labels"] for row in rows] == LABELS
    for row in rows:
        assert unquote(row["video"].split("/")[0]) == row["labels"]
        assert (folder / row["video"]).stat().st_size > 1000
        assert (folder / row["sound"]).stat().st_size == 44 + 2 * 2 * 16_000
        assert (folder / row["video"]).with_suffix(".jpg").stat().st_size > 100
        assert (folder / row["video"]).with_suffix(".8000.wav").stat().st_size == 44 + 2 * 2 * 8000
        frames = sorted((folder / row["video"]).with_suffix("").iterdir())
        assert [path.name for path in frames[:2]] == ["image_00001.jpg", "image_00002.jpg"]
        assert len(frames) == 50
    assert sorted(path.name for path in folder.parent.iterdir()) == ["files"]
    table = duckdb.read_parquet(str(folder / "manifest.parquet"))
    assert table.columns == list(rows[0])
    found = table.fetchall()
    assert [(row[0], row[2], row[4]) for row in found] == [
        (row["clip_id"], float(row["start_s"]), row["labels"]) for row in rows
    ]
    again = CliRunner().invoke(app, args)
    assert again.exit_code == 0, "again, into the same folder"
    assert "4/4 clips" in " ".join(again.output.split()), "how far it is"


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_label_is_one_folder_and_its_own(one: str, other: str):
    name = label_folder(one)
    assert "/" not in name
    assert "\0" not in name
    assert name not in {"", ".", ".."}
    assert one == other or not one or not other or name != label_folder(other)


def test_a_file_in_the_place_of_the_folder_is_told(recipe_path: Path, tmp_path: Path):
    (tmp_path / "file").write_text("kept")
    args = [str(recipe_path), str(tmp_path / "file"), "--bucket", f"file://{tmp_path / 'bucket'}"]
    result = CliRunner().invoke(app, args)
    assert result.exit_code == 1
    assert "is a file, not a folder: name another place" in " ".join(result.output.split())
    assert (tmp_path / "file").read_text() == "kept"


def test_the_split_is_that_of_the_newest_version(recipe_path: Path, tmp_path: Path):
    bucket, recipe = open_bucket(f"file://{tmp_path / 'bucket'}"), load_recipe(recipe_path)
    names = [f"a_{k * 1000:08d}_{(k + 2) * 1000:08d}" for k in range(4)]
    store_source_paths(bucket, recipe, {names[0]: "dog/a.mp4"})
    versions: list[tuple[Split, ...]] = [("train", "val"), ("test", "train", "val")]
    for number, splits in enumerate(versions, start=1):
        clips = {
            split: (_clip_of_version(name, split),)
            for name, split in zip(names, splits, strict=False)
        }
        write_version(bucket, recipe, DatasetVersion(f"dataset_v{number}", clips))
    folder = tmp_path / "out"
    args = [str(recipe_path), str(folder), "--bucket", bucket.url]
    assert CliRunner().invoke(app, args).exit_code == 0
    with (folder / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["clip_id"] for row in rows] == names
    assert [row["split"] for row in rows] == ["test", "train", "val", ""]
    assert [row["source_path"] for row in rows] == ["dog/a.mp4", "", "", ""]


def _clip_of_version(clip_id: str, split: Split) -> DatasetClip:
    files = {"size": 1, "crc32c": "AAAAAA==", "sha256": "0" * 64}
    return DatasetClip(
        clip_id=clip_id,
        source_id="a",
        start_s=0,
        end_s=2,
        split=split,
        key="a.mp4",
        wav_key="a.wav",
        **files,
        **{f"wav_{name}": value for name, value in files.items()},
    )
