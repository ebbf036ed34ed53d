"""Clip ids are built and read back by one function each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2s.reasons import Reason
from s2s.records import ClipRecord, build_clip_id, parse_clip_id

SOURCE_IDS = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)
MILLISECONDS = st.integers(0, 10**8)


@given(SOURCE_IDS, MILLISECONDS, st.integers(1, 10**7))
def test_clip_ids_round_trip(source_id: str, start_ms: int, length_ms: int):
    clip_id = build_clip_id(source_id, start_ms / 1000, (start_ms + length_ms) / 1000)
    clip = parse_clip_id(clip_id)
    assert (clip.source_id, clip.clip_id) == (source_id, clip_id)
    assert round(clip.start_s * 1000) == start_ms


@given(SOURCE_IDS, st.integers(0, 1000), st.integers(0, 1000))
def test_face_positions_are_part_of_the_identity(source_id: str, x: int, y: int):
    clip_id = build_clip_id(source_id, 1.0, 2.0, (x / 1000, y / 1000))
    assert parse_clip_id(clip_id).clip_id == clip_id
    assert clip_id != build_clip_id(source_id, 1.0, 2.0)


@pytest.mark.parametrize(
    ("source_id", "start_s", "end_s"),
    [("a/b", 0, 1), ("", 0, 1), ("..", 0, 1), ("ok", 2, 1), ("ok", 1, 1), ("ok", -1, 1)],
)
def test_what_is_not_a_clip_is_refused(source_id: str, start_s: float, end_s: float):
    with pytest.raises(ValueError, match=r"source id|no length"):
        build_clip_id(source_id, start_s, end_s)


@pytest.mark.parametrize("text", ["", "abc", "abc_1_2", "abc_00000001", "a/b_00000000_00010000"])
def test_what_is_not_a_clip_id_is_refused(text: str):
    with pytest.raises(ValueError, match="clip id"):
        parse_clip_id(text)


def test_documented_form():
    clip = ClipRecord(source_id="-Qowmc0P9ic", start_s=34, end_s=44)
    assert clip.clip_id == "-Qowmc0P9ic_00034000_00044000"
    assert clip.duration_s == 10


def test_transient_reasons_can_be_tried_again():
    assert Reason.NETWORK.is_transient
    assert not Reason.GONE.is_transient
