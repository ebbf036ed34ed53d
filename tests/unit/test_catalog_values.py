"""What cells say: times, numbers, labels, ids; Python's own readers take more than is meant."""

import json
from pathlib import Path

import pytest
from catalog_files import read_catalog, read_file
from hypothesis import given
from hypothesis import strategies as st

from s2s.catalog import FormatOptions
from s2s.settings import ColumnNames


def start_of(text: str) -> float:
    [clip] = read_catalog(f"source_id;start_s\nabc;{text}\n".encode()).clips
    return clip.start_s


@pytest.mark.parametrize(
    ("text", "start_s"),
    [
        ("7", 7),
        ("07.50", 7.5),
        (".5", 0.5),
        ("5.", 5),
        ("1e1", 10),
        ("1.5E-1", 0.15),
        ("0:07", 7),
        ("1:02:03", 3723),
        ("00:00:03.250", 3.25),
        ("00:01:03,25", 63.25),
        ("86400", 86400),
        ("24:00:00", 86400),
    ],
)
def test_times(text: str, start_s: float):
    assert start_of(text) == start_s


NO_TIMES = [
    *("1_0", "١٢", "１２", "nan", "inf", "-inf", "infinity", "1e400", "1e9999", "0x10", "1 0"),
    *("1,5,5", "86400.1", "267000", "00:60", "1:2:3:4", "99:00:00", "1:-2", "-0:01", "--1"),
    *("1e", "e1", ".", "１:２", "1:٢", "True", "2024-01-01", "1.2.3", "²", "1" * 400),
]


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time(text: str):
    for data in (
        f"source_id;start_s\nabc;{text}\n",
        f"abc;{text};dog\n" + "abd;1;dog\n",
        json.dumps({"source_id": "abc", "start_s": text}),
    ):
        catalog = read_catalog(data.encode())
        assert "abc" not in [clip.source_id for clip in catalog.clips]
        assert len(catalog.problems) == 1


@pytest.mark.parametrize("value", [True, False, [1], {"a": 1}, float("nan"), float("inf"), 10**400])
@pytest.mark.parametrize("column", ["end_s", "face_x"])
def test_json_that_is_no_number(column: str, value: object):
    row = {"source_id": "abc", "start_s": 0, "face_y": 0.5, "face_x": 0.5, column: value}
    if column == "end_s" and str(value) == "nan":
        return  # a gap: the clip has the recipe's length
    catalog = read_catalog(json.dumps(row).encode())
    assert (catalog.clips, len(catalog.problems)) == ([], 1)


@given(st.floats(0, 86400))
def test_every_float_that_python_writes_is_read(start_s: float):
    assert start_of(repr(start_s)) == start_s


def test_milliseconds_are_not_taken_for_seconds():
    rows = "".join(f"abcdefghij{n},{n}000000,dog\n" for n in range(1, 9))
    [problem, *_] = read_catalog(rows.encode(), FormatOptions(format="vggsound")).problems
    assert "is it in milliseconds?" in problem.message


@pytest.mark.parametrize(
    ("labels", "read"),
    [
        ("NaN", ()),
        ("null", ()),
        ('""', ()),
        ("[]", ()),
        ('["a", NaN, null, "", "b"]', ("a", "b")),
        ("7", ("7",)),
        ("7.0", ("7",)),
        ('"nan"', ("nan",)),
        ('"a|b"', ("a", "b")),
    ],
)
def test_labels_of_json(labels: str, read: tuple[str, ...]):
    [clip] = read_catalog(
        f'{{"source_id": "abc", "labels": {labels}, "split": NaN}}'.encode()
    ).clips
    assert (clip.labels, clip.split) == (read, None)


@pytest.mark.parametrize(
    "labels", ["true", '{"a": 1}', '[["a"]]', "[true]", "Infinity1", '"a\\nb"']
)
def test_what_is_no_label(labels: str):
    data = f'{{"source_id": "abd"}}\n{{"source_id": "abc", "labels": {labels}}}\n'
    catalog = read_catalog(data.encode())
    assert [clip.source_id for clip in catalog.clips] == ["abd"]
    assert len(catalog.problems) == 1


