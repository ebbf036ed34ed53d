"""Splits of random catalogs: nothing lost, nothing in two splits, nothing alike apart."""

import hashlib
import random
from dataclasses import replace

import numpy as np
from cut_clips import make_recipe
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_bucket import MemoryBucket

from s2s.dataset import SPLITS, DatasetClip
from s2s.reasons import Reason
from s2s.records import ClipRecord
from validation.alike.duplicates import AlikePair, alike_pairs, link, redundant, still_alike
from validation.alike.hashes import VIEWS, average_tiles, hash_picture, hash_sound
from validation.alike.shifted import find_moments
from validation.checks.clip_checks import ClipCheck, check_key
from validation.checks.picture import PictureFigures
from validation.checks.sound import SoundFigures
from validation.release.contents import Contents, arrange

RECIPE = make_recipe(validation={"keep_catalog_split": True, "folds": 3})
LOOKS = 6
BITS = 256


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def check_of(key: str, look: int) -> ClipCheck:
    """A check whose hashes are those of a look; clips of one look are alike."""
    return ClipCheck(
        key=f"{key}.mp4",
        size=10,
        crc32c="AAAAAA==",
        sha256=digest(key),
        wav_key=f"{key}.wav",
        wav_size=20,
        wav_crc32c="BBBBBB==",
        wav_sha256=digest(key),
        picture=PictureFigures(2, 0, 0, 25, 64, 48, 90, 50, digest(f"picture {look}")),
        sound=SoundFigures(2, -6, -20, 0, False, digest(f"sound {look}")),
    )


catalogs = st.lists(
    st.tuples(
        st.integers(0, 12),  # source
        st.integers(0, 3),  # start
        st.sets(st.sampled_from("abc"), max_size=2),  # labels
        st.sampled_from([None, "train", "test", "val"]),  # the catalog's own split
        st.one_of(st.integers(0, LOOKS), st.integers(100, 10**6)),  # what it looks like
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda row: row[:2],
)


def stored(bucket: MemoryBucket, rows: list) -> list[ClipRecord]:
    records = []
    for source, start_s, labels, split, look in rows:
        record = ClipRecord(
            source_id=f"s{source}",
            start_s=start_s,
            end_s=start_s + 2,
            labels=tuple(sorted(labels)),
            split=split,
        )
        check = check_of(record.clip_id, look)
        bucket.write(check_key(RECIPE, record.clip_id), check.model_dump_json().encode())
        records.append(record)
    return records


def check_whole(records: list[ClipRecord], contents: Contents) -> None:
    rows = [row for split in SPLITS for row in contents.clips[split]]
    names = {record.clip_id for record in records}
    assert {row.clip_id for row in rows} | contents.left_out.keys() == names, "nothing is lost"
    assert len(rows) + len(contents.left_out) == len(names)
    splits: dict[str, set[str]] = {}
    looks: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(row.source_id, set()).add(row.split)
        looks.setdefault(row.picture_hash, set()).add(row.split)
    assert all(len(found) == 1 for found in splits.values()), "a source is in one split"
    assert all(len(found) == 1 for found in looks.values()), "clips alike are in one split"


@settings(max_examples=60)
@given(catalogs, st.randoms(use_true_random=False))
def test_random_catalogs(rows, shuffler: random.Random):
    bucket = MemoryBucket()
    records = stored(bucket, rows)
    contents = arrange(bucket, RECIPE, records, [], [])
    check_whole(records, contents)
    shuffled = records[:]
    shuffler.shuffle(shuffled)
    assert arrange(bucket, RECIPE, shuffled, [], []) == contents, "the order changes nothing"


@settings(max_examples=60)
@given(catalogs, st.integers(0, 40))
def test_random_catalogs_that_grow(rows, n_first):
    bucket = MemoryBucket()
    records = stored(bucket, rows)
    first = arrange(bucket, RECIPE, records[:n_first], [], [])
    past = [row for split in SPLITS for row in first.clips[split]]
    grown = arrange(bucket, RECIPE, records, past, [])
    check_whole(records, grown)
    before = {row.clip_id: row.split for split in SPLITS for row in first.clips[split]}
    after = {row.clip_id: row.split for split in SPLITS for row in grown.clips[split]}
    assert {name: after[name] for name in before} == before, "a placed clip never moves"


def row_of(name: str, look: int = 0, source: str | None = None) -> DatasetClip:
    check = check_of(name, look)
    return DatasetClip(
        clip_id=name,
        source_id=source or name,
        start_s=0,
        end_s=2,
        split="train",
        picture_hash=check.picture.hash,
        sound_hash=check.sound.hash,
        **check.model_dump(exclude={"picture", "sound"}),
    )


def test_clips_of_one_source_that_look_alike_are_no_pair():
    assert alike_pairs([row_of("a", source="s"), row_of("b", source="s")]) == []
    assert alike_pairs([row_of("b"), row_of("a"), row_of("c", look=1)]) == [
        AlikePair("a", "b", Reason.NEAR_DUPLICATE)
    ]


def test_hashes_may_differ_a_little():
    rng = np.random.default_rng(0)
    one, rows = row_of("a"), []
    for n, (picture_bits, sound_bits) in enumerate([(30, 60), (60, 60), (30, 110)]):
        hashes = []
        for text, number in ((one.picture_hash, picture_bits), (one.sound_hash, sound_bits)):
            bits = np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8))
            # Bits that change come in runs: a part of the picture, or of the time, is another.
            start = int(rng.integers(0, BITS - number))
            bits[start : start + number] ^= 1
            hashes.append(np.packbits(bits).tobytes().hex())
        name = f"b{n}"
        rows.append(replace(row_of(name), picture_hash=hashes[0], sound_hash=hashes[1]))
    found = [pair.second for pair in alike_pairs([one, *rows]) if pair.first == "a"]
    assert found == ["b0"]


