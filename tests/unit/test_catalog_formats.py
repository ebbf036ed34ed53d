"""What each published format holds, and the traps in it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from catalog_files import read_catalog, read_file

from s2s.catalog import FormatOptions, choose_format, read_label_table
from s2s.errors import CatalogError
from s2s.records import ClipRecord
from s2s.settings import ColumnNames


def only(data: bytes, options: FormatOptions | None = None) -> ClipRecord:
    """The one clip of a catalog without problems."""
    catalog = read_catalog(data, options or FormatOptions())
    assert catalog.problems == []
    [clip] = catalog.clips
    return clip


@pytest.mark.parametrize(
    ("data", "split", "is_cc", "labels"),
    [
        (
            b"label,youtube_id,time_start,time_end,split,is_cc\n"
            b'"arm wrestling",-C4lCVBZ3ux,28,38,val,1\n',
            "val",
            True,
            ("arm wrestling",),
        ),
        (
            b"label,youtube_id,time_start,time_end,split\nhigh kick,-C4lCVBZ3ux,28,38,validate\n",
            "validate",
            None,
            ("high kick",),
        ),
        (b"youtube_id,time_start,time_end,split\n-C4lCVBZ3ux,28,38,test\n", "test", None, ()),
    ],
    ids=["400", "700", "test files have no label"],
)
def test_kinetics_as_csv(data: bytes, split: str, is_cc: bool | None, labels: tuple[str, ...]):
    clip = only(data)
    assert (clip.clip_id, clip.split, clip.is_cc) == (
        "-C4lCVBZ3ux_00028000_00038000",
        split,
        is_cc,
    )
    assert clip.labels == labels


ENTRY = {
    "annotations": {"label": "testifying", "segment": [24.5, 34.5]},
    "duration": 10.0,
    "subset": "train",
    "url": "https://www.youtube.com/watch?v=---QUuC4vJs",
}


@pytest.mark.parametrize("indent", [None, 2])
def test_kinetics_as_json(indent: int | None):
    unlabelled = {"annotations": {"segment": [1, 11]}, "subset": "test"}
    content = {"---QUuC4vJs": ENTRY, "abcdefghijk": unlabelled, "no": {"annotations": {}}}
    catalog = read_catalog(json.dumps(content, indent=indent).encode())
    assert [(clip.clip_id, clip.labels, clip.split) for clip in catalog.clips] == [
        ("---QUuC4vJs_00024500_00034500", ("testifying",), "train"),
        ("abcdefghijk_00001000_00011000", (), "test"),
    ]
    [problem] = catalog.problems
    assert (problem.line, problem.message) == (
        3,
        "no: there is no annotations.segment with a start and an end",
    )


def test_json_that_goes_wrong_keeps_what_came_before():
    text = json.dumps({"---QUuC4vJs": ENTRY, "abcdefghijk": ENTRY, "abcdefghijl": ENTRY})
    catalog = read_catalog(text.replace('"abcdefghijk":', '"abcdefghijk"').encode())
    assert [clip.source_id for clip in catalog.clips] == ["---QUuC4vJs"]
    [problem] = catalog.problems
    assert problem.line == 2
    assert "is not JSON from here on" in problem.message


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"source_id": "b", "labels": NaN}', "JSON has no NaN: write null"),
        ('{"source_id": ' + "[" * 100_000, "more than 100 arrays and objects in each other"),
    ],
)
def test_json_that_goes_wrong_says_why_in_one_line(row: str, message: str):
    catalog = read_catalog(f'[{{"source_id": "abc"}}, {row}]'.encode())
    assert [clip.source_id for clip in catalog.clips] == ["abc"]
    [problem] = catalog.problems
    assert message in problem.message
    assert "\n" not in problem.message


def test_a_cell_that_is_too_long_and_an_id_of_other_characters_are_said_plainly():
    long = "x" * 200_000
    data = f"source_id,labels\nabc,{long}\na b,dog\n{'a' * 129},dog\nabc,dog\n".encode()
    catalog = read_catalog(data)
    assert [clip.source_id for clip in catalog.clips] == ["abc"]
    cell, *ids = [problem.message for problem in catalog.problems]
    assert cell == "a cell is longer than 131,072 characters"
    assert all("others than letters, digits, - and _" in message for message in ids)


@pytest.mark.parametrize(
    "line",
    [
        b"high kick/-C4lCVBZ3ux_000028_000038.mp4",
        b"-C4lCVBZ3ux_000028_000038.mp4 17",
        b"-C4lCVBZ3ux_000028_000038",
    ],
)
def test_kinetics_as_a_list_of_files(line: bytes):
    assert only(line).clip_id == "-C4lCVBZ3ux_00028000_00038000"


def test_avspeech_has_fractions_and_a_face_in_each_clip():
    rows = b"CJoOwXcjhds,233.266000,239.367000,0.780469,0.670833\n"
    rows += b"CJoOwXcjhds,233.266000,239.367000,0.200000,0.670833\n"
    catalog = read_catalog(rows)
    assert [clip.clip_id for clip in catalog.clips] == [
        "CJoOwXcjhds_00233266_00239367_x780_y671",
        "CJoOwXcjhds_00233266_00239367_x200_y671",
    ]
    assert catalog.clips[0].face_xy == (0.780469, 0.670833)


def test_a_face_outside_the_picture_is_a_problem():
    catalog = read_catalog(b"CJoOwXcjhds,1,2,0.5,0.5\nCJoOwXcjhds,2,3,1.5,0.5\n")
    [problem] = catalog.problems
    assert problem.message == "face position '1.5', '0.5' is not two fractions of the picture"


AUDIOSET = b"""\
# Segments csv created Sun Mar  5 10:54:25 2017
# num_ytids=2, num_segs=2
# YTID, start_seconds, end_seconds, positive_labels
--4gqARaEJE, 0.000, 10.000, "/m/068hy,/m/05zppz"
--BfvyPmVMo, 20.000, 29.500, "/m/068hy"
"""
TABLE = {"/m/068hy": "Domestic animals, pets", "/m/05zppz": "Male speech, man speaking"}


def test_audioset_has_comments_spaces_and_several_labels():
    catalog = read_catalog(AUDIOSET)
    assert catalog.problems == []
    assert [(clip.clip_id, clip.labels) for clip in catalog.clips] == [
        ("--4gqARaEJE_00000000_00010000", ("/m/068hy", "/m/05zppz")),
        ("--BfvyPmVMo_00020000_00029500", ("/m/068hy",)),
    ]


def test_audiosets_table_names_its_labels():
    clips = read_catalog(AUDIOSET, FormatOptions(label_names=TABLE)).clips
    assert clips[0].labels == ("Domestic animals, pets", "Male speech, man speaking")
    unknown = AUDIOSET + b'abcdefghijk, 1.000, 2.000, "/m/0"\n'
    [problem] = read_catalog(unknown, FormatOptions(label_names=TABLE)).problems
    assert (problem.line, problem.message) == (6, "label '/m/0' is not in the label table")


@pytest.mark.parametrize("content", ["", "mid,name\n", 'index,mid,display_name\n0,/m/1,"a\n'])
def test_a_file_that_is_no_label_table_is_refused(tmp_path: Path, content: str):
    path = tmp_path / "labels.csv"
    path.write_text(content)
    with pytest.raises(CatalogError, match=r"label table .*labels\.csv"):
        read_label_table(path)


MINE = ColumnNames(source_id="video", start_s="begin", end_s="stop", labels="class", split="set")
WANTED = ClipRecord(
    source_id="a-1", start_s=1.5, end_s=4, labels=("one, two", "three"), split="val"
)


def test_a_table_of_ones_own(tmp_path: Path):
    options = FormatOptions(columns=MINE)
    table = b'nr,video,begin,stop,class,set\n7,a-1,1.5,4,"one, two|three",val\n'
    assert only(table, options) == WANTED
    assert only(table.replace(b'"one, two|three"', b"three").replace(b",", b"\t"), options) == (
        replace(WANTED, labels=("three",))
    )
    row = {"video": "a-1", "begin": 1.5, "stop": 4, "class": ["one, two", "three"], "set": "val"}
    assert only(json.dumps(row).encode(), options) == WANTED
    assert only(json.dumps(row | {"class": "one, two|three"}).encode(), options) == WANTED


def test_a_table_may_be_parquet(tmp_path: Path):
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "mine.parquet"
    duckdb.sql(
        "SELECT 'a-1' AS video, 1.5 AS begin, 4 AS stop, ['one, two', 'three'] AS class, "
        "'val' AS set UNION ALL SELECT 'no id', 1, 2, [], NULL"
    ).write_parquet(str(path))
    catalog = read_file(path, FormatOptions(columns=MINE))
    assert catalog.clips == [WANTED]
    [problem] = catalog.problems
    assert problem.line == 2
    assert "source_id 'no id'" in problem.message


def test_of_a_table_only_the_sources_are_needed():
    table = b"source_id,note\na,x\nb,y\n"
    assert [clip.clip_id for clip in read_catalog(table, FormatOptions(3.0)).clips] == [
        "a_00000000_00003000",
        "b_00000000_00003000",
    ]


@pytest.mark.parametrize(
    "data", [b"video,begin\na,1\n", b'{"video": "a", "begin": 1}\n'], ids=["csv", "jsonl"]
)
def test_a_column_that_is_not_there_is_named_with_those_that_are(data: bytes):
    with pytest.raises(CatalogError, match=r"x\.csv: has no column 'stop', it has video, begin"):
        read_catalog(data, FormatOptions(columns=ColumnNames(source_id="video", end_s="stop")))


def test_a_parquet_file_without_a_column_is_refused(tmp_path: Path):
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "x.parquet"
    duckdb.sql("SELECT 1 AS video").write_parquet(str(path))
    with pytest.raises(CatalogError, match=r"has no column 'source_id', it has video"):
        read_file(path)
    path.write_bytes(b"PAR1 and nothing of it")
    with pytest.raises(CatalogError, match="is no Parquet file"):
        read_file(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"label,youtube_id,time_start,time_end\n,abcdefghijk,38,28\n", "ends at 28 s, it starts"),
        (b"label,youtube_id,time_start,time_end\na,b,abcdefghijk,1,2\n", "has 5 columns, not 4"),
        (b"source_id,start_s\n,1\n", "column source_id is empty"),
        (b'{"source_id": "a"}\n[1]\n', "is not a JSON object"),
        (b'{"source_id": "a"}\n{"source_id": \n', "Expecting value"),
        (b'{"source_id": "a"}\n\xff\n', "UTF-8"),
    ],
)
def test_a_row_that_is_no_clip_says_why(data: bytes, said: str):
    [problem] = read_catalog(data).problems
    assert said in problem.message


def test_what_a_format_has_no_place_for_is_refused(tmp_path: Path):
    path = tmp_path / "out"
    two = ClipRecord(source_id="a", start_s=0, end_s=10, labels=("b", "c"), split="test")
    samples = {
        b"a,1,dog\n": "2 labels, and there is a place for one",
        b"youtube_id,time_start,time_end\nabcdefghijk,1,2\n": "2 labels",
        b'{"abcdefghijk": {"annotations": {"segment": [1, 2]}}}': "2 labels",
        b"a,1,2,0.5,0.5\n": "no position of a face",
        b"abcdefghijk_000001_000002.mp4": "2 labels",
    }
    for data, said in samples.items():
        path.write_bytes(data)
        layout = choose_format(path, "x", FormatOptions())
        with pytest.raises(CatalogError, match=rf"a_00000000_00010000: cannot be written.*{said}"):
            layout.write([two], tmp_path / "written")
