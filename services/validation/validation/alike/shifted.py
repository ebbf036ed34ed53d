"""Hashes around a clip's moments, the same in a copy that was cut earlier or later.

A moment is where the sound rises most. What is heard and seen around it is hashed as a whole clip
is (see `validation.alike.hashes`); cuts of one video agree wherever they have a moment in common.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from validation.alike.hashes import BANDS, band_energy, hash_levels, hash_tiles

__all__ = ["Moment", "find_moments", "hash_instants", "instants_of"]

_MOST = 3
_APART_S = 0.5
_WINDOW, _HOP = 512, 128
_RISE_HOPS = 12
_SLOTS, _SLOT_HOPS = 17, 15
# The window of a moment's sound begins before it: what leads up to a sound tells as much.
_LEAD_S = 0.5
_FRAMES_S = (-0.4, 0.0, 0.4, 0.8)
_FLOOR = 1e-4


@dataclass(frozen=True)
class Moment:
    """A moment of a sound.

    Attributes:
        at_s: when it is, from the clip's start.
        hash: of the two seconds around it, 64 hexadecimal digits.
    """

    at_s: float
    hash: str


def find_moments(samples_N: NDArray[np.float32], sample_rate_hz: int) -> tuple[Moment, ...]:
    """The moments of a sound, in order; none of a sound of less than two seconds."""
    if len(samples_N) < _WINDOW + _SLOTS * _SLOT_HOPS * _HOP:
        return ()
    # Louder or softer is the same sound.
    loud = samples_N / max(float(np.abs(samples_N).max()), 1e-9)
    energy = band_energy(sliding_window_view(loud, _WINDOW)[::_HOP], sample_rate_hz)
    hop_s = _HOP / sample_rate_hz
    lead = round(_LEAD_S / hop_s)
    starts = [place - lead for place in _rises(energy, lead, round(_APART_S / hop_s))]
    floor = _FLOOR * float(energy.max()) + 1e-9
    return tuple(
        Moment(round((start + lead) * hop_s, 3), _hash(energy[start:], floor))
        for start in sorted(starts)
    )


def instants_of(moments_s: Sequence[float]) -> list[float]:
    """When a picture is looked at for its moments, in seconds, in order."""
    return sorted({moment_s + apart_s for moment_s in moments_s for apart_s in _FRAMES_S})


def hash_instants(
    tiles: Mapping[float, NDArray[np.float32]], moments_s: Sequence[float]
) -> tuple[str, ...]:
    """Hash what is seen around each moment; 64 hexadecimal digits each.

    Args:
        tiles: tiles of the picture (see `validation.alike.hashes`) at each of `instants_of`.
        moments_s: the moments.
    """
    return tuple(
        hash_tiles([tiles[moment_s + apart_s] for apart_s in _FRAMES_S]) for moment_s in moments_s
    )


def _rises(energy_TB: NDArray[np.float32], lead: int, apart: int) -> list[int]:
    """Where the level rises most from one tenth of a second to the next, the highest first."""
    level = np.log(energy_TB + _FLOOR * energy_TB.max() + 1e-12)
    smooth = sliding_window_view(level, _RISE_HOPS, axis=0).mean(axis=2)
    rise = np.zeros(len(level))
    steps = np.maximum(smooth[_RISE_HOPS:] - smooth[:-_RISE_HOPS], 0).sum(axis=1)
    rise[_RISE_HOPS : _RISE_HOPS + len(steps)] = steps
    # A moment's window must be in the clip as a whole.
    rise[:lead] = rise[len(rise) - _SLOTS * _SLOT_HOPS + lead :] = 0
    found: list[int] = []
    while len(found) < _MOST and rise.max(initial=0) > 0:
        found.append(int(rise.argmax()))
        rise[max(0, found[-1] - apart) : found[-1] + apart] = 0
    return found


def _hash(energy_TB: NDArray[np.float32], floor: float) -> str:
    slots = energy_TB[: _SLOTS * _SLOT_HOPS].reshape(_SLOTS, _SLOT_HOPS, BANDS).sum(axis=1)
    return hash_levels(np.log(slots + floor))