@pytest.mark.parametrize("source_id", ["true", "NaN", "1.5", '["a"]', '{"a": 1}', "null", '"a b"'])
def test_what_is_no_id(source_id: str):
    data = f'{{"source_id": "abd"}}\n{{"source_id": {source_id}}}\n'
    catalog = read_catalog(data.encode())
    assert [clip.source_id for clip in catalog.clips] == ["abd"]
    assert len(catalog.problems) == 1


def test_gaps_of_parquet(tmp_path: Path):
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "x.parquet"
    duckdb.sql(
        "SELECT 'a' AS SOURCE_ID, 'NaN'::DOUBLE AS labels, 7::BIGINT AS Start_S"
    ).write_parquet(str(path))
    [clip] = read_file(path).clips
    assert (clip.labels, clip.start_s) == ((), 7)


ID = "-_aB3dE7xY0"
URLS = [
    "https://www.youtube.com/watch?v={}",
    "http://youtube.com/watch?v={}&t=30s",
    "https://m.youtube.com/watch?app=desktop&v={}",
    "https://music.youtube.com/watch?v={}&list=PL1",
    "https://youtu.be/{}",
    "https://youtu.be/{}?t=5",
    "youtu.be/{}",
    "www.youtube.com/watch?v={}",
    "https://www.youtube.com/embed/{}?start=3",
    "https://www.youtube-nocookie.com/embed/{}",
    "https://www.youtube.com/shorts/{}",
    "https://www.youtube.com/live/{}?feature=share",
    "https://www.youtube.com/v/{}",
    "HTTPS://WWW.YouTube.com/watch?v={}",
    "//www.youtube.com/watch?v={}#t=3",
]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize(
    "row",
    [
        "{},1,dog,test\n",
        "source_id,start_s\n{},1\n",
        "label,youtube_id,time_start,time_end\ndog,{},1,11\n",
        "{},1,11,0.5,0.5\n",
        '{}, 1.000, 11.000, "/m/1"\n',
        'dog&"{}"&good&1&11\n',
    ],
)
def test_urls_of_youtubes(row: str, url: str):
    [clip] = read_catalog(row.format(url.format(ID)).encode()).clips
    assert clip.source_id == ID


@pytest.mark.parametrize(
    "url",
    [
        "https://vimeo.com/1234",
        "https://www.youtube.com/",
        "https://www.youtube.com/channel/UC123",
        "https://www.youtube.com/playlist?list=PL1",
        "https://evil.example/watch?v=-_aB3dE7xY0",
        "https://notyoutube.com/watch?v=-_aB3dE7xY0",
        "https://youtube.com.evil.example/watch?v=-_aB3dE7xY0",
        "https://youtu.be/",
        "https://youtu.be/a%2F..",
        "https://www.youtube.com/watch?v=../../etc",
    ],
)
def test_other_urls_are_bad_rows(url: str):
    catalog = read_catalog(f"source_id,start_s\n{url},1\nabc,1\n".encode())
    assert [clip.source_id for clip in catalog.clips] == ["abc"]
    assert len(catalog.problems) == 1


def test_columns_in_any_case():
    names = ColumnNames(source_id="Video", labels="class")
    data = b"VIDEO,Class,Start_S\nabc,dog,3\n"
    [clip] = read_catalog(data, FormatOptions(columns=names)).clips
    assert (clip.source_id, clip.labels, clip.start_s) == ("abc", ("dog",), 3)
    [clip] = read_catalog(
        b'{"id": 1, "VIDEO": "abc"}\n'.replace(b"}", b', "CLASS": "dog"}'),
        FormatOptions(columns=names),
    ).clips
    assert clip.labels == ("dog",)
    both = read_catalog(b"id,ID\na,b\n", FormatOptions(columns=ColumnNames(source_id="ID")))
    assert both.clips[0].source_id == "b"


def test_a_column_that_only_later_rows_of_json_lines_have():
    names = ColumnNames(source_id="id", labels="class")
    data = b'{"id": "abc"}\n{"id": "abd", "class": "dog"}\n'
    assert [clip.labels for clip in read_catalog(data, FormatOptions(columns=names)).clips] == [
        (),
        ("dog",),
    ]
