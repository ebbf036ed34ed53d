"""Which clips are alike: the same bytes, or the same video under another name.

Pairs are found by locality-sensitive hashing: each 16 bits of the two perceptual hashes are a band,
clips that agree in a band are compared. So time grows with the number of clips, not its square.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from s2s.dataset import DatasetClip
from s2s.reasons import Reason

__all__ = ["AlikePair", "Links", "alike_pairs", "link", "redundant", "still_alike"]


class _Limits(NamedTuple):
    """What is near.

    Attributes:
        picture: bits of 256 that may differ.
        sound: the same.
        neighbours: clips that a clip is compared with in each band.
        first_band: bands before are not looked at.
    """

    picture: int
    sound: int
    neighbours: int
    first_band: int

    def near(
        self, words: NDArray[np.uint64], first: NDArray[np.intp], second: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Those pairs of rows that are near; sounds, which tell more, are compared first."""
        half = words.shape[1] // 2
        for half_words, most in ((words[:, half:], self.sound), (words[:, :half], self.picture)):
            bits = np.bitwise_count(half_words[first] ^ half_words[second]).sum(axis=1)
            first, second = first[bits <= most], second[bits <= most]
        return first, second


# Other encodings, sizes and croppings of a video differ in up to 35 bits of the picture's hash and
# 40 of the sound's; cut 0.3 s later, in up to 20 and about 90. Unrelated clips: 48 and 100 or more.
_WHOLE = _Limits(picture=40, sound=96, neighbours=16, first_band=0)
# Around a moment: other encodings of it differ in up to 45 and 55, unrelated ones with pictures as
# near in 75 or more of the sound's.
_MOMENT = _Limits(picture=40, sound=72, neighbours=4, first_band=16)
_HASH_DIGITS, _ROW_BYTES = 64, 64
_DROPPED_FIRST = ("train", "val", "test")


@dataclass(frozen=True, order=True)
class AlikePair:
    """Two clips that are alike.

    Attributes:
        first: clip id, before the second in alphabetical order.
        second: clip id.
        reason: `duplicate` for the same bytes, else `near_duplicate`.
        is_one_face: whether they are of one face, or of none: one of them is enough then.
    """

    first: str
    second: str
    reason: Reason
    is_one_face: bool = True


@dataclass(frozen=True)
class Links:
    """Sources that must share a split.

    Attributes:
        unit_of: name of each source's group; its own where it stands alone.
        split_of: split of each group that has one already.
        left_out: clips that are alike to one in another split, with that one's pair.
    """

    unit_of: dict[str, str]
    split_of: dict[str, str]
    left_out: dict[str, AlikePair]


def alike_pairs(clips: Sequence[DatasetClip]) -> list[AlikePair]:
    """Pairs of clips that are alike, in order.

    Of clips with the same bytes each makes a pair with the first of its face, and that with the
    first of all. Clips of one source that only look alike, or that are of several faces in one
    picture, are no pair: they are together anyway.
    """
    ordered = sorted(clips, key=lambda clip: clip.clip_id)
    by_bytes: defaultdict[str, list[DatasetClip]] = defaultdict(list)
    for clip in ordered:
        by_bytes[clip.sha256].append(clip)
    pairs = [pair for same in by_bytes.values() for pair in _same_bytes(same)]
    known = {(pair.first, pair.second) for pair in pairs}
    whole = (
        clip.picture_hash + clip.sound_hash if len(clip.picture_hash) == _HASH_DIGITS else ""
        for clip in ordered
    )
    moments = (clip.moment_hashes for clip in ordered)
    for texts, limits in ((whole, _WHOLE), (moments, _MOMENT)):
        for n, m in _near(texts, limits):
            one, other = ordered[n], ordered[m]
            ids = (one.clip_id, other.clip_id)
            if one.source_id != other.source_id and ids not in known:
                is_one_face = one.face_xy == other.face_xy
                pairs.append(AlikePair(*ids, Reason.NEAR_DUPLICATE, is_one_face))
                known.add(ids)
    return sorted(pairs)


def _same_bytes(clips: Sequence[DatasetClip]) -> Iterator[AlikePair]:
    first_of: dict[tuple[float, float] | None, DatasetClip] = {}
    for clip in clips:
        first = first_of.setdefault(clip.face_xy, clip)
        if first is not clip:
            yield AlikePair(first.clip_id, clip.clip_id, Reason.DUPLICATE)
        elif clip.source_id != clips[0].source_id:
            yield AlikePair(clips[0].clip_id, clip.clip_id, Reason.DUPLICATE, is_one_face=False)


