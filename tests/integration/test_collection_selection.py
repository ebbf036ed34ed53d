"""What a recipe takes of its catalog: every row is accounted for, and stored as it was chosen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faulty_site import FaultySite, status

from collection.stage import run
from s2s.catalog import read_label_ids, stored_catalog
from s2s.errors import CatalogError
from s2s.media import run_ffmpeg
from s2s.records import ClipRecord
from s2s.settings import Settings
from s2s.stage import StageReport
from s2s.storage import DirectoryBucket
from s2s.tasks.generation.settings import GenerationRecipe

HEADER = "label,youtube_id,time_start,time_end,split\n"
ROWS = """\
tap dancing,aaaaaaaaaaa,0,10,train
tap dancing,bbbbbbbbbbb,0,10,train
tap dancing,ccccccccccc,0,10,val
"cooking, baking",ddddddddddd,0,10,train
no row
tap dancing,aaaaaaaaaaa,0,10,train
ballet dancing,eeeeeeeeeee,0,10,train
ballet dancing,fffffffffff,0,10,train
"""
N_ROWS = 8


@pytest.fixture
def site(tmp_path: Path) -> Iterator[FaultySite]:
    folder = tmp_path / "site"
    folder.mkdir()
    inputs = ["-f", "lavfi", "-i", "testsrc=d=1:s=32x32", "-f", "lavfi", "-i", "sine=d=1"]
    run_ffmpeg([*inputs, "-pix_fmt", "yuv420p", str(folder / "aaaaaaaaaaa.mp4")], "a")
    for letter in "bcdef":
        video = (folder / "aaaaaaaaaaa.mp4").read_bytes()
        (folder / f"{letter * 11}.mp4").write_bytes(video)
    with FaultySite(folder).running() as site:
        yield site


class Bench:
    """A recipe with a catalog beside it."""

    def __init__(self, folder: Path, site: FaultySite) -> None:
        self.folder = folder
        self.site = site
        self.bucket = DirectoryBucket(folder / "bucket")

    def settings(self, **collection: object) -> Settings:
        content = {"catalog": "k.csv", "source_url": self.site.url, "fetch": "whole"}
        recipe = {"name": "chosen", "collection": content | collection}
        return Settings(
            recipe=GenerationRecipe.model_validate(recipe),
            recipe_path=self.folder / "chosen.yaml",
            bucket_url=self.bucket.url,
            work_dir=self.folder / "work",
        )

    def run(self, rows: str = ROWS, **collection: object) -> StageReport:
        (self.folder / "k.csv").write_text(HEADER + rows)
        return run(self.settings(**collection))

    def stored(self, **collection: object) -> list[ClipRecord]:
        return stored_catalog(self.bucket, self.settings(**collection).recipe).clips


@pytest.fixture
def bench(tmp_path: Path, site: FaultySite) -> Bench:
    return Bench(tmp_path, site)


@pytest.mark.parametrize(
    ("chosen", "ok", "left_out"),
    [
        ({}, 6, 0),
        ({"labels": ["*dancing"]}, 5, 1),
        ({"labels": ["*dancing"], "splits": ["train"]}, 4, 2),
        ({"labels": ["*dancing"], "sample_per_label": 1}, 2, 4),
        ({"labels": ["*dancing"], "limit": 2}, 2, 4),
    ],
)
def test_every_row_is_accounted_for(bench: Bench, chosen: dict[str, Any], ok: int, left_out: int):
    bench.site.answers["ccccccccccc.mp4"] = status(404)
    report = bench.run(**chosen)
    gone = report.counts.pop("failed:gone", 0)
    assert report.counts.pop("failed:bad_row") == 2, "one is no row, one comes twice"
    assert report.counts.pop("skipped:left_out", 0) == left_out
    assert report.counts == {"ok": ok - gone}
    assert report.outputs["rows"] == N_ROWS
    assert report.outputs["format"] == "kinetics"


def test_later_stages_find_what_was_selected_whatever_the_limit_was(bench: Bench):
    bench.run(labels=["*dancing"], limit=1)
    assert [clip.source_id[0] for clip in bench.stored()] == ["a", "b", "c", "e", "f"]
    assert [clip.source_id[0] for clip in bench.stored(limit=3)] == ["a", "b", "c"]
    bench.run(labels=["cooking*"])
    assert [clip.labels for clip in bench.stored()] == [("cooking, baking",)]


def test_labels_keep_their_ids_when_the_catalog_grows(bench: Bench):
    bench.run()
    before = read_label_ids(bench.bucket, bench.settings().recipe)
    assert before.names == ("ballet dancing", "cooking, baking", "tap dancing")
    bench.run("abseiling,ggggggggggg,0,10,train\n" + ROWS)
    after = read_label_ids(bench.bucket, bench.settings().recipe)
    assert (after.version, after.names) == (2, (*before.names, "abseiling"))


def test_filters_that_leave_nothing_are_named(bench: Bench):
    with pytest.raises(
        CatalogError, match=r"6 clips has .*skating\*'\] \(collection\.labels of .*s2s cat"
    ):
        bench.run(labels=["*skating*"])
    assert list(bench.bucket.keys()) == []


def test_a_catalog_of_which_no_row_can_be_used_is_told_with_its_first_problem(bench: Bench):
    with pytest.raises(
        CatalogError, match=r"none of its 1 row can.*as kinetics\. Line 2: has 1 col"
    ):
        bench.run("no row\n")


def test_a_label_table_is_found_like_a_catalog(bench: Bench):
    rows = 'aaaaaaaaaaa, 0.000, 1.000, "/m/1,/m/2"\n'
    (bench.folder / "segments.csv").write_text("# YTID, start\n" + rows)
    table = b'index,mid,display_name\n0,/m/1,"Dog, barking"\n1,/m/2,Music\n'
    bench.bucket.write("labels.csv", table)
    chosen = {"catalog": "segments.csv", "label_table": "labels.csv"}
    assert bench.run(**chosen).counts == {"ok": 1}
    assert bench.stored()[0].labels == ("Dog, barking", "Music")
    with pytest.raises(CatalogError, match=r"'none\.csv'.*collection\.label_table"):
        bench.run(**chosen | {"label_table": "none.csv"})


def test_sessions_are_processes_that_share_the_work(bench: Bench):
    report = bench.run(sessions=2, workers=2)
    assert report.counts == {"ok": 6, "failed:bad_row": 2}
    again = bench.run(sessions=2, workers=2)
    assert again.counts == {"skipped:already_done": 6, "failed:bad_row": 2}
    assert list((bench.folder / "work" / "tmp" / "collection").iterdir()) == []
