"""What the page of a data set version is made of: outliers, pairs, lost clips, its data."""

import hashlib
import json
from dataclasses import replace

import pytest
from memory_bucket import MemoryBucket

from launcher.pages.dataset.alike import (
    ClosePair,
    count_contradicting,
    find_pairs,
    pairs_left_out,
)
from launcher.pages.dataset.document import script_json
from launcher.pages.dataset.history import clone_commands, read_history
from launcher.pages.dataset.labels import label_rows
from launcher.pages.dataset.lost import LostClip, find_lost
from launcher.pages.dataset.outliers import (
    CheckedFigures,
    kinds_of,
    most_extreme,
    read_figures,
)
from launcher.pages.dataset.pictures import in_turns, take_players, take_thumbnails
from launcher.pages.dataset.quantities import in_bytes, in_range, in_time
from launcher.pages.dataset.shown import PageLimits, choose_shown
from s2s.dataset import DatasetClip, DatasetVersion, write_version
from s2s.layout import checks_prefix, processed_prefix, raw_prefix
from s2s.reasons import Reason, Status
from s2s.records import Outcome, build_clip_id
from s2s.tasks.generation.settings import GenerationRecipe
from validation.checks.clip_checks import ClipCheck
from validation.checks.picture import PictureFigures
from validation.checks.sound import SoundFigures

RECIPE = GenerationRecipe.model_validate({"name": "page", "collection": {"catalog": "x.csv"}})


def clip(source: str, **values: object) -> DatasetClip:
    clip_id = build_clip_id(source, 0, 10)
    number = hashlib.sha256(source.encode()).hexdigest()
    row = DatasetClip(
        clip_id=clip_id,
        source_id=source,
        start_s=0,
        end_s=10,
        labels=("bell",),
        split="train",
        key=f"{processed_prefix(RECIPE)}{clip_id}.mp4",
        size=100_000,
        crc32c="AAAAAA==",
        sha256=number,
        wav_key=f"{processed_prefix(RECIPE)}{clip_id}.wav",
        wav_size=320_000,
        wav_crc32c="AAAAAA==",
        wav_sha256=number,
        duration_s=10,
        loudness_dbfs=-6,
        mean_dbfs=-25,
        picture_hash=number,
        sound_hash=hashlib.sha256(number.encode()).hexdigest(),
    )
    return replace(row, **values)  # type: ignore[arg-type]


def flipped(text: str, bits: int) -> str:
    """A hash of which so many bits differ."""
    return f"{int(text, 16) ^ ((1 << bits) - 1):0{len(text)}x}"


def name(source: str) -> str:
    return build_clip_id(source, 0, 10)


USUAL = [clip(f"usual{n}", mean_dbfs=-25 - n % 5, duration_s=9 + n % 3 / 2) for n in range(30)]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("quiet", {"mean_dbfs": -60}),
        ("full scale", {"loudness_dbfs": 0}),
        ("short", {"duration_s": 3}),
        ("long", {"duration_s": 30, "size": 300_000}),
        ("few bytes", {"size": 2_000}),
    ],
)
def test_what_stands_out_is_found_alone(kind: str, values: dict[str, float]):
    odd = clip("odd", **values)
    kinds = kinds_of([*USUAL, odd], {})
    assert {found for found, names in kinds.items() if names} == {kind}
    assert kinds[kind] == {odd.clip_id}
    assert most_extreme([*USUAL, odd], {}, 3)[kind][0] == odd.clip_id


def test_stills_dark_and_clipped_clips_are_found_by_their_checks():
    usual = CheckedFigures(motion=120, brightness=150, clipped_share=0)
    figures = {clip.clip_id: usual for clip in USUAL} | {
        USUAL[0].clip_id: CheckedFigures(motion=4, brightness=150, clipped_share=0),
        USUAL[1].clip_id: CheckedFigures(motion=120, brightness=25, clipped_share=0),
        USUAL[2].clip_id: CheckedFigures(motion=120, brightness=150, clipped_share=0.05),
    }
    kinds = kinds_of(USUAL, figures)
    assert (kinds["still"], kinds["dark"], kinds["full scale"]) == tuple(
        {USUAL[n].clip_id} for n in range(3)
    )


