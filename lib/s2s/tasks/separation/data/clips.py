"""Clips of talkers: whose they are, and stretches of them.

Legend: T pictures, N samples, D lip values.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from s2s.dataset import DatasetClip
from s2s.features.stored import StoredClip

__all__ = ["Stretch", "Talkers", "level_of", "measure_lips", "read_stretch", "speaker_of"]

_FULL_SCALE = 32768.0
_CLIPS_MEASURED = 512
_LEAST_STD = 1e-2


def speaker_of(clip: DatasetClip) -> str:
    """Who speaks in a clip: its first label, or else its source."""
    return clip.labels[0] if clip.labels else clip.source_id


@dataclass(frozen=True)
class Stretch:
    """Some time of a clip.

    Attributes:
        voice_N: float32, -1..1.
        lips_TD: float32.
        seen_T: bool, where the face was seen.
    """

    voice_N: np.ndarray
    lips_TD: np.ndarray
    seen_T: np.ndarray


def read_stretch(clip: StoredClip, start: int, length: int) -> Stretch:
    """So many pictures of a clip and their sound; beyond its end there is nothing.

    Args:
        clip: the clip.
        start: its first picture.
        length: pictures.
    """
    rate, fps = clip.shard.spec("voice").rate_hz, clip.shard.spec("lips").rate_hz
    assert rate is not None  # noqa: S101 - both are over time
    assert fps is not None  # noqa: S101
    samples = round(rate / fps)
    stop = min(start + length, clip.length("lips"))
    voice = clip.read("voice", start * samples, stop * samples)
    lips, seen = (clip.read(name, start, stop) for name in ("lips", "seen"))
    missing = length - len(lips)
    return Stretch(
        np.pad(voice.astype(np.float32) / _FULL_SCALE, (0, length * samples - len(voice))),
        np.pad(lips.astype(np.float32), ((0, missing), (0, 0))),
        np.pad(seen, (0, missing)),
    )


def level_of(clip: StoredClip) -> float:
    """How loud a clip's voice is: root mean square, 0..1."""
    voice = clip.read("voice").astype(np.float32) / _FULL_SCALE
    return float(np.sqrt(np.mean(voice * voice)))


class Talkers:
    """Clips by who speaks in them.

    Args:
        clips: the clips.
    """

    def __init__(self, clips: Sequence[StoredClip]) -> None:
        self.clips = clips
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, clip in enumerate(clips):
            places[speaker_of(clip.listed)].append(place)
        self._places = dict(places)
        self._names = sorted(self._places)
        self._of_id = {clip.clip_id: clip for clip in clips}

    def clip(self, clip_id: str) -> StoredClip:
        """A clip by its id."""
        return self._of_id[clip_id]

    def speaker(self, place: int) -> str:
        """Who speaks in a clip."""
        return speaker_of(self.clips[place].listed)

    def same(self, place: int) -> list[int]:
        """Places of the same speaker's other clips that do not overlap with one."""
        clip = self.clips[place].listed
        return [
            other
            for other in self._places[speaker_of(clip)]
            if other != place and not _overlap(clip, self.clips[other].listed)
        ]

    def others(self, places: Sequence[int]) -> list[str]:
        """Speakers that are not those of some clips, sorted."""
        known = {speaker_of(self.clips[place].listed) for place in places}
        return [name for name in self._names if name not in known]

    def of_speaker(self, name: str) -> Sequence[int]:
        """Places of a speaker's clips."""
        return self._places[name]


def measure_lips(clips: Sequence[StoredClip]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (D,) of what lips do where they were seen, of some clips."""
    chosen = clips[:: max(1, -(-len(clips) // _CLIPS_MEASURED))]
    values = [clip.read("lips").astype(np.float64)[clip.read("seen")] for clip in chosen]
    lips_TD = np.concatenate(values)
    if not len(lips_TD):
        width = clips[0].shape("lips")[1]
        return np.zeros(width, np.float32), np.ones(width, np.float32)
    mean_D, std_D = lips_TD.mean(axis=0), np.maximum(lips_TD.std(axis=0), _LEAST_STD)
    return mean_D.astype(np.float32), std_D.astype(np.float32)


def _overlap(one: DatasetClip, other: DatasetClip) -> bool:
    return (
        one.source_id == other.source_id and one.start_s < other.end_s and other.start_s < one.end_s
    )
