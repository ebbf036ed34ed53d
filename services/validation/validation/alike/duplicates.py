"""Which clips are alike: the same bytes, or the same video under another name."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from s2s.dataset import DatasetClip
from s2s.reasons import Reason
from validation.alike.nearness import near_looks, near_moments

__all__ = ["AlikePair", "Links", "alike_pairs", "link", "redundant", "still_alike"]


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
    near = near_looks((clip.picture_hash, clip.sound_hash) for clip in ordered)
    near |= near_moments(clip.moment_hashes for clip in ordered)
    for n, m in sorted(near):
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
