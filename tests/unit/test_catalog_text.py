"""However a file was saved: other encodings, line ends, packed, line breaks in quoted cells."""

import bz2
import csv
import gzip
import io
import json
import lzma
import tarfile

import pytest
from catalog_files import read_catalog
from hypothesis import given
from hypothesis import strategies as st

from s2s.catalog import FormatOptions
from s2s.errors import CatalogError

VGGSOUND = "aaaaaaaaaaa,1,dog – größer,test\nbbbbbbbbbbb,2,cat,train\n"
TABLE = 'Source_ID,START_S,Labels\naaaaaaaaaaa,1,"dog – größer"\nbbbbbbbbbbb,2,cat\n'
LINES = (
    '{"source_id": "aaaaaaaaaaa", "start_s": 1, "labels": "dog – größer"}\n'
    '{"source_id": "bbbbbbbbbbb", "start_s": 2, "labels": "cat"}\n'
)
ARRAY = f"[{','.join(LINES.splitlines())}]"
LIST = "dog – größer/aaaaaaaaaaa_000001_000011.mp4\ncat/bbbbbbbbbbb_000002_000012.mp4\n"
AVE = (
    "Category&VideoID&Quality&StartTime&EndTime\n"
    "dog – größer&aaaaaaaaaaa&good&1&11\ncat&bbbbbbbbbbb&good&2&12\n"
)
KINETICS = json.dumps(
    {
        "aaaaaaaaaaa": {"annotations": {"label": "dog – größer", "segment": [1, 11]}},
        "bbbbbbbbbbb": {"annotations": {"label": "cat", "segment": [2, 12]}},
    },
    ensure_ascii=False,
)
WANTED = [
    ("aaaaaaaaaaa_00001000_00011000", ("dog – größer",)),
    ("bbbbbbbbbbb_00002000_00012000", ("cat",)),
]
SAVED = {
    "plain": str.encode,
    "mark": lambda text: text.encode("utf-8-sig"),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16 big": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "utf-16 without a mark": lambda text: text.encode("utf-16-le"),
    "utf-16 big without a mark": lambda text: text.encode("utf-16-be"),
    "utf-32": lambda text: text.encode("utf-32"),
    "gzip": lambda text: gzip.compress(text.encode()),
    "gzip of utf-16": lambda text: gzip.compress(text.encode("utf-16")),
    "bzip2": lambda text: bz2.compress(text.encode()),
    "xz": lambda text: lzma.compress(text.encode()),
    "cr": lambda text: text.replace("\n", "\r").encode(),
    "crlf with a mark": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "blank lines in front": lambda text: b"\n \n" + text.encode(),
    "no end of the last line": lambda text: text.rstrip("\n").encode(),
}


@pytest.mark.parametrize("saved", SAVED)
@pytest.mark.parametrize(
    "text",
    [VGGSOUND, TABLE, LINES, ARRAY, LIST, AVE, KINETICS],
    ids=["vggsound", "table", "lines", "array", "list", "ave", "kinetics"],
)
def test_how_a_file_was_saved_changes_nothing(text: str, saved: str):
    catalog = read_catalog(SAVED[saved](text))
    assert catalog.problems == []
    assert [(clip.clip_id, clip.labels) for clip in catalog.clips] == WANTED


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
@pytest.mark.parametrize(
    "text",
    [
        VGGSOUND,
        TABLE,
        "label,YouTube_ID,Time_Start,Time_End,Split\ndog – größer,aaaaaaaaaaa,1,11,test\n"
        "cat,bbbbbbbbbbb,2,12,val\n",
        "aaaaaaaaaaa_000001.mp4,dog – größer\nbbbbbbbbbbb_000002.mp4,cat\n",
        "Video_ID,label,modality\naaaaaaaaaaa_000001,dog – größer,A\nbbbbbbbbbbb_000002,cat,V\n",
    ],
)
def test_cells_may_be_separated_otherwise(text: str, delimiter: str):
    catalog = read_catalog(text.replace(",", delimiter).encode())
    assert catalog.problems == []
    assert [(clip.clip_id, clip.labels) for clip in catalog.clips] == WANTED


def test_faces_and_ids_of_labels_too():
    face = read_catalog(b"aaaaaaaaaaa\t1\t2.5\t0.25\t0.5\n").clips
    assert face[0].face_xy == (0.25, 0.5)
    ids = read_catalog(b'aaaaaaaaaaa;1;2.5;"/m/1,/m/2"\n').clips
    assert ids[0].labels == ("/m/1", "/m/2")


