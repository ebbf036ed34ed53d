import csv
from itertools import pairwise

from catalog_files import read_catalog

from s2s.catalog import FormatOptions
from sample.silent_to_sound.catalog import CLIP_S, build_source, catalog_text, clip_starts_s


def rows_of(sources: int) -> list[list[str]]:
    text = catalog_text(build_source(0, n) for n in range(sources))
    return list(csv.reader(text.splitlines()))


def test_clips_lie_in_their_source_and_hardly_overlap():
    for duration_s in range(20, 61):
        starts_s = clip_starts_s(duration_s)

        assert 2 <= len(starts_s) <= 5
        assert starts_s[0] == 0
        assert duration_s - 1 <= starts_s[-1] + CLIP_S <= duration_s
        assert all(b - a >= CLIP_S for a, b in pairwise(starts_s))


def test_rows_are_vggsounds_id_whole_second_label_split():
    rows = rows_of(30)

    assert all(len(row) == 4 for row in rows)
    assert all(row[1].isdigit() for row in rows)
    assert {row[3] for row in rows} == {"train", "test"}
    assert len({row[2] for row in rows}) == 10


def test_a_source_is_in_one_split_and_every_label_is_in_both():
    rows = rows_of(100)
    splits = {row[0]: {other[3] for other in rows if other[0] == row[0]} for row in rows}

    assert all(len(names) == 1 for names in splits.values())
    assert {(row[2], row[3]) for row in rows} == {
        (label, split) for label in {row[2] for row in rows} for split in ("train", "test")
    }


def test_a_catalog_of_default_size_has_about_290_clips():
    assert 270 <= len(rows_of(100)) <= 310


def test_a_larger_catalog_starts_with_the_smaller():
    assert rows_of(12)[: len(rows_of(6))] == rows_of(6)


def test_the_pipeline_reads_every_row():
    text = catalog_text(build_source(0, n) for n in range(12))

    catalog = read_catalog(text.encode(), FormatOptions(duration_s=CLIP_S))

    assert not catalog.problems
    assert len(catalog.clips) == len(rows_of(12))
