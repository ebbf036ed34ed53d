"""The check of the sound that a served model makes for a held-out clip."""

from pathlib import Path

import numpy as np

from s2s.errors import MediaError
from s2s.media import drop_sound, open_guarded, probe, read_audio
from s2s.reasons import Reason
from s2s.settings import Recipe
from s2s.tasks.values import Proof

__all__ = ["PROOF", "check_answer"]

_MIN_POWER = 1e-12


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


def _check(recipe: Recipe, sent: Path, answer: Path) -> str:
    loudness_dbfs = check_answer(sent, answer, recipe.spec.sample_rate_hz)
    is_silent = loudness_dbfs < recipe.validation.min_loudness_dbfs
    return "the generated sound is silent" if is_silent else ""


def _packets(path: Path) -> list[bytes]:
    with open_guarded(path) as file:
        return [bytes(packet) for packet in file.demux(file.streams.video[0]) if packet.size]


def _sound_s(path: Path) -> float:
    """Length of the sound in seconds; decoded, it may be longer by a part of an AAC frame."""
    with open_guarded(path) as file:
        stream = file.streams.audio[0]
        return float((stream.duration or 0) * (stream.time_base or 0))


PROOF = Proof(make_upload=drop_sound, check=_check)
