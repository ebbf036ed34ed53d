"""What is said of a file that is in no format: the remedy that fits it."""

import json
from collections.abc import Callable

import pytest
from catalog_files import read_catalog

from s2s.catalog import FormatOptions
from s2s.errors import CatalogError
from s2s.settings import ColumnNames

IDS = ["dQw4w9WgXcQ", "9bZkp7q19f0", "kJQP7kiw5Fk"]
URL = "https://www.youtube.com/watch?v="


def advice(rows: list[str], **options: object) -> str:
    with pytest.raises(CatalogError) as found:
        read_catalog("\n".join(rows).encode(), FormatOptions(**options))  # pyright: ignore[reportArgumentType]
    return str(found.value)


# A row without a first line that names its columns, and the line that would.
HEADLESS = {
    "{id},dog": "source_id,labels;",
    "{id}\tdog\ttrain": "source_id,labels,split;",
    "{id},1,11": "source_id,start_s,end_s,",
    "{id},1,11,dog": "source_id,start_s,end_s,labels,",
    "{id};0:01;0:11;dog;test": "source_id,start_s,end_s,labels,split,",
    "dog,{id},1.5,11.5,train,x": "labels,source_id,start_s,end_s,split,column_6,",
    "{url}{id},dog": "source_id,labels;",
    "{url}{id}": "source_id;",
    "{id}": "source_id;",
    '{id},"playing, a lot"': "source_id,labels;",
}


@pytest.mark.parametrize("row", HEADLESS)
def test_the_line_to_put_in_front_is_said_and_works(row: str):
    rows = [row.format(id=name, url=URL) for name in IDS]
    said = advice(rows)
    assert f"put this line in front: {HEADLESS[row]}" in said
    assert "web page" not in said
    delimiter = next((each for each in "\t;," if each in row), ",")
    header = HEADLESS[row].rstrip(";,").replace(",", delimiter)
    catalog = read_catalog("\n".join([header, *rows]).encode())
    assert ([clip.source_id for clip in catalog.clips], catalog.problems) == (IDS, [])
    assert {"1,11" in row, "0:01" in row} & {catalog.clips[0].end_s == 11.0}


def test_what_is_not_in_the_file_is_told():
    assert "a clip starts at 0 and lasts spec.duration_s" in advice([f"{name},dog" for name in IDS])
    assert "times in seconds" in advice([f"{name},1,2" for name in IDS])


def test_it_is_told_where_the_format_is_said_too():
    said = advice([f"{name},1,11,dog" for name in IDS], format="csv")
    assert "put this line in front: source_id,start_s,end_s,labels" in said


@pytest.mark.parametrize(
    ("header", "names", "mapping"),
    [
        (
            "video,start,end,label",
            {},
            "source_id: video, start_s: start, end_s: end, labels: label",
        ),
        ("YouTube ID;Start;Class", {}, "source_id: 'YouTube ID', start_s: Start, labels: Class"),
        ("filename,class,subset", {}, "source_id: filename, labels: class, split: subset"),
        ("vid,t,label", {"source_id": "id"}, "source_id: vid, labels: label"),
        ("begin,stop,label", {}, "source_id: '…', start_s: begin, end_s: stop, labels: label"),
        ("video,start_ms,label", {}, "source_id: video, labels: label"),
    ],
)
def test_columns_are_named_where_the_first_line_names_others(
    header: str, names: dict[str, str], mapping: str
):
    delimiter = ";" if ";" in header else ","
    row = delimiter.join(["abc", "1", "2", "3"][: header.count(delimiter) + 1])
    said = advice([header, row, row], columns=ColumnNames(**names))
    assert f"collection.columns: {{{mapping}}}" in said
    assert ("start_s made of 'start_ms', which by name is not in seconds" in said) == (
        "_ms" in header
    )


@pytest.mark.parametrize("pack", [json.dumps, lambda rows: "\n".join(map(json.dumps, rows))])
@pytest.mark.parametrize("said", ["auto", "right"])
def test_other_names_in_json_are_named_too(pack: Callable[[list], str], said: str):
    rows = [{"id": "abc", "start": 1, "end": 2, "tags": ["dog"]}] * 2
    text = pack(rows)
    kind = {"auto": "auto", "right": "json" if text.startswith("[") else "jsonl"}[said]
    with pytest.raises(CatalogError, match=r"\{source_id: id, start_s: start, end_s: end, lab"):
        read_catalog(text.encode(), FormatOptions(format=kind))


@pytest.mark.parametrize(
    ("start", "said"), [("1,5", "1.5"), ("12,25", "12.25"), ("1,000", "1.000 or 1000")]
)
def test_a_decimal_comma_is_told(start: str, said: str):
    catalog = read_catalog(f"source_id;start_s\na;{start}\nb;2\n".encode())
    assert len(catalog.clips) == 1
    assert catalog.problems[0].message.endswith(f"seconds: write {said}")


@pytest.mark.parametrize(
    "row",
    [
        "videos/dog {n}.mp4",
        "dog/v_{n}.avi 1",
        "/data/a/{n}.mkv",
        "C:\\a\\{n}.MOV,dog,train",
        "{n}.webm",
    ],
)
def test_a_list_of_files_is_told_that_their_folder_is_a_catalog(row: str):
    said = advice([row.format(n=n) for n in range(4)])
    assert "collection: {catalog: FOLDER, format: folder}" in said


def test_of_anything_else_the_format_is_asked_for():
    said = advice(["some words", "that are", "no catalog"])
    assert "Say which with collection.format" in said


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("video,be\rgin\nfoo,1\nbar,2\n", 1),
        ('name,what\nfoo,"a"b\rc\nbar,2\n', 2),
        ("source_id,be\rgin\nfoo,1\nbar,2\n", 1),
        ('name\twhat\nfoo\t"a\rb"\nb\rr\t2\n', 3),
    ],
)
def test_a_carriage_return_in_a_row_is_told_with_its_line(text: str, line: int):
    assert f"Line {line} has a carriage return in the middle" in advice([text])


def test_a_carriage_return_in_quotes_is_told_of_no_row():
    said = advice(['"a\rb",what', "foo,bar", "foo,baz"])
    assert "carriage return" not in said


def test_a_cell_that_is_too_long_does_not_hide_the_advice():
    rows = ["video,start", f"{'x' * 140_000},1", "foo,1"]
    assert "source_id: video, start_s: start" in advice(rows)


@pytest.mark.parametrize("n_rows", [0, 1, 5])
def test_a_header_with_semicolons_is_not_said_to_have_spaces(n_rows: int):
    said = advice(["video_id;begin;end;class", *["foo;1;2;dog"] * n_rows])
    assert "separated by" not in said
    assert "source_id: video_id, start_s: begin, end_s: end, labels: class" in said