def test_where_all_are_alike_or_nothing_was_measured_none_stands_out():
    assert not any(kinds_of([clip(f"same{n}") for n in range(9)], {}).values())
    unknown = [clip(f"u{n}", duration_s=0, loudness_dbfs=0, mean_dbfs=0) for n in range(3)]
    assert not any(kinds_of(unknown, {}).values())
    assert most_extreme(unknown, {}, 3) == {}
    assert not any(kinds_of([], {}).values())


def test_figures_are_those_of_the_very_file_whatever_the_limits_were():
    def check(row: DatasetClip, motion: float) -> bytes:
        found = ClipCheck(
            key=row.key,
            size=row.size,
            crc32c=row.crc32c,
            sha256=row.sha256,
            wav_key=row.wav_key,
            wav_size=row.wav_size,
            wav_crc32c=row.wav_crc32c,
            wav_sha256=row.wav_sha256,
            picture=PictureFigures(10, 0, 0, 25, 256, 256, 150, motion, row.picture_hash),
            sound=SoundFigures(10, -6, -25, 0.25, False, row.sound_hash),
        )
        return found.model_dump_json().encode()

    one, other, third = clip("one"), clip("other"), clip("third")
    changed = replace(other, crc32c="BBBBBB==")
    bucket = MemoryBucket()
    old = RECIPE.model_copy(
        update={"validation": RECIPE.validation.model_copy(update={"min_loudness_dbfs": -50.0})}
    )
    assert checks_prefix(old) != checks_prefix(RECIPE)
    bucket.write(f"{checks_prefix(old)}{one.clip_id}.json", check(one, 33))
    bucket.write(f"{checks_prefix(RECIPE)}{other.clip_id}.json", check(changed, 44))
    found = read_figures(bucket, RECIPE, [one, other, third])
    assert found == {
        one.clip_id: CheckedFigures(motion=33, brightness=150, clipped_share=0.25),
    }


def test_pairs_say_how_close_they_are_the_closest_first():
    one = clip("one")
    near = clip(
        "near",
        picture_hash=flipped(one.picture_hash, 12),
        sound_hash=flipped(one.sound_hash, 20),
    )
    same = clip("same", sha256=one.sha256)
    pairs = find_pairs([one, near, same, clip("stranger")])
    assert [(pair.first, pair.second, pair.reason) for pair in pairs] == [
        (name("one"), name("same"), "duplicate"),
        (name("near"), name("one"), "near_duplicate"),
    ]
    assert (pairs[1].picture_bits, pairs[1].sound_bits) == (12, 20)
    assert not pairs[1].around_a_moment


def test_pairs_with_no_label_in_common_are_counted_whichever_clip_is_left_out():
    one, other, third = clip("one"), clip("other", labels=("drum",)), clip("third", labels=())
    both = clip("both", labels=("drum", "bell"))
    out = LostClip(name("out"), "validation", "near_duplicate", "", ("drum",))
    near = "near_duplicate"
    pairs = [ClosePair(one.clip_id, each.clip_id, near) for each in (other, third, both, out)]
    assert count_contradicting(pairs, [one, other, third, both, out]) == 2


def test_clips_that_begin_apart_are_compared_around_their_moment():
    moment = hashlib.sha512(b"moment").hexdigest()
    one, later = clip("one", moment_hashes=moment), clip("later", moment_hashes=flipped(moment, 5))
    (pair,) = find_pairs([one, later])
    assert (pair.picture_bits, pair.sound_bits, pair.around_a_moment) == (0, 5, True)


def test_a_clip_that_is_left_out_is_beside_the_one_that_it_is_like():
    held = clip("held")
    message = f"it is like {held.clip_id}, which is in the data set or in another split"
    lost = [
        LostClip(name("copy"), "validation", "near_duplicate", message),
        LostClip(name("mute"), "validation", "silent", f"{name('mute')}: silent"),
        LostClip(name("else"), "validation", "duplicate", "it is like a clip that is gone"),
    ]
    (pair,) = pairs_left_out(lost, {held.clip_id})
    assert (pair.first, pair.second) == (held.clip_id, name("copy"))


