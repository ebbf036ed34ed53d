"""Files that end in the middle: an error, and no catalog of what is left."""

import json
from collections.abc import Callable

import pytest
from catalog_files import read_catalog

from s2s.catalog import FormatOptions
from s2s.errors import CatalogError

ROWS = [
    {"source_id": f"clip-{n}", "start_s": n, "labels": ["dog", f"it's, {n}"], "split": "train"}
    for n in range(300)
]
ENTRY = {"annotations": {"label": "a dog", "segment": [1.5, 11.5]}, "subset": "train"}
KINETICS = {f"{n:011d}": ENTRY for n in range(300)}
SEGMENTS = [{"label": "a dog", "segment": [at, at + 10]} for at in (0, 20)]
VIDEOS = {name: {"subset": "train", "annotations": SEGMENTS} for name in KINETICS}
LINES = "\n".join(map(json.dumps, ROWS)) + "\n"
QUOTED = "".join(f'clip-{n},{n},"a dog, {n}"\n' for n in range(300))

# Where the JSON of one document is cut, counted from its end.
AT = [1, 2, 3, 5, 8, 13, 21, 34, 55, 4000]


@pytest.mark.parametrize(
    "document", [ROWS, KINETICS, {"database": VIDEOS}], ids=["json", "kinetics", "activitynet"]
)
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("cut", AT)
def test_a_document_of_json(document: object, indent: int | None, cut: int):
    text = json.dumps(document, indent=indent)
    assert read_catalog(text.encode()).problems == []
    with pytest.raises(CatalogError, match=r"is cut off, it ends in the middle of row \d+"):
        read_catalog(text[:-cut].encode())


@pytest.mark.parametrize(
    "text", ['[{"source_id": "abc"', '[{"source_id": "abc"},', '{"abcdefghijk']
)
def test_a_document_in_its_first_rows(text: str):
    with pytest.raises(CatalogError, match=r"x\.csv: is cut off"):
        read_catalog(text.encode())


@pytest.mark.parametrize("cut", [3, 8, 21, 34, 55])
@pytest.mark.parametrize("pack", [str.encode, lambda text: text.encode("utf-16")])
def test_json_lines(cut: int, pack: Callable[[str], bytes]):
    with pytest.raises(CatalogError, match=r"is cut off, it ends in the middle of row 300"):
        read_catalog(pack(LINES[:-cut]))


def test_a_quoted_cell():
    header = "source_id,start_s,labels\n"
    for text, row in ((header + QUOTED, 301), (QUOTED, 300)):
        with pytest.raises(CatalogError, match=rf"cut off, it ends in the middle of row {row}"):
            read_catalog(text[:-5].encode())


@pytest.mark.parametrize("text", [LINES, LINES.rstrip(), QUOTED, QUOTED.rstrip()])
def test_what_is_whole_may_lack_its_last_end(text: str):
    assert len(read_catalog(text.encode()).clips) == 300


def test_a_short_last_row_may_be_cut_off_and_costs_itself():
    catalog = read_catalog(b"source_id,start_s,labels\na,1,dog\nb,2,cat\nc,3")
    assert len(catalog.clips) == 2
    [problem] = catalog.problems
    assert problem.message.endswith("its last line has no end: is it cut off?")
    catalog = read_catalog(b"source_id,start_s,labels\na,1,dog\nb,2,cat\nc,3\n")
    assert "cut off" not in catalog.problems[0].message


def test_what_is_wrong_before_the_end_costs_its_row():
    catalog = read_catalog(b'{"source_id": "a"}\n{"source_id": \n{"source_id": "b"}\n')
    assert ([clip.source_id for clip in catalog.clips], len(catalog.problems)) == (["a", "b"], 1)
    catalog = read_catalog(b'[{"source_id": "a"}, {"source_id": NaN}]')
    assert ([clip.source_id for clip in catalog.clips], len(catalog.problems)) == (["a"], 1)
    said = FormatOptions(format="jsonl")
    assert len(read_catalog(b'{"source_id": "a"}\nno object', said).problems) == 1
