"""Lists as they are published for models and benchmarks, with generated rows of their shapes."""

import json
import random
from pathlib import Path

import pytest
from catalog_files import read_catalog, read_file

from s2s.catalog import FormatOptions, choose_format, read_rows
from s2s.records import ClipRecord
from s2s.settings import ColumnNames

CHANCE = random.Random(7)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
IDS = ["".join(CHANCE.choices(ALPHABET, k=11)) for _ in range(300)]
STARTS = [CHANCE.choice([0, 1, 30, CHANCE.randrange(500)]) for _ in IDS]
LABELS = [CHANCE.choice(["dancing ballet", "dog, barking", "cat/kitten"]) for _ in IDS]


def quoted(label: str) -> str:
    return f'"{label}"' if "," in label else label


def lines(row: str, header: str = "") -> bytes:
    rows = (
        row.format(
            id=source_id,
            start=start,
            end=start + 10,
            start_ms=start * 1000,
            end_ms=start * 1000 + 10_000,
            label=quoted(label),
            folder=label.replace("/", "%2F"),
        )
        for source_id, start, label in zip(IDS, STARTS, LABELS, strict=True)
    )
    return (header + "\n".join(rows) + "\n").encode()


WITH_LABELS = {
    "vggsound": ("vggsound", "{id},{start},{label},test", ""),
    "vggsound without a split": ("vggsound", "{id},{start},{label}", ""),
    "vggsound test.csv": ("vggsound", "{id}_{start:06d}.mp4,{label}", ""),
    "vggsound test.csv, in a folder": ("vggsound", "videos/{id}_{start:06d}.mp4,{label}", ""),
    "vggsounder": (
        "vggsounder",
        "{id}_{start:06d},{label},AV,False,False,True",
        "video_id,label,modality,background_music,static_image,voice_over\n",
    ),
    "kinetics 700": (
        "kinetics",
        "{label},{id},{start},{end},train",
        "label,youtube_id,time_start,time_end,split\n",
    ),
    "kinetics 400": (
        "kinetics",
        "{label},{id},{start},{end},train,0",
        "label,youtube_id,time_start,time_end,split,is_cc\n",
    ),
    "kinetics files": ("kinetics", "{folder}/{id}_{start:06d}_{end:06d}.mp4", ""),
    "kinetics paths": ("kinetics", "k/train/{folder}/{id}_{start:06d}_{end:06d}.mp4 17", ""),
    "ave": (
        "ave",
        "{label}&{id}&good&{start}&{end}",
        "Category&VideoID&Quality&StartTime&EndTime\n",
    ),
    "ave's splits": ("ave", "{label}&{id}&good&{start}&{end}", ""),
    "audiocaps": (
        "csv",
        "7,{id},{start},{label}",
        "audiocap_id,youtube_id,start_time,caption\n",
    ),
}
CLIP_IDS = [
    f"{source_id}_{start * 1000:08d}_{start * 1000 + 10_000:08d}"
    for source_id, start in zip(IDS, STARTS, strict=True)
]
CAPTIONS = {"source_id": "youtube_id", "start_s": "start_time", "labels": "caption"}


@pytest.mark.parametrize("kind", WITH_LABELS)
def test_lists_with_labels(tmp_path: Path, kind: str):
    layout, row, header = WITH_LABELS[kind]
    options = FormatOptions()
    if kind == "audiocaps":
        options = FormatOptions(columns=ColumnNames.model_validate(CAPTIONS))
    path = tmp_path / "list"
    path.write_bytes(lines(row, header))
    found = choose_format(path, kind, options)
    assert found.name == layout
    clips = [clip for _, clip in found.read(path) if isinstance(clip, ClipRecord)]
    assert [clip.clip_id for clip in clips] == CLIP_IDS
    assert [clip.labels for clip in clips] == [(label,) for label in LABELS]
    # Said, it is the same; and written it is read again.
    said = choose_format(path, kind, FormatOptions(format=layout, columns=options.columns))
    assert [clip for _, clip in said.read(path)] == clips
    found.write(clips, tmp_path / "written")
    assert list(read_rows(tmp_path / "written", found)) == clips


@pytest.mark.parametrize(
    "row",
    [
        "{id}_{start_ms}_{end_ms}",
        "{id}_{start_ms}_{end_ms}.mp4",
        "melspec_10s_22050hz/{id}_{start_ms}_{end_ms}",
        "{id}_{start_ms:08d}_{end_ms:08d}",
        "{id}_{start:06d}_{end:06d}",
        "/data/test/{id}_{start:06d}_{end:06d}.mp4 3",
        "{id}_{start:06d}_{end:06d}.mp4,3",
        "D:\\data\\test\\{id}_{start:06d}_{end:06d}.mp4",
    ],
)
def test_lists_of_names(tmp_path: Path, row: str):
    path = tmp_path / "list"
    path.write_bytes(lines(row))
    found = choose_format(path, "x", FormatOptions())
    clips = [clip for _, clip in found.read(path) if isinstance(clip, ClipRecord)]
    assert [clip.clip_id for clip in clips] == CLIP_IDS
    assert {clip.split for clip in clips} == ({"test"} if "test" in row else {None})
    found.write(clips, tmp_path / "written")
    assert list(read_rows(tmp_path / "written", found)) == clips


