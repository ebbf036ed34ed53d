"""Columns of a table of one's own that are called otherwise, or are there twice."""

import json
from pathlib import Path

import pytest
from catalog_files import read_catalog, read_file

from s2s.catalog import FormatOptions
from s2s.errors import CatalogError
from s2s.settings import ColumnNames

NATURAL = ["source_id", "start", "end", "label", "split"]
ROW = ["drum", "2", "3", "snare", "train"]
SAID = r"collection\.columns: \{start_s: start, end_s: end, labels: label\}"


def of(columns: list[str]) -> bytes:
    """A table with a row, as CSV."""
    return f"{','.join(columns)}\n{','.join(['a'] + ['1'] * (len(columns) - 1))}\n".encode()


def as_parquet(path: Path) -> Path:
    duckdb = pytest.importorskip("duckdb")
    values = ", ".join(f"'{cell}' AS \"{name}\"" for name, cell in zip(NATURAL, ROW, strict=True))
    duckdb.sql(f"SELECT {values}").write_parquet(str(path))
    return path


OBJECT = json.dumps(dict(zip(NATURAL, ROW, strict=True)))
TABLES = {
    "csv": f"{','.join(NATURAL)}\n{','.join(ROW)}\n",
    "tabs": "\t".join(NATURAL) + "\n" + "\t".join(ROW) + "\n",
    "jsonl": f"{OBJECT}\n{OBJECT}\n",
    "json": f"[{OBJECT}]",
    "parquet": "",
}


@pytest.mark.parametrize("kind", TABLES)
def test_columns_that_are_obviously_meant_are_not_passed_over(kind: str, tmp_path: Path):
    path = tmp_path / "x.csv"
    path.write_text(TABLES[kind])
    if kind == "parquet":
        as_parquet(path)
    for layout in ("auto", kind.replace("tabs", "csv")):
        with pytest.raises(CatalogError, match=f"'start', 'end', 'label'.*{SAID}"):
            read_file(path, FormatOptions(format=layout))
    names = ColumnNames(start_s="start", end_s="end", labels="label")
    clip = read_file(path, FormatOptions(columns=names)).clips[0]
    assert (clip.start_s, clip.end_s, clip.labels, clip.split) == (2, 3, ("snare",), "train")


@pytest.mark.parametrize(
    ("column", "meant"),
    [
        ("Start Time", "start_s: 'Start Time'"),
        ("begin", "start_s: begin"),
        ("time_start", "start_s: time_start"),
        ("start_seconds", "start_s: start_seconds"),
        ("STOP", "end_s: STOP"),
        ("end-time", "end_s: 'end-time'"),
        ("class", "labels: class"),
        ("Category", "labels: Category"),
        ("subset", "split: subset"),
        ("faceX", "face_x: faceX"),
    ],
)
def test_other_names_in_any_spelling(column: str, meant: str):
    with pytest.raises(CatalogError, match=rf"x\.csv.*collection\.columns: \{{{meant}\}}"):
        read_catalog(of(["source_id", column]))


def test_what_the_recipe_names_already_stays_in_the_remedy():
    options = FormatOptions(columns=ColumnNames(source_id="video", start_s="t0"))
    with pytest.raises(CatalogError, match=r"\{source_id: video, start_s: t0, end_s: stop\}"):
        read_catalog(of(["video", "t0", "stop"]), options)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json", "parquet"])
def test_a_length_beside_a_start_is_used(kind: str, tmp_path: Path):
    row = {"source_id": "a", "start_s": 2.5, "duration_s": 1.25}
    path = tmp_path / "x"
    texts = {
        "csv": "source_id,Start_S,duration_s\na,2.5,1.25\n",
        "jsonl": json.dumps(row),
        "json": json.dumps([row]),
    }
    if kind == "parquet":
        duckdb = pytest.importorskip("duckdb")
        duckdb.sql("SELECT 'a' AS source_id, 2.5 AS start_s, 1.25 AS duration_s").write_parquet(
            str(path)
        )
    else:
        path.write_text(texts[kind])
    [clip] = read_file(path).clips
    assert (clip.start_s, clip.end_s) == (2.5, 3.75)


@pytest.mark.parametrize("column", ["duration", "Length", "clip_duration", "duration (sec)"])
def test_a_length_that_is_called_otherwise_is_an_error(column: str):
    with pytest.raises(CatalogError, match=r"passed over.*collection\.columns: \{duration_s: "):
        read_catalog(of(["source_id", "start_s", column]))
    with pytest.raises(CatalogError, match=r"\{start_s: begin, duration_s: "):
        read_catalog(of(["source_id", "begin", column]))
    # Of the whole video, it may be.
    assert read_catalog(of(["source_id", column])).problems == []
    assert "length" not in str(read_catalog(b"source_id,start_s,end_s,length\na,1,2,90\n"))


def test_an_end_goes_before_a_length_and_a_bad_length_costs_its_row():
    data = b"source_id,start_s,end_s,duration_s\na,1,2,90\nb,1,,3\nc,1,,\nd,1,,long\ne,1,,0\n"
    catalog = read_catalog(data)
    assert [(clip.source_id, clip.end_s) for clip in catalog.clips] == [
        ("a", 2),
        ("b", 4),
        ("c", 11),
    ]
    assert [problem.line for problem in catalog.problems] == [5, 6]


@pytest.mark.parametrize(
    ("column", "key"), [("start_ms", "start_s"), ("end-msec", "end_s"), ("startFrame", "start_s")]
)
def test_times_that_by_name_are_no_seconds_are_not_to_be_read_as_such(column: str, key: str):
    with pytest.raises(CatalogError, match=rf"in seconds: {key} made of '{column}', which by name"):
        read_catalog(of(["source_id", column]))


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (["source_id", "notes", "duration", "caption"], ColumnNames()),
        (["source_id", "start_s", "start", "LABELS", "label"], ColumnNames()),
        (["source_id", "begin", "start"], ColumnNames(start_s="begin")),
        (["source_id", "set"], ColumnNames(labels="set")),
        (["source_id", "notes", "notes", "", ""], ColumnNames()),
    ],
    ids=["other columns", "true names", "named", "used for another", "twice and not read"],
)
def test_other_columns_are_left_alone(columns: list[str], names: ColumnNames):
    catalog = read_catalog(of(columns), FormatOptions(columns=names, time_unit="s"))
    assert ([clip.source_id for clip in catalog.clips], catalog.problems) == (["a"], [])


@pytest.mark.parametrize("columns", ["source_id,labels,labels", "source_id,Labels,LABELS"])
def test_a_column_that_is_there_twice_is_an_error(columns: str):
    with pytest.raises(CatalogError, match=r"x\.csv: has 2 columns 'labels'.*rename one"):
        read_catalog(of(columns.split(",")))
