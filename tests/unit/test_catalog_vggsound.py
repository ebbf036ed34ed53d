"""VGGSound's rows: what is a clip, what is a problem, and that one row never costs another."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from catalog_files import read_catalog, read_file
from hypothesis import given
from hypothesis import strategies as st

from s2s.catalog import FormatOptions
from s2s.errors import CatalogError
from s2s.records import ClipRecord

VGGSOUND = FormatOptions(format="vggsound")
GOOD = b"glLQrEijrKg,300,playing hammond organ,test"


def problems_of(*rows: bytes) -> list[tuple[int, str]]:
    catalog = read_catalog(b"\n".join([*rows, GOOD]), VGGSOUND)
    assert len(catalog.clips) == 1, "the good row is read whatever the others are"
    return [(problem.line, problem.message) for problem in catalog.problems]


def test_a_row_is_a_clip_of_the_asked_length():
    assert read_catalog(GOOD).clips == [
        ClipRecord(
            source_id="glLQrEijrKg",
            start_s=300,
            end_s=310,
            labels=("playing hammond organ",),
            split="test",
        )
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf-XxUW9gW6mc,60,wind rustling leaves,test\n",
        b"-XxUW9gW6mc,60,wind rustling leaves,test\r\n\r\n",
        b"\n  \n-XxUW9gW6mc,60,wind rustling leaves,test",
        b" -XxUW9gW6mc , 60 ,wind rustling leaves, test ",
    ],
    ids=["byte order mark", "windows line ends", "blank lines", "spaces"],
)
def test_what_editors_do_to_a_file_changes_nothing(text: bytes):
    catalog = read_catalog(text)
    assert [(clip.clip_id, clip.labels, clip.split) for clip in catalog.clips] == [
        ("-XxUW9gW6mc_00060000_00070000", ("wind rustling leaves",), "test")
    ]
    assert catalog.problems == []


def test_split_and_label_may_be_missing():
    clips = read_catalog(b"a,1,dog\nb,2,,train\nc,3,cat,").clips
    assert [(clip.labels, clip.split) for clip in clips] == [
        (("dog",), None),
        ((), "train"),
        (("cat",), None),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (b"one,two", "has 2 columns"),
        (b"aEYwqY-Zt_k,11,donkey, ass braying,test", "a label with a comma needs quotes"),
        (b'aEYwqY-Zt_k,11,"donkey, ass braying,test', "a quote is opened and never closed"),
        (b"youtube_id,start,label,split", "start 'start' is not a number"),
        (b"abc,-1,dog,test", "start '-1' is not between"),
        (b"abc,nan,dog,test", "start 'nan' is not between"),
        (b"abc,1e300,dog,test", "start '1e300' is not between"),
        (b"../../etc/passwd,1,dog,test", "source_id '../../etc/passwd'"),
        (b",1,dog,test", "source_id ''"),
        (b"abc,1,a|b,test", "holds '|'"),
        (b"abc,1,\xff\xfe,test", "not UTF-8"),
        (b"abc,1,a\x00b,test", "control character"),
    ],
)
def test_a_row_that_cannot_be_read_is_reported_with_its_line(row: bytes, said: str):
    [(line, message)] = problems_of(b"", row)
    assert line == 2
    assert said in message


def test_a_clip_that_comes_twice_is_taken_once():
    rows = b"a,1,dog\nb,1,dog\na,2,dog\na,1.0,cat\n"
    catalog = read_catalog(rows)
    assert [clip.clip_id for clip in catalog.clips] == [
        "a_00001000_00011000",
        "b_00001000_00011000",
        "a_00002000_00012000",
    ]
    [problem] = catalog.problems
    assert (problem.line, problem.name) == (4, "line-4")
    assert problem.message == "duplicate of line 1 with another label: a_00001000_00011000"


@pytest.mark.parametrize(
    ("row", "how"),
    [
        ("a,1,dog,train", ""),
        ("a,1.0,cat,train", " with another label"),
        ("a,1,dog,test", " with another split"),
        ("a,1,cat,test", " with another label and another split"),
    ],
)
def test_duplicates_that_contradict_are_told(row: str, how: str):
    [problem] = read_catalog(f"a,1,dog,train\nb,2,cat,val\n{row}\n".encode()).problems
    assert problem.message == f"duplicate of line 1{how}: a_00001000_00011000"


@pytest.mark.parametrize("data", [b"", b"\n\r\n  \n", b"\xef\xbb\xbf"])
def test_an_empty_catalog_names_the_file_and_the_remedy(data: bytes):
    with pytest.raises(CatalogError, match=r"catalogs/x\.csv is empty.*Fetch it again"):
        read_catalog(data, name="catalogs/x.csv")


def test_the_published_rows_are_all_read(real_data: Path):
    path = real_data / "catalogs" / "vggsound-test-head.csv"
    catalog = read_file(path)
    assert len(catalog.clips) == 1500
    assert catalog.problems == []
    assert {clip.split for clip in catalog.clips} == {"test"}
    assert sum(clip.source_id.startswith("-") for clip in catalog.clips) == 31
    assert ("heart sounds, heartbeat",) in {clip.labels for clip in catalog.clips}


labels = st.text(
    st.characters(blacklist_categories=["Cc", "Cs", "Zl", "Zp"], blacklist_characters="|"),
    min_size=1,
    max_size=40,
).map(str.strip)


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[A-Za-z0-9_-]{11}", fullmatch=True), st.integers(0, 86400), labels
        ),
        min_size=1,
        max_size=20,
        unique_by=lambda row: row[:2],
    )
)
def test_every_row_that_the_csv_module_writes_comes_back(rows: list[tuple[str, int, str]]):
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    # Starts are any here, so that a list of them may look like milliseconds.
    catalog = read_catalog(text.getvalue().encode(), replace(VGGSOUND, time_unit="s"))
    assert catalog.problems == []
    assert [(clip.source_id, clip.start_s, "".join(clip.labels)) for clip in catalog.clips] == rows