def test_of_too_many_clips_those_that_stand_out_or_are_alike_stay():
    many = [clip(f"many{n}") for n in range(60)]
    odd, copy = clip("odd", mean_dbfs=-70), clip("copy", sha256=many[7].sha256)
    clips = [*many, odd, copy]
    shown = choose_shown(clips, {}, find_pairs(clips), PageLimits(clips=10))
    names = [clip.clip_id for clip in shown.clips]
    assert len(names) == 10
    assert {odd.clip_id, copy.clip_id, many[7].clip_id} <= set(names)
    assert names == [clip.clip_id for clip in clips if clip.clip_id in set(names)]
    assert choose_shown(clips, {}, [], PageLimits()).clips == clips


def test_every_reason_is_among_the_lost_clips_and_files_are_found():
    bucket = MemoryBucket()
    mute, whole = build_clip_id("mute", 0, 2), build_clip_id("whole", 30, 40)
    bucket.write(f"{processed_prefix(RECIPE)}{mute}.mp4", b"cut")
    bucket.write(f"{raw_prefix()}whole.mkv", b"source")
    outcomes = {
        "collection": [
            Outcome(
                clip_id=build_clip_id(f"gone{n}", 0, 2), status=Status.FAILED, reason=Reason.GONE
            )
            for n in range(50)
        ],
        "preprocessing": [Outcome(clip_id=whole, status=Status.FAILED, reason=Reason.CORRUPT)],
        "validation": [
            Outcome(clip_id=mute, status=Status.FAILED, reason=Reason.SILENT, message="silent")
        ],
    }
    lost = find_lost(bucket, RECIPE, outcomes, 5)
    assert [clip.reason for clip in lost] == ["gone", "gone", "gone", "corrupt", "silent"]
    assert lost[4] == LostClip(
        mute, "validation", "silent", "silent", (), f"{processed_prefix(RECIPE)}{mute}.mp4"
    )
    assert (lost[3].key, lost[3].start_s) == (f"{raw_prefix()}whole.mkv", 30)
    assert lost[0].key == ""


def test_damaged_and_missing_files_have_no_picture_and_large_ones_no_player():
    bucket = MemoryBucket()
    for key, size in (("small.mp4", 10), ("large.mp4", 1000), ("old.avi", 10), ("last.webm", 10)):
        bucket.write(key, b"x" * size)
    keys = ("large.mp4", "small.mp4", "gone.mp4", "old.avi", "last.webm")
    key_of = {key.partition(".")[0]: key for key in keys}
    assert take_thumbnails(bucket, key_of) == {}
    assert list(take_players(bucket, key_of, 25)) == ["small", "last"]


def test_lists_take_turns():
    assert in_turns(["a", "b", "c"], [], ["x", "a"]) == ["a", "x", "b", "c"]


def test_data_cannot_end_the_script_that_they_stand_in():
    evil = ["</script><!--<script>", "\u2028", "a & b"]
    text = script_json(evil)
    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text) == evil


def test_a_label_that_a_split_lacks_is_marked_but_not_for_an_empty_split():
    clips = {
        "train": (clip("a"), clip("b", labels=("bell", "rain"))),
        "val": (clip("c", split="val"),),
    }
    bell, rain = label_rows(DatasetVersion("dataset_v1", clips))
    assert (bell.label, bell.clips, bell.lacking) == ("bell", 3, ())
    assert (rain.label, rain.counts, rain.lacking) == (
        "rain",
        {"train": 1, "val": 0, "test": 0},
        ("val",),
    )


def test_a_version_without_a_bundle_says_that_its_date_is_not_known():
    bucket = MemoryBucket()
    for number in (1, 2):
        clips = {"train": (clip("a"), clip("b"))[:number]}
        write_version(bucket, RECIPE, DatasetVersion(f"dataset_v{number}", clips))
    history = read_history(bucket, RECIPE, "dataset_v2")
    assert [(past.name, past.clips, past.made) for past in history.versions] == [
        ("dataset_v2", 2, ""),
        ("dataset_v1", 1, ""),
    ]
    assert "not known" in history.note
    assert clone_commands(bucket, "dataset_v2", "") == ""


def test_quantities_are_short():
    assert (in_time(59.6), in_time(90), in_time(7000)) == ("60 s", "1.5 min", "1.9 h")
    assert (in_bytes(999), in_bytes(2_500_000), in_bytes(7.6e9)) == ("1 kB", "2.5 MB", "7.6 GB")
    assert in_range((2, 3, 9.996), 2) == "2.00 to 10.00"
    assert in_range((10.001, 10.002, 10.003), 2) == "10.00"
