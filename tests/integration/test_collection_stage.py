"""Collection as a whole: real clips from a local site, killed, raced and run again."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from faulty_site import FaultySite, hang

from collection.stage import run
from s2s.catalog import stored_catalog
from s2s.errors import CatalogError
from s2s.manifest import read_manifest
from s2s.records import Outcome
from s2s.settings import Settings
from s2s.storage import DirectoryBucket, open_bucket
from s2s.tasks.recipes import load_recipe

RECIPE = """
name: real
collection: {catalog: vggsound.csv, source_url: "%s", timeout_s: 30, workers: 2, fetch: whole}
"""
ROWS = """\
-Qowmc0P9ic,0,"bass drum, loud",test
0nib7bMm8BA,0,canary calling,train
0nib7bMm8BA,2,canary calling,train
"""
SOURCES = ["-Qowmc0P9ic", "0nib7bMm8BA"]


@pytest.fixture
def site(tmp_path: Path, real_data: Path) -> Iterator[FaultySite]:
    """Two real VGGSound clips as sources, named as YouTube names them."""
    folder = tmp_path / "site"
    folder.mkdir()
    for source_id in SOURCES:
        [clip] = (real_data / "clips" / "vggsound").glob(f"{source_id}_*.mp4")
        shutil.copy(clip, folder / f"{source_id}.mp4")
    with FaultySite(folder).running() as site:
        yield site


@pytest.fixture
def settings(tmp_path: Path, site: FaultySite) -> Settings:
    """A recipe with its catalog beside it."""
    path = tmp_path / "real.yaml"
    path.write_text(RECIPE % site.url)
    (tmp_path / "vggsound.csv").write_text(ROWS)
    return Settings(
        recipe=load_recipe(path),
        recipe_path=path,
        bucket_url=f"file://{tmp_path / 'bucket'}",
        work_dir=tmp_path / "work",
    )


def start(settings: Settings, *options: str) -> subprocess.Popen[bytes]:
    """The stage as a process of its own."""
    command = [sys.executable, "-m", "collection", str(settings.recipe_path)]
    command += ["--bucket", settings.bucket_url, "--work-dir", str(settings.work_dir), *options]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def manifest(settings: Settings) -> dict[str, Outcome]:
    rows = read_manifest(open_bucket(settings.bucket_url), "manifests/real/collection.jsonl")
    return {row.clip_id: row for row in rows}


def temporary_files(settings: Settings) -> list[Path]:
    return [path for path in (settings.work_dir / "tmp").rglob("*") if path.is_file()]


def assert_collected(settings: Settings, site: FaultySite) -> None:
    """Each source is there once, whole, and nothing else is."""
    bucket = open_bucket(settings.bucket_url)
    assert list(bucket.keys("raw_data/")) == [f"raw_data/{name}.mp4" for name in SOURCES]
    for name in SOURCES:
        assert bucket.read(f"raw_data/{name}.mp4") == (site.directory / f"{name}.mp4").read_bytes()
    assert temporary_files(settings) == []


def test_every_row_has_an_outcome_and_every_source_comes_once(settings: Settings, site: FaultySite):
    bad = "glLQrEijrKg,300,playing hammond organ,test\n0nib7bMm8BA,2,canary calling\nno row\n"
    settings.recipe_path.with_name("vggsound.csv").write_text(ROWS + bad)
    report = run(settings)
    assert report.counts == {"ok": 3, "failed:gone": 1, "failed:bad_row": 2}
    sizes = [(site.directory / f"{name}.mp4").stat().st_size for name in SOURCES]
    assert report.bytes_written == sum(sizes)
    rows = manifest(settings)
    assert sorted(rows) == [
        "-Qowmc0P9ic_00000000_00010000",
        "0nib7bMm8BA_00000000_00010000",
        "0nib7bMm8BA_00002000_00012000",
        "glLQrEijrKg_00300000_00310000",
        "line-5",
        "line-6",
    ]
    assert ", line 5: duplicate of line 3" in rows["line-5"].message
    # yt-dlp looks first and then downloads.
    assert [site.requests[f"{name}.mp4"] for name in SOURCES] == [2, 2]

    again = run(settings)
    assert again.counts == {"skipped:already_done": 3, "failed:gone": 1, "failed:bad_row": 2}
    assert again.bytes_written == 0
    assert sum(site.requests.values()) == 5, "nothing is asked for again, what is gone neither"
    stored = stored_catalog(open_bucket(settings.bucket_url), settings.recipe)
    assert sorted(clip.clip_id for clip in stored.clips) == sorted(rows)[:4]
    assert [problem.name for problem in stored.problems] == ["line-5", "line-6"]


def test_a_catalog_may_be_an_object_in_the_bucket(settings: Settings, site: FaultySite):
    settings.recipe_path.with_name("vggsound.csv").unlink()
    open_bucket(settings.bucket_url).write("vggsound.csv", ROWS.encode())
    assert run(settings).counts == {"ok": 3}
    assert_collected(settings, site)


@pytest.mark.parametrize("name", ["vggsound.csv", "../no/such/catalog.csv"])
def test_a_catalog_that_is_nowhere_is_named_with_where_it_should_be(settings: Settings, name: str):
    settings.recipe_path.with_name("vggsound.csv").unlink()
    collection = settings.recipe.collection.model_copy(update={"catalog": name})
    recipe = settings.recipe.model_copy(update={"collection": collection})
    with pytest.raises(CatalogError, match=rf"'{name}': neither the file .* Put it at one"):
        run(settings.model_copy(update={"recipe": recipe}))


def test_an_empty_catalog_is_refused_and_not_stored(settings: Settings):
    settings.recipe_path.with_name("vggsound.csv").write_text("\n")
    with pytest.raises(CatalogError, match=r"vggsound\.csv is empty"):
        run(settings)
    assert list(open_bucket(settings.bucket_url).keys()) == []


def test_the_command_downloads_as_many_as_are_asked_for(settings: Settings):
    process = start(settings, "--nums_to_download", "1")
    errors = process.communicate()[1].decode()
    assert process.returncode == 0, errors
    assert list(manifest(settings)) == ["-Qowmc0P9ic_00000000_00010000"]
    assert "ERROR" not in errors


def test_the_command_downloads_as_many_more_when_it_is_called_again(settings: Settings):
    for n_collected in (1, 2, 2):  # there are no more than two
        process = start(settings, "--nums_to_download", "1")
        errors = process.communicate()[1].decode()
        assert process.returncode == 0, errors
        stored = open_bucket(settings.bucket_url).keys("raw_data/")
        assert len(list(stored)) == n_collected


def test_strict_makes_a_failed_row_fatal(settings: Settings):
    settings.recipe_path.with_name("vggsound.csv").write_text(ROWS + "no row\n")
    process = start(settings, "--strict")
    assert "bad_row" in process.communicate()[1].decode()
    assert process.returncode == 1


def test_a_killed_run_leaves_nothing_half_written_and_the_next_one_finishes(
    settings: Settings, site: FaultySite
):
    half_sent = f"{SOURCES[0]}.mp4"
    site.answers[half_sent] = hang((site.directory / half_sent).read_bytes())
    process = start(settings)
    assert site.is_waiting.wait(60)
    bucket = DirectoryBucket(Path(settings.bucket_url.removeprefix("file://")))
    while process.poll() is None and not list(bucket.keys(f"raw_data/{SOURCES[1]}")):
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert list(bucket.keys("raw_data/")) == [f"raw_data/{SOURCES[1]}.mp4"]
    assert temporary_files(settings), "what the killed run was at"

    site.answers.clear()
    report = run(settings)
    assert report.counts == {"ok": 1, "skipped:already_done": 2}
    assert_collected(settings, site)


@pytest.mark.parametrize("kind", ["file", "gs"])
def test_two_runs_at_the_same_time(
    settings: Settings, site: FaultySite, kind: str, request: pytest.FixtureRequest
):
    if kind == "gs":
        server = request.getfixturevalue("bucket_server")
        name = f"collection-{uuid4().hex[:8]}"
        httpx.post(f"{server}/storage/v1/b", json={"name": name}, trust_env=False)
        settings = settings.model_copy(update={"bucket_url": f"gs://{name}"})
    processes = [start(settings), start(settings)]
    errors = [process.communicate()[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    assert not any("failed" in row.status for row in manifest(settings).values())
    assert_collected(settings, site)
