"""Pairs of clips that are alike, and how close they are."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from launcher.pages.dataset.lost import LostClip
from s2s.dataset import DatasetClip
from s2s.reasons import Reason
from validation.alike.duplicates import alike_pairs

__all__ = ["ClosePair", "count_contradicting", "find_pairs", "pairs_left_out"]

_HASH_DIGITS = 64
_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class ClosePair:
    """Two clips that are alike.

    Attributes:
        first: clip id.
        second: clip id; one that the version leaves out may be.
        reason: `duplicate` for the same bytes, else `near_duplicate`.
        picture_bits: bits of 256 in which the pictures' hashes differ; None where not known.
        sound_bits: the same of the sounds.
        around_a_moment: whether the two begin at other times, and what was compared is around a
            moment that they share.
    """

    first: str
    second: str
    reason: str
    picture_bits: int | None = None
    sound_bits: int | None = None
    around_a_moment: bool = False

    @property
    def distance(self) -> int:
        """For sorting: the same bytes first, those not known last."""
        if self.reason == Reason.DUPLICATE:
            return -1
        return 1000 if self.sound_bits is None else (self.picture_bits or 0) + self.sound_bits


def find_pairs(clips: Sequence[DatasetClip]) -> list[ClosePair]:
    """Pairs within a version, the closest first."""
    by_id = {clip.clip_id: clip for clip in clips}
    pairs = [
        _measured(by_id[pair.first], by_id[pair.second], pair.reason) for pair in alike_pairs(clips)
    ]
    return sorted(pairs, key=lambda pair: (pair.distance, pair.first, pair.second))


def pairs_left_out(lost: Iterable[LostClip], names: set[str]) -> list[ClosePair]:
    """Pairs of which one clip is left out of the version, because it is like the other.

    Args:
        lost: clips that are not in the version.
        names: ids of the clips that are; a message names the one that is alike.
    """
    pairs = []
    for clip in lost:
        if clip.reason in {Reason.DUPLICATE, Reason.NEAR_DUPLICATE}:
            other = next((name for name in _NAME.findall(clip.message) if name in names), None)
            if other is not None:
                pairs.append(ClosePair(other, clip.clip_id, clip.reason))
    return pairs


def count_contradicting(pairs: Sequence[ClosePair], clips: Sequence[DatasetClip | LostClip]) -> int:
    """Pairs of which both have labels, and none in common."""
    labels = {clip.clip_id: set(clip.labels) for clip in clips}
    both = [(labels[pair.first], labels[pair.second]) for pair in pairs]
    return sum(bool(one and other) and one.isdisjoint(other) for one, other in both)


def _measured(one: DatasetClip, other: DatasetClip, reason: str) -> ClosePair:
    picture = _nearest(_hashes(one.picture_hash), _hashes(other.picture_hash))
    sound = _nearest(_hashes(one.sound_hash), _hashes(other.sound_hash))
    moments = [
        (
            _nearest(mine[:1], theirs[:1]) or 0,
            _nearest(mine[1:], theirs[1:]) or 0,
        )
        for mine in map(_hashes, one.moment_hashes.split())
        for theirs in map(_hashes, other.moment_hashes.split())
    ]
    whole = (picture or 0) + (sound or 0)
    nearest = min(moments, key=sum, default=None)
    if nearest is not None and (picture is None or sum(nearest) < whole):
        return ClosePair(one.clip_id, other.clip_id, reason, *nearest, around_a_moment=True)
    return ClosePair(one.clip_id, other.clip_id, reason, picture, sound)


def _hashes(text: str) -> list[np.ndarray]:
    """Each hash of 256 bits in a text that may have several."""
    data = np.frombuffer(bytes.fromhex(text), np.uint8)
    size = _HASH_DIGITS // 2
    return [data[start : start + size] for start in range(0, len(data) - size + 1, size)]


def _nearest(some: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> int | None:
    bits = [int(np.bitwise_count(one ^ other).sum()) for one in some for other in others]
    return min(bits, default=None)
