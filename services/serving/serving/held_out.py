"""Held-out clips that show what a model does: which ones, and whether their answers are right."""

import hashlib
from collections import defaultdict
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np

from s2s.dataset import DatasetClip, DatasetVersion
from s2s.errors import MediaError
from s2s.media import open_guarded, probe, read_audio
from s2s.reasons import Reason

__all__ = ["check_answer", "choose_clips"]

_MIN_POWER = 1e-12


def choose_clips(version: DatasetVersion, count: int) -> list[DatasetClip]:
    """Clips that the model was not trained on: from the test split, or val where that is empty.

    Labels take turns, so that few clips show many of them. The same version gives the same clips.
    """
    by_label: dict[tuple[str, ...], list[DatasetClip]] = defaultdict(list)
    for clip in sorted(version.split("test") or version.split("val"), key=_order):
        by_label[clip.labels].append(clip)
    turns = zip_longest(*(by_label[label] for label in sorted(by_label)))
    return [clip for clip in chain.from_iterable(turns) if clip is not None][:count]


def check_answer(sent: Path, answer: Path, sample_rate_hz: int) -> float:
    """Make sure that an answer is the video that was sent, with sound of the same length.

    Args:
        sent: the silent mp4.
        answer: what the API made of it.
        sample_rate_hz: rate at which the sound is measured.

    Returns:
        loudness of the sound in dBFS, root mean square.

    Raises:
        MediaError: `corrupt` if the picture's packets are others or the lengths differ by more
            than a frame, `no_audio` without sound.
    """
    if _packets(sent) != _packets(answer):
        raise MediaError(Reason.CORRUPT, f"{answer.name}: its picture is not the one that was sent")
    samples = read_audio(answer, sample_rate_hz)
    picture, sound_s = probe(answer), _sound_s(answer)
    if abs(sound_s - picture.duration_s) > 1 / picture.fps:
        raise MediaError(
            Reason.CORRUPT,
            f"{answer.name}: {sound_s:.3f} s of sound for {picture.duration_s:.3f} s of picture",
        )
    return 10 * float(np.log10(np.mean(np.square(samples)) + _MIN_POWER))


def _order(clip: DatasetClip) -> str:
    return hashlib.sha256(clip.clip_id.encode()).hexdigest()


def _packets(path: Path) -> list[bytes]:
    with open_guarded(path) as file:
        return [bytes(packet) for packet in file.demux(file.streams.video[0]) if packet.size]


def _sound_s(path: Path) -> float:
    """How long the sound plays; what is decoded may be longer by a part of an AAC frame."""
    with open_guarded(path) as file:
        stream = file.streams.audio[0]
        return float((stream.duration or 0) * (stream.time_base or 0))