def test_a_name_in_seconds_without_zeros_is_not_taken_for_milliseconds():
    data = lines("{id}_{start_ms}_{end_ms}") + b"abcdefghijk_30_40\nabcdefghijl_0_99999999\n"
    problems = read_catalog(data).problems
    assert [problem.line for problem in problems] == [301, 302]
    assert "seconds have 6 digits" in problems[0].message


def test_avspeech_and_audioset():
    face = read_catalog(lines("{id},{start}.500000,{end}.033367,0.780469,0.670833"))
    assert (len(face.clips), face.problems) == (300, [])
    ids = read_catalog(
        lines(
            '{id}, {start}.000, {end}.000, "/m/09x0r,/t/dd00125"',
            "# Segments csv created\n# num_ytids=300\n# YTID, start_seconds\n",
        )
    )
    assert (len(ids.clips), ids.problems) == (300, [])
    assert ids.clips[0].labels == ("/m/09x0r", "/t/dd00125")


def test_a_clip_of_vggsounders_has_all_its_labels_wherever_they_stand():
    header = "video_id,label,modality\n"
    rows = [f"{name}_000030,{label},A" for label in ("a", "b", "c, d") for name in IDS[:5]]
    text = header + "\n".join(row.replace("c, d", '"c, d"') for row in [*rows, rows[0], "bad"])
    catalog = read_catalog(text.encode())
    assert [clip.labels for clip in catalog.clips] == [("a", "b", "c, d")] * 5
    assert [clip.source_id for clip in catalog.clips] == IDS[:5]
    assert [problem.line for problem in catalog.problems] == [18]


def test_activitynet_has_several_segments_in_a_video(tmp_path: Path):
    segments = [{"segment": [0.5, 9.5], "label": "Yoga"}, {"segment": [20, 31], "label": "Polo"}]
    video = {"subset": "training", "duration": 99, "url": "x", "annotations": segments}
    content = {
        "version": "VERSION 1.3",
        "taxonomy": [{"nodeName": "Yoga", "parentId": 1}] * 30,
        "database": {
            "aaaaaaaaaaa": video,
            "bbbbbbbbbbb": {"subset": "testing", "annotations": []},
            "ccccccccccc": {**video, "annotations": [segments[0], {"segment": [3]}, segments[0]]},
        },
    }
    path = tmp_path / "activity_net.json"
    path.write_text(json.dumps(content))
    catalog = read_file(path)
    assert [(clip.clip_id, clip.labels, clip.split) for clip in catalog.clips] == [
        ("aaaaaaaaaaa_00000500_00009500", ("Yoga",), "training"),
        ("aaaaaaaaaaa_00020000_00031000", ("Polo",), "training"),
        ("ccccccccccc_00000500_00009500", ("Yoga",), "training"),
    ]
    assert [problem.line for problem in catalog.problems] == [3, 5, 6]
    layout = choose_format(path, "x", FormatOptions())
    layout.write(catalog.clips, tmp_path / "written.json")
    assert read_file(tmp_path / "written.json").clips == catalog.clips


def test_a_table_as_a_json_array(tmp_path: Path):
    rows = [
        {"source_id": source_id, "start_s": start, "end_s": start + 10, "labels": [label, "x"]}
        for source_id, start, label in zip(IDS, STARTS, LABELS, strict=True)
    ]
    path = tmp_path / "table.json"
    path.write_text(json.dumps(rows, indent=2))
    catalog = read_file(path)
    assert [clip.clip_id for clip in catalog.clips] == CLIP_IDS
    layout = choose_format(path, "x", FormatOptions())
    layout.write(catalog.clips, tmp_path / "written.json")
    assert read_file(tmp_path / "written.json").clips == catalog.clips


VAS_ROWS = [
    "{}/video_{:05d}",
    "{}/videos/video_{:05d}.mp4",
    "VAS/{}/video_{:05d}.mp4",
    "{}\\video_{:05d}.mp4",
]


@pytest.mark.parametrize("row", [*VAS_ROWS, "./test/{}/video_{:05d}.mp4"])
def test_vas_numbers_its_files_anew_in_each_class(tmp_path: Path, row: str):
    wanted = [(label, number) for label in ("baby", "dog", "gun") for number in range(300, 340)]
    path = tmp_path / "vas_valid.txt"
    path.write_text("\n".join(row.format(*each) for each in wanted) + "\nvideo_00300\n")
    catalog = read_file(path)
    assert [(clip.source_id, clip.labels) for clip in catalog.clips] == [
        (f"{label}_video_{number:05d}", (label,)) for label, number in wanted
    ]
    assert {clip.split for clip in catalog.clips} == {"test" if "test" in row else None}
    [problem] = catalog.problems
    assert (problem.line, "names no class" in problem.message) == (121, True)
