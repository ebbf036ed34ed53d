"""Every clip that is read can be written in the format that it came in, and is the same."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from s2s.catalog import CatalogFormat, FormatOptions, choose_format, known_split, read_rows
from s2s.catalog.formats.json_documents import ActivityNet, KineticsJson, TableJson
from s2s.catalog.formats.published.audioset import AVE, AudioSet
from s2s.catalog.formats.published.avspeech import AVSpeech
from s2s.catalog.formats.published.kinetics import FileList, KineticsCsv
from s2s.catalog.formats.published.vas import VAS
from s2s.catalog.formats.published.vggsound import VGGSound, VGGSoundFiles
from s2s.catalog.formats.table import Table, TableCsv, TableJsonLines, TableParquet
from s2s.records import ClipRecord

REAL = [
    "audioset_eval_segments-head.csv",
    "avspeech_train-head.csv",
    "kinetics-400_val-head.csv",
    "kinetics-400_val_8videos.csv",
    "vggsound-test-head.csv",
]
TABLE = Table(10.0)
COLUMNS = ("source_id", "start_s", "end_s", "labels", "split", "face_x", "face_y")

texts = (
    st.text(
        st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="|"),
        min_size=1,
        max_size=30,
    )
    .map(str.strip)
    .filter(bool)
)
# A list of files refuses a label that would be taken for a split.
labels_in_folders = texts.filter(lambda text: len(text.encode()) < 60 and not known_split(text))
ids = st.from_regex(r"[A-Za-z0-9_-]{11}", fullmatch=True)
milliseconds = st.integers(0, 36_000_000).map(lambda value: value / 1000)
fractions = st.integers(0, 1_000_000).map(lambda value: value / 1_000_000)
splits = st.none() | st.sampled_from(["train", "val", "validate", "test"])


@st.composite
def clips(draw: st.DrawFn, **parts: st.SearchStrategy[object]) -> ClipRecord:
    start_s = draw(parts.pop("start_s", milliseconds))
    length_s = draw(parts.pop("length_s", st.integers(1, 600_000).map(lambda value: value / 1000)))
    content = {name: draw(part) for name, part in parts.items()}
    end_s = round(start_s + length_s, 3)  # type: ignore[operator]
    return TypeAdapter(ClipRecord).validate_python(
        {"source_id": draw(ids), "start_s": start_s, "end_s": end_s, **content}
    )


@st.composite
def vas_clips(draw: st.DrawFn) -> ClipRecord:
    label, number = draw(st.sampled_from(["dog", "baby_cry"])), draw(st.integers(0, 99_999))
    return ClipRecord(
        source_id=f"{label}_video_{number:05d}",
        start_s=0.0,
        end_s=10.0,
        labels=(label,),
        split=draw(splits),
    )


one_label = st.tuples() | st.tuples(texts)
whole_s = st.integers(0, 36_000).map(float)
FORMATS: list[tuple[CatalogFormat, st.SearchStrategy[ClipRecord]]] = [
    (VGGSound(10.0), clips(labels=one_label, split=splits, length_s=st.just(10.0))),
    (KineticsCsv(), clips(labels=one_label, split=splits, is_cc=st.none() | st.booleans())),
    (KineticsJson(), clips(labels=one_label, split=splits)),
    (
        FileList(),
        clips(
            labels=st.tuples() | st.tuples(labels_in_folders),
            start_s=whole_s,
            length_s=whole_s.filter(bool),
        ),
    ),
    (
        FileList(in_ms=True),
        clips(
            labels=st.tuples() | st.tuples(labels_in_folders),
            split=splits,
            length_s=st.integers(100, 600_000).map(lambda value: value / 1000),
        ),
    ),
    (ActivityNet(), clips(labels=one_label, split=splits)),
    (AVE(), clips(labels=one_label)),
    (VGGSoundFiles(10.0), clips(labels=one_label, start_s=whole_s, length_s=st.just(10.0))),
    (TableJson(TABLE), clips(labels=st.lists(texts, max_size=3).map(tuple), split=splits)),
    (VAS(10.0), vas_clips()),
    (AVSpeech(), clips(face_xy=st.tuples(fractions, fractions))),
    (
        AudioSet({"/m/1": 'Speech, "loud"', "/m/2": "Dog/cat"}),
        clips(labels=st.sampled_from([(), ("Dog/cat",), ('Speech, "loud"', "Dog/cat")])),
    ),
    (
        TableCsv(TABLE, COLUMNS),
        clips(
            labels=st.lists(texts, max_size=3).map(tuple),
            split=splits,
            face_xy=st.none() | st.tuples(fractions, fractions),
        ),
    ),
    (
        TableJsonLines(TABLE),
        clips(
            labels=st.lists(texts, max_size=3).map(tuple),
            split=st.none() | texts,
            face_xy=st.none() | st.tuples(fractions, fractions),
        ),
    ),
]


def write_and_read(layout: CatalogFormat, wanted: list[ClipRecord]) -> list[object]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalog"
        layout.write(wanted, path)
        return list(read_rows(path, layout))


@pytest.mark.parametrize(
    ("layout", "strategy"), FORMATS, ids=[type(layout).__name__ for layout, _ in FORMATS]
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_clips_come_back_as_they_were_written(
    layout: CatalogFormat, strategy: st.SearchStrategy[ClipRecord], data: st.DataObject
):
    wanted = data.draw(st.lists(strategy, max_size=8, unique_by=lambda clip: clip.source_id))
    assert write_and_read(layout, wanted) == wanted


def test_parquet_comes_back_as_it_was_written():
    wanted = [
        ClipRecord(source_id="-a", start_s=1.25, end_s=2.5, labels=('a, "b"', "c/d"), split="val"),
        ClipRecord(source_id="b", start_s=0, end_s=10, face_xy=(0.25, 0.75)),
    ]
    assert write_and_read(TableParquet(TABLE), wanted) == wanted


@pytest.mark.parametrize("name", REAL)
def test_published_files_come_back_byte_for_byte(real_data: Path, tmp_path: Path, name: str):
    path = real_data / "catalogs" / name
    layout = choose_format(path, name, FormatOptions())
    rows = list(read_rows(path, layout))
    assert all(isinstance(row, ClipRecord) for row in rows)
    layout.write((row for row in rows if isinstance(row, ClipRecord)), tmp_path / name)
    published = path.read_bytes().splitlines()
    # Of AudioSet's comments only the one with the names of the columns is written.
    comments = [line for line in published if line.startswith(b"#")][:-1]
    assert (tmp_path / name).read_bytes().splitlines() == published[len(comments) :]
