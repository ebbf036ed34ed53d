"""Which format a file is in: found from its content, or said."""

import json

import pytest
from catalog_files import read_catalog

from s2s.catalog import FormatOptions
from s2s.errors import CatalogError


def read_as(name: str, data: bytes) -> list[str]:
    return [clip.clip_id for clip in read_catalog(data, FormatOptions(format=name)).clips]


@pytest.mark.parametrize(("n_good", "n_bad"), [(1, 2), (1, 4844), (60, 140), (99, 101)], ids=str)
@pytest.mark.parametrize(
    "row",
    [
        "abcdefghij{n},1,dog,test",
        "dog/abcdefghij{n}_000001_000011.mp4",
        "abcdefghij{n},1,2,0.5,0.5",
        "Dog&abcdefghij{n}&good&0&10",
    ],
)
def test_a_few_fitting_rows_make_no_format(row: str, n_good: int, n_bad: int):
    good = [row.format(n=n % 10) for n in range(n_good)]
    bad = [f"some/path/video {n}.mp4 {n}" for n in range(n_bad)]
    with pytest.raises(CatalogError, match=r"none of the formats.* of its first \d+ rows"):
        read_catalog("\n".join(bad + good if n_bad < 200 else good + bad).encode())


def test_a_bad_row_among_most_costs_itself():
    catalog = read_catalog(b"abc,1,dog,test\nonly one\nabd,1,dog,test\n")
    assert [clip.source_id for clip in catalog.clips] == ["abc", "abd"]
    assert [problem.line for problem in catalog.problems] == [2]


@pytest.mark.parametrize(
    "text",
    [
        '{"clips": {"a": [1, 2]}}',
        '{"a": 1, "b": "x"}',
        '{"abcdefghijk": {"label": "dog", "start": 1}}',
        '{"videos": [{"id": "abcdefghijk", "annotations": {"segment": [1, 2]}}]}',
        '{"source_id": {"0": "a", "1": "b"}, "start_s": {"0": 1, "1": 2}}',
        '{"database": {}}',
        "{}",
        "[]",
        "[1, 2]",
        '["abcdefghijk"]',
        '[{"video": "a"}]',
        "[[" * 5000,
        # 25 GB, if each place were written out.
        "[" * 100_000,
        '{"a":' * 100_000,
        "[",
        '{"a',
    ],
)
def test_json_of_another_shape_is_an_error(text: str):
    with pytest.raises(CatalogError, match=r"x\.csv"):
        read_catalog(text.encode())
    for name in ("kinetics", "activitynet", "json"):
        with pytest.raises(CatalogError, match=r"x\.csv"):
            read_as(name, text.encode())


def test_a_web_page_is_no_catalog():
    page = b"<!doctype html>\n<title>404</title>\n"
    with pytest.raises(CatalogError, match=r"none of the formats.*Line 1: '<!doctype html>'.*page"):
        read_catalog(page)


def test_a_header_that_fits_two_formats_is_ambiguous():
    header = b"source_id,youtube_id,time_start,time_end\n"
    data = header + b"a,abcdefghijk,1,2\n"
    with pytest.raises(
        CatalogError, match=r"could be kinetics and csv\. Say which with collection\.format"
    ):
        read_catalog(data)
    assert read_as("kinetics", data) == ["abcdefghijk_00001000_00002000"]
    assert read_as("csv", data) == ["a_00000000_00010000"]


def test_rows_that_are_half_of_one_format_half_of_another_are_ambiguous():
    with pytest.raises(CatalogError, match="could be vggsound and avspeech"):
        read_catalog(b"a,1,dog\nb,1,2,0.5,0.5\n")


def test_a_format_that_has_lost_its_header_is_not_taken_for_another():
    # VGGSound would read the end as a label.
    with pytest.raises(CatalogError, match="none of the formats"):
        read_catalog(b"abcdefghijk,417,427,test\nbbcdefghijk,1,11,test\n")


def test_a_label_table_is_told_from_a_catalog():
    table = b'index,mid,display_name\n0,/m/09x0r,"Speech"\n'
    with pytest.raises(CatalogError, match=r"table of labels.*collection\.label_table"):
        read_catalog(table)


def test_what_is_said_goes_before_what_is_found():
    data = b"a,1,2,0.5,0.5\n"
    assert read_as("avspeech", data) == ["a_00001000_00002000_x500_y500"]
    catalog = read_catalog(data, FormatOptions(format="vggsound"))
    assert catalog.clips == []
    assert "has 5 columns" in catalog.problems[0].message


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("kinetics", b"a,1,dog\n", "begins with a header that names youtube_id"),
        ("csv", b"a,1,dog\n", "has no column 'source_id'"),
        ("jsonl", b"a,1,dog\n", "has no column 'source_id'"),
        ("parquet", b"a,1,dog\n", "is no Parquet file"),
    ],
)
def test_a_format_that_is_said_and_does_not_fit(name: str, data: bytes, said: str):
    with pytest.raises(CatalogError, match=said):
        read_as(name, data)


def test_a_long_line_of_json_is_told_by_its_beginning():
    entry = {"annotations": {"label": "a", "segment": [1.0, 11.0]}, "subset": "train"}
    content = {f"{number:011d}": entry for number in range(2000)}
    assert len(read_catalog(json.dumps(content).encode()).clips) == 2000