QUOTED = (
    "source_id,start_s,labels,note\n"
    'aaaaaaaaaaa,0,dog,"seen at:\n\nccccccccccc,7,same dog,better light"\n'
    "bbbbbbbbbbb,5,cat,ok\n"
)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_break_in_quotes_is_part_of_its_cell(end: str):
    catalog = read_catalog(QUOTED.replace("\n", end).encode())
    assert [(clip.source_id, clip.labels) for clip in catalog.clips] == [
        ("aaaaaaaaaaa", ("dog",)),
        ("bbbbbbbbbbb", ("cat",)),
    ]
    assert catalog.problems == []


def test_lines_are_counted_as_an_editor_does():
    catalog = read_catalog((QUOTED + "no row\n").encode())
    assert [problem.line for problem in catalog.problems] == [6]


def test_an_old_mac_file_may_have_line_feeds_in_cells():
    text = 'source_id,note\raaaaaaaaaaa,"one\ntwo"\rbbbbbbbbbbb,ok\r'
    assert [clip.source_id for clip in read_catalog(text.encode()).clips] == [
        "aaaaaaaaaaa",
        "bbbbbbbbbbb",
    ]


@pytest.mark.parametrize(
    "row",
    ['x,1,"never closed', 'x,1,"closed" too early', 'x,1,"a ""quote""', '"', 'x,"1\n,2'],
)
def test_an_open_quote_costs_no_other_row(row: str):
    good = [f'{n:011d},{n},"a, quoted label",test' for n in range(300)]
    text = "\n".join([*good[:3], row, *good[3:]])
    catalog = read_catalog(text.encode(), FormatOptions(format="vggsound"))
    assert [clip.source_id for clip in catalog.clips] == [f"{n:011d}" for n in range(300)]
    assert {problem.line for problem in catalog.problems} <= {4, 5}
    assert catalog.problems


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=20)


@given(st.lists(cells, min_size=1, max_size=8), st.sampled_from([",", ";", "\t"]))
def test_rows_are_those_of_the_csv_module(notes: list[str], delimiter: str):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(["source_id", "note"])
    writer.writerows((f"id{place}", note) for place, note in enumerate(notes))
    catalog = read_catalog(text.getvalue().encode())
    assert catalog.problems == []
    assert [clip.source_id for clip in catalog.clips] == [f"id{n}" for n in range(len(notes))]


def test_what_is_no_character_costs_its_row():
    data = "aaaaaaaaaaa,1,dog\nbbbbbbbbbbb,2,cat\nccccccccccc,3,owl\n".encode("utf-16-le")
    lone = data.replace("cat".encode("utf-16-le"), b"c\x00\x00\xdct\x00")
    catalog = read_catalog(b"\xff\xfe" + lone + b"x")
    assert [clip.source_id for clip in catalog.clips] == ["aaaaaaaaaaa", "ccccccccccc"]
    assert [problem.message for problem in catalog.problems] == ["is not UTF-8 text"] * 2


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_file_that_is_cut_short_is_named(pack):
    rows = "".join(f"{n:011d},{n},dog {n * 7919 % 1000}\n" for n in range(20_000))
    packed = pack(rows.encode())
    with pytest.raises(CatalogError, match=r"is packed, and damaged or cut short"):
        read_catalog(packed[: len(packed) // 2])


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"PK\x03\x04", "zip archive or an Excel"),
        (b"%PDF-1.4", "a PDF"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    ],
)
def test_another_kind_of_file_is_named(start: bytes, said: str):
    with pytest.raises(CatalogError, match=said):
        read_catalog(start + b"\n" * 100)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_a_tar_archive_is_named(pack, form: int):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=form) as tar:
        entry = tarfile.TarInfo("data/vggsound.csv")
        entry.size = len(VGGSOUND.encode())
        tar.addfile(entry, io.BytesIO(VGGSOUND.encode()))
    with pytest.raises(CatalogError, match=r"is a tar archive: unpack it"):
        read_catalog(pack(archive.getvalue()))


@pytest.mark.parametrize("inner", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("outer", [gzip.compress, bz2.compress, lzma.compress])
def test_a_file_that_is_packed_twice_is_named(inner, outer):
    with pytest.raises(CatalogError, match=r"is packed twice"):
        read_catalog(outer(inner(VGGSOUND.encode())))


def test_an_archive_that_is_packed_is_named():
    with pytest.raises(CatalogError, match="is a zip archive"):
        read_catalog(gzip.compress(b"PK\x03\x04" + b"\n" * 100))