def link(
    source_of: Mapping[str, str],
    pairs: Iterable[AlikePair],
    fixed: Mapping[str, str],
    placed: Collection[str] = (),
) -> Links:
    """Group sources whose clips are alike.

    Where two groups have different splits already, one clip of the pair is left out: one that is
    new, else one for training before one for validation before one for testing.

    Args:
        source_of: each clip's source.
        pairs: clips that are alike.
        fixed: splits of sources that cannot change.
        placed: clips of the newest version, which stay rather than new ones.
    """
    sources = sorted(set(source_of.values()))
    groups = _Groups(sources)
    split_of = {source: fixed[source] for source in sources if source in fixed}
    left_out: dict[str, AlikePair] = {}
    for pair in sorted(pairs):
        if pair.first in left_out or pair.second in left_out:
            continue
        units = [groups.find(source_of[clip]) for clip in (pair.first, pair.second)]
        splits = [split_of.get(unit) for unit in units]
        if None not in splits and splits[0] != splits[1]:
            loser = min(
                zip((pair.first, pair.second), splits, strict=True),
                key=lambda item: (
                    item[0] in placed,
                    source_of[item[0]] in fixed,
                    _DROPPED_FIRST.index(item[1] or ""),
                ),
            )[0]
            left_out[loser] = pair
            continue
        unit = groups.join(*units)
        if split := splits[0] or splits[1]:
            split_of[unit] = split
    unit_of = {source: groups.find(source) for source in sources}
    return Links(
        unit_of, {unit: split_of[unit] for unit in split_of if groups.is_name(unit)}, left_out
    )


def redundant(pairs: Iterable[AlikePair], kept: Iterable[str]) -> dict[str, AlikePair]:
    """All clips but one of each group of those alike; of several faces, one of each.

    Args:
        pairs: clips that are alike.
        kept: ids of clips that stay rather than others.
    """
    listed, preferred = sorted(pair for pair in pairs if pair.is_one_face), set(kept)
    groups = _groups_of(listed)
    pair_of: dict[str, AlikePair] = {}
    for pair in listed:
        pair_of.setdefault(pair.first, pair)
        pair_of.setdefault(pair.second, pair)
    members: defaultdict[str, list[str]] = defaultdict(list)
    for clip in sorted(pair_of):
        members[groups.find(clip)].append(clip)
    stay = {
        min(clips, key=lambda clip: (clip not in preferred, clip)) for clips in members.values()
    }
    return {clip: pair for clip, pair in pair_of.items() if clip not in stay}


def still_alike(pairs: Sequence[AlikePair], left_out: Collection[str]) -> list[AlikePair]:
    """Pairs of the clips that stay.

    Args:
        pairs: clips that are alike.
        left_out: those that `redundant` names: for each, the clip of its group that stays is in
            its pairs, so that all sources that it binds together stay together.
    """
    if not left_out:
        return list(pairs)
    groups = _groups_of([pair for pair in pairs if pair.is_one_face])
    names = {clip for pair in pairs for clip in (pair.first, pair.second)}
    stays = {groups.find(clip): clip for clip in names if clip not in left_out}
    found: set[AlikePair] = set()
    for pair in pairs:
        first, second = sorted(stays[groups.find(clip)] for clip in (pair.first, pair.second))
        if first != second:
            found.add(replace(pair, first=first, second=second))
    return sorted(found)


def _groups_of(pairs: Sequence[AlikePair]) -> "_Groups":
    groups = _Groups({clip for pair in pairs for clip in (pair.first, pair.second)})
    for pair in pairs:
        groups.join(pair.first, pair.second)
    return groups


class _Groups:
    """Names that are joined into groups; a group is called by its first name in the alphabet."""

    def __init__(self, names: Iterable[str]) -> None:
        self._parent = {name: name for name in names}

    def find(self, name: str) -> str:
        if name not in self._parent:
            return name
        while self._parent[name] != name:
            self._parent[name] = name = self._parent[self._parent[name]]
        return name

    def join(self, one: str, other: str) -> str:
        first, second = sorted((self.find(one), self.find(other)))
        self._parent[second] = first
        return first

    def is_name(self, name: str) -> bool:
        return self._parent[name] == name


def _near(texts: Iterable[str], limits: _Limits) -> set[tuple[int, int]]:
    """Which clips are nearly the same, by their places, the smaller one first.

    Args:
        texts: each clip's hashes, a picture's and a sound's in turn; it may have none.
        limits: what is near.
    """
    data, numbers = bytearray(), []
    for text in texts:
        row = bytes.fromhex(text)
        data += row
        numbers.append(len(row) // _ROW_BYTES)
    owner = np.repeat(np.arange(len(numbers)), numbers)
    hashes = np.frombuffer(data, np.uint8).reshape(-1, _ROW_BYTES)
    words = hashes.view(np.uint64)
    found: set[tuple[int, int]] = set()
    for column in hashes.view(np.uint16).T[limits.first_band :]:
        order = np.argsort(column, kind="stable")
        # Neighbours lie side by side then, which is what memory is fast at.
        band, nearby, clips = column[order], words[order], owner[order]
        for apart in range(1, min(limits.neighbours, len(order) - 1) + 1):
            first = np.flatnonzero(band[:-apart] == band[apart:])
            if not len(first):
                break
            first, second = limits.near(nearby, first, first + apart)
            places = np.sort([clips[first], clips[second]], axis=0)
            found.update(zip(*places.tolist(), strict=True))
    return {(n, m) for n, m in found if n != m}