def test_of_a_group_alike_one_stays():
    pairs = [AlikePair("a", "b", Reason.DUPLICATE), AlikePair("b", "c", Reason.NEAR_DUPLICATE)]
    assert set(redundant(pairs, [])) == {"b", "c"}
    assert set(redundant(pairs, ["c"])) == {"a", "b"}


def face_of(source: str, x: float, look: str = "one") -> DatasetClip:
    """A clip of a face; clips of one look have the same bytes."""
    row = row_of(f"{source}-{x}", source=source)
    return replace(row, face_xy=(x, 0.5), sha256=digest(look))


def test_faces_of_one_segment_are_no_duplicates():
    faces = [face_of("s", 0.2), face_of("s", 0.8)]
    assert alike_pairs(faces) == []


def test_of_a_copied_segment_each_face_stays_once_and_its_sources_stay_together():
    faces = [face_of(source, x) for source, x in (("a", 0.2), ("a", 0.8), ("b", 0.2), ("b", 0.8))]
    other = face_of("c", 0.5)  # of another source still, and of a face that only it has
    pairs = alike_pairs([*faces, other])
    assert {(pair.first, pair.second) for pair in pairs if pair.is_one_face} == {
        ("a-0.2", "b-0.2"),
        ("a-0.8", "b-0.8"),
    }
    for kept in ([], ["b-0.2"], ["b-0.2", "b-0.8"]):
        left_out = redundant(pairs, kept)
        assert len(left_out) == 2
        assert not set(kept) & left_out.keys()
        source_of = {row.clip_id: row.source_id for row in [*faces, other]}
        stay = {name: source for name, source in source_of.items() if name not in left_out}
        units = link(stay, still_alike(pairs, left_out.keys()), {}).unit_of
        assert len(set(units.values())) == 1, "the same video is in one split"


def test_another_face_of_a_video_that_looks_alike_is_no_copy():
    one, two = (
        replace(face_of("a", 0.2), sha256=digest("1")),
        replace(face_of("b", 0.8), sha256=digest("2")),
    )
    (pair,) = alike_pairs([one, two])
    assert (pair.reason, pair.is_one_face) == (Reason.NEAR_DUPLICATE, False)
    assert redundant([pair], []) == {}
    assert still_alike([pair], []) == [pair]


def test_links_between_splits_cost_the_new_clip():
    pairs = [AlikePair("a", "b", Reason.NEAR_DUPLICATE), AlikePair("b", "c", Reason.NEAR_DUPLICATE)]
    links = link({name: name for name in "abc"}, pairs, {"a": "train", "c": "test"})
    assert set(links.left_out) == {"b"}
    assert links.split_of == {"a": "train", "c": "test"}


def test_tiles_are_averages():
    image = np.arange(64 * 72, dtype=np.uint32).reshape(64, 72) % 251
    tiles = average_tiles(image.astype(np.uint8), (8, 9))
    assert tiles[3, 2] == np.mean(image[24:32, 16:24], dtype=np.float64).astype(np.float32)
    assert average_tiles(np.full((13, 17), 9, np.uint8), (8, 9)).tolist() == [[9.0] * 9] * 8


def test_short_media_have_hashes_too():
    assert len(hash_picture(np.zeros((1, 72, 72), np.float32))) == VIEWS * BITS // 4
    assert len(hash_sound(np.zeros(10, np.float32), 16_000)) == BITS // 4


def test_volume_changes_no_hash():
    samples = np.random.default_rng(1).normal(0, 0.1, 32_000).astype(np.float32)
    louder = hash_sound(samples * 4, 16_000)
    differ = int.from_bytes(bytes.fromhex(louder)) ^ int.from_bytes(
        bytes.fromhex(hash_sound(samples, 16_000))
    )
    assert differ.bit_count() <= 2


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(1, 48_000))
def test_moments_are_the_same_wherever_a_sound_is_cut(seed, n_cut_off):
    rng = np.random.default_rng(seed)
    sound = rng.normal(0, 0.001, 160_000).astype(np.float32)
    for start in rng.integers(0, 150_000, 12):
        ring = rng.normal(0, rng.uniform(0.1, 0.5), 8000) * np.exp(-np.arange(8000) / 1500)
        sound[start : start + 8000] += ring.astype(np.float32)
    moments = find_moments(sound, 16_000)
    later = find_moments(0.5 * sound[n_cut_off:], 16_000)
    for moment in moments:
        for other in later:
            if abs(other.at_s + n_cut_off / 16_000 - moment.at_s) < 0.01:
                assert (int(moment.hash, 16) ^ int(other.hash, 16)).bit_count() <= 72
    in_both = [moment for moment in moments if moment.at_s > n_cut_off / 16_000 + 0.6]
    if len(in_both) == len(moments):
        assert {round(m.at_s - n_cut_off / 16_000, 1) for m in moments} & {
            round(m.at_s, 1) for m in later
        }


def test_a_clip_whose_moments_are_those_of_another():
    moments = [digest(f"moment {n}") * 2 for n in range(4)]
    one = replace(row_of("a", look=1), moment_hashes=" ".join(moments[:2]))
    late = replace(row_of("b", look=2), moment_hashes=" ".join([moments[2], moments[1]]))
    apart = replace(row_of("c", look=3), moment_hashes=moments[3])
    assert alike_pairs([one, late, apart]) == [AlikePair("a", "b", Reason.NEAR_DUPLICATE)]