def test_the_last_line_of_a_long_beginning_is_not_read_in_half():
    rows = b"".join(b"%011d,%d,label that is long enough,test\n" % (n, n) for n in range(3000))
    catalog = read_catalog(rows)
    assert (len(catalog.clips), catalog.problems) == (3000, [])


MS_ROWS = {
    "vggsound": ["{id},{start},dog"],
    "vggsound, split": ["{id}\t{start}\tdog\ttrain"],
    "kinetics": ["label,youtube_id,time_start,time_end", "dog,{id},{start},{end}"],
    "csv": ["source_id,start_s,end_s,labels", "{id},{start},{end},dog"],
    "csv, starts alone": ["source_id,start_s", "{id},{start}"],
    "avspeech": ["{id},{start},{end},0.5,0.5"],
    "jsonl": ['{{"source_id": "{id}", "start_s": {start}, "end_s": {end}}}'],
    "audioset": ['{id}, {start}, {end}, "/m/09x0r"'],
}


def rows_of(kind: str, starts: list[int], length: int) -> bytes:
    *header, row = MS_ROWS[kind]
    rows = [
        row.format(id=f"abcdefghi{number:02d}", start=start, end=start + length)
        for number, start in enumerate(starts)
    ]
    return "\n".join([*header, *rows]).encode()


@pytest.mark.parametrize("kind", MS_ROWS)
@pytest.mark.parametrize("starts", [[0, 30000, 70000, 12000], [40000, 1000, 63000, 5000, 2000]])
def test_a_list_in_milliseconds_is_an_error(kind: str, starts: list[int]):
    data = rows_of(kind, starts, 10000)
    with pytest.raises(CatalogError, match=r"seem to be milliseconds.*Divide them by 1000"):
        read_catalog(data)
    assert len(read_catalog(data, FormatOptions(time_unit="s")).clips) == len(starts)


WITH_ENDS = [kind for kind in MS_ROWS if not kind.startswith("vgg") and "alone" not in kind]


@pytest.mark.parametrize("kind", WITH_ENDS)
@pytest.mark.parametrize(
    ("lengths", "duration_s"),
    [([10000] * 3, 10.0), ([9000, 12500, 8500], 2.0), ([9480, 10020], 10.0), ([3000], 3.0)],
)
def test_milliseconds_that_all_start_at_0_are_an_error(
    kind: str, lengths: list[int], duration_s: float
):
    *header, row = MS_ROWS[kind]
    rows = [row.format(id=f"abcdefghi{n:02d}", start=0, end=end) for n, end in enumerate(lengths)]
    data = "\n".join([*header, *rows]).encode()
    with pytest.raises(CatalogError, match=r"seem to be milliseconds.*Divide them by 1000"):
        read_catalog(data, FormatOptions(duration_s=duration_s))
    seconds = FormatOptions(duration_s=duration_s, time_unit="s")
    assert len(read_catalog(data, seconds).clips) == len(lengths)


@pytest.mark.parametrize("kind", MS_ROWS)
@pytest.mark.parametrize(
    ("starts", "length"),
    [
        ([0, 30, 70, 400], 10),
        ([3600, 4205, 5130, 9050], 10),  # a lecture
        ([0, 30000], 10),  # two clips of one long stream
        ([0, 0, 0], 5400),  # whole films
    ],
)
def test_large_times_in_seconds_are_taken(kind: str, starts: list[int], length: int):
    assert len(read_catalog(rows_of(kind, starts, length)).clips) == len(starts)


@pytest.mark.parametrize(
    ("data", "called"),
    [
        (b"youtube_id time_start time_end label\nabcdefghijk 1 11 dog\n", "spaces"),
        (b"abcdefghijk 1 dog\nabcdefghijl   2   cat\n", "spaces"),
        (b"abcdefghijk:1:dog\nabcdefghijl:2:cat\n", "colons"),
        (b"source_id^start_s\nabcdefghijk^1\n", r"'\^'"),
    ],
)
def test_another_separator_is_named(data: bytes, called: str):
    with pytest.raises(CatalogError, match=f"cells seem to be separated by {called}: put commas"):
        read_catalog(data)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("auto", b"youtube_id,time_start,time_end,label\n"),
        ("auto", b"source_id,start_s\n\n\n"),
        ("auto", b"video_id,label,modality\r\n"),
        ("csv", b"source_id|start_s\n"),
        ("kinetics", b"label,youtube_id,time_start,time_end,split\n"),
        ("vggsound", b"# id,start,label\n"),
    ],
)
def test_a_header_alone_is_an_error(name: str, data: bytes):
    with pytest.raises(CatalogError, match="lists no clip"):
        read_catalog(data, FormatOptions(format=name))


def test_rows_over_several_lines_are_counted_as_rows():
    notes = [f'{char}bcdefghijk,{at},"a\nb\nc",train' for at, char in enumerate("abcd")]
    rows = [f"{char}bcdefghijk,{at},dog,train" for at, char in enumerate("ABCDE")]
    catalog = read_catalog("\n".join([*notes, *rows]).encode())
    assert [clip.source_id[0] for clip in catalog.clips] == list("ABCDE")
    assert [problem.line for problem in catalog.problems] == [1, 4, 7, 10]


def test_a_carriage_return_inside_a_row_costs_that_row():
    data = b"abcdefghijk,1,dog\r,train\nbbcdefghijk,2,cat,train\nccdefghijkl,3,cow,train\n"
    catalog = read_catalog(data)
    assert len(catalog.clips) == 2
    assert [problem.message for problem in catalog.problems] == [
        "has a carriage return in the middle"
    ]
