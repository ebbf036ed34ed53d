"""Which clips' perceptual hashes are near, without comparing each with each.

Locality-sensitive hashing: each 16 bits of a hash are a band, and clips that agree in a band are
compared. So time grows with the number of clips, not its square.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from validation.alike.hashes import VIEWS

__all__ = ["near_looks", "near_moments"]

_DIGITS, _BYTES, _WORDS = 64, 32, 4
# Other encodings and sizes of a video differ in up to 35 bits of the picture's hash and 40 of the
# sound's; cut 0.3 s later, in up to 20 and about 90. Unrelated clips: 48 and 100 or more.
_PICTURE, _SOUND = 40, 96
# Where sounds are as good as the same, pictures may differ more, and are compared mirrored and
# cropped as well. Crops of 20 % differ in up to 44 bits then, unrelated pictures in 75 or more.
_SAME_SOUND, _LIKE_PICTURE = 48, 64
# Silence tells nothing: the picture has to do it alone.
_TELLING_BITS, _PICTURE_ALONE = 16, 32
# Around a moment: other encodings of it differ in up to 45 and 55, unrelated ones with pictures as
# near in 75 or more of the sound's.
_MOMENT_PICTURE, _MOMENT_SOUND = 40, 72
_LOOK_NEIGHBOURS, _MOMENT_NEIGHBOURS = 16, 4
# As it is, mirrored or its middle, against the other's.
_COMPARED_VIEWS = ((1, 0), (2, 0), (0, 2), (2, 1), (1, 2))


@dataclass(frozen=True)
class _Hashes:
    """Hashes of many clips or moments; each is four words of 64 bits.

    Attributes:
        owner: place of the clip that each is of, (N,).
        sounds: (N, 4).
        pictures: views one after another, (N, 4 * views).
    """

    owner: NDArray[np.intp]
    sounds: NDArray[np.uint64]
    pictures: NDArray[np.uint64]

    def view(self, rows: NDArray[np.intp], number: int) -> NDArray[np.uint64]:
        return self.pictures[rows, number * _WORDS : (number + 1) * _WORDS]


def near_looks(looks: Iterable[tuple[str, str]]) -> set[tuple[int, int]]:
    """Clips that look and sound nearly the same as a whole, by their places, the smaller first.

    Args:
        looks: each clip's picture hash, with or without its other views, and its sound hash;
            empty where it has none.
    """
    pictures, sounds, owner = bytearray(), bytearray(), []
    for place, (picture, sound) in enumerate(looks):
        if len(sound) == _DIGITS and len(picture) in {_DIGITS, VIEWS * _DIGITS}:
            pictures += bytes.fromhex(picture * (VIEWS if len(picture) == _DIGITS else 1))
            sounds += bytes.fromhex(sound)
            owner.append(place)
    hashes = _Hashes(np.array(owner, np.intp), _words(sounds, 1), _words(pictures, VIEWS))
    bands = [*_bands(hashes.pictures[:, :_WORDS]), *_bands(hashes.sounds)]
    return _search(hashes, bands, _LOOK_NEIGHBOURS, is_look=True)


def near_moments(moments: Iterable[str]) -> set[tuple[int, int]]:
    """Clips that have a moment in common, by their places, the smaller first.

    Args:
        moments: each clip's hashes of moments, a picture's and a sound's in turn.
    """
    data, numbers = bytearray(), []
    for text in moments:
        row = bytes.fromhex(text)
        data += row
        numbers.append(len(row) // (2 * _BYTES))
    words = _words(data, 2)
    owner = np.repeat(np.arange(len(numbers)), numbers)
    hashes = _Hashes(owner, np.ascontiguousarray(words[:, _WORDS:]), words[:, :_WORDS])
    return _search(hashes, _bands(hashes.sounds), _MOMENT_NEIGHBOURS, is_look=False)


def _words(data: bytearray, hashes: int) -> NDArray[np.uint64]:
    return np.frombuffer(data, np.uint64).reshape(-1, hashes * _WORDS)


def _bands(words: NDArray[np.uint64]) -> NDArray[np.uint16]:
    return np.ascontiguousarray(words).view(np.uint16).T


def _search(
    hashes: _Hashes, bands: Iterable[NDArray[np.uint16]], neighbours: int, *, is_look: bool
) -> set[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    most = _SOUND if is_look else _MOMENT_SOUND
    for column in bands:
        order = np.argsort(column, kind="stable")
        # Neighbours lie side by side then, which is what memory is fast at.
        band, sounds = column[order], hashes.sounds[order]
        for apart in range(1, min(neighbours, len(order) - 1) + 1):
            at = np.flatnonzero(band[:-apart] == band[apart:])
            if not len(at):
                break
            bits = _distance(sounds[at], sounds[at + apart])
            at, bits = at[bits <= most], bits[bits <= most]
            first, second = order[at], order[at + apart]
            kept = _is_near(hashes, first, second, bits, is_look=is_look)
            places = np.sort([hashes.owner[first[kept]], hashes.owner[second[kept]]], axis=0)
            found.update(zip(*places.tolist(), strict=True))
    return {(n, m) for n, m in found if n != m}


def _is_near(
    hashes: _Hashes,
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    sound_bits: NDArray[np.intp],
    *,
    is_look: bool,
) -> NDArray[np.bool_]:
    """Whether pairs whose sounds are near have pictures that are near enough for that."""
    picture_bits = _distance(hashes.view(first, 0), hashes.view(second, 0))
    if not is_look:
        return picture_bits <= _MOMENT_PICTURE
    telling = np.minimum(_ones(hashes.sounds[first]), _ones(hashes.sounds[second]))
    is_telling = telling >= _TELLING_BITS
    near = picture_bits <= np.where(is_telling, _PICTURE, _PICTURE_ALONE)
    rest = np.flatnonzero(is_telling & (sound_bits <= _SAME_SOUND) & ~near)
    least = picture_bits[rest]
    for mine, theirs in _COMPARED_VIEWS:
        views = hashes.view(first[rest], mine), hashes.view(second[rest], theirs)
        least = np.minimum(least, _distance(*views))
    near[rest] = least <= _LIKE_PICTURE
    return near


def _distance(some: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.intp]:
    return _ones(some ^ others)


def _ones(words: NDArray[np.uint64]) -> NDArray[np.intp]:
    return np.bitwise_count(words).sum(axis=1, dtype=np.intp)
