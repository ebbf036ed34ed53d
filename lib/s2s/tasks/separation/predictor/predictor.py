"""From a video to the voice of every face in it.

Legend: N samples, T pictures, S faces, D lip values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from s2s.media import MediaLimits
from s2s.tasks.contract import Made, Notes, Upload
from s2s.tasks.separation.extractors.lips import lip_state
from s2s.tasks.separation.predictor.files import write_files
from s2s.tasks.separation.predictor.offer import SeparationOptions
from s2s.tasks.separation.predictor.reading import (
    FACES_FILE,
    LONGEST_PX,
    MOST_S,
    SOUND_FILE,
    read_faces,
    read_sound,
)
from s2s.tasks.separation.predictor.separator import Separator

__all__ = ["NOT_HEARD", "SeparationPredictor"]

NOT_HEARD = (
    "No face was heard: no lips move with the sound, or nobody speaks. All of the sound is in what "
    "is left."
)
_LEAST_HEARD_DB = -40.0  # of the mixture's energy
_FADE_S = 0.04
_LEAST_LOST_S = 0.5
"""Less sound before or after the picture than this is not told of."""


@dataclass(frozen=True)
class FacesAndSound:
    """What a video shows and what is heard in it.

    Attributes:
        mixture_N: float32, as long as the pictures.
        lips_STD: lip streams.
        seen_ST: where each face was seen.
        boxes_ST4: where it was, as fractions of the picture.
        lips: of each face, whether its lips are `moving`, `hardly moving` or `still`.
        read: what `read_faces` says.
        sound_s: when the file's sound ends, in seconds from the start of the file.
    """

    mixture_N: np.ndarray
    lips_STD: np.ndarray
    seen_ST: np.ndarray
    boxes_ST4: np.ndarray
    lips: Sequence[str]
    read: Mapping[str, Any]
    sound_s: float


class SeparationPredictor:
    """`s2s.tasks.contract.Predictor` says when each step runs.

    Args:
        separator: the trained network.
        limits: what a file may ask for.
    """

    def __init__(self, separator: Separator, limits: MediaLimits) -> None:
        self.separator = separator
        self._limits = limits

    @classmethod
    def load(cls, folder: Path, limits: MediaLimits) -> Self:
        """Load a model directory, onto a GPU where there is one.

        Raises:
            ModelError: if it does not hold a model that fits.
        """
        return cls(Separator.load(folder), limits)

    def prepare(self, upload: Upload, options: SeparationOptions, notes: Notes) -> FacesAndSound:
        """Find and follow faces; read the sound.

        Raises:
            MediaError: `no_face`, `no_audio`, `silent`, or what reading the file comes to.
        """
        folder, rate_hz = upload.folder, self.separator.sample_rate_hz
        with notes.step("sound"):
            upload.run(read_sound, upload.path, folder, rate_hz, self._limits)
        with notes.step("faces"):
            read = upload.run(
                read_faces,
                *(upload.path, folder, self.separator.fps, options.max_faces, self._limits),
                most_s=MOST_S,
                on_progress=notes.tell,
            )
            with np.load(folder / FACES_FILE, allow_pickle=False) as faces:
                lips_STD, seen_ST, boxes_ST4 = (faces[x] for x in ("lips", "seen", "boxes"))
        sound_N = np.fromfile(folder / SOUND_FILE, np.float32)
        mixture_N = _beside(sound_N, read["start_s"], rate_hz)
        length = seen_ST.shape[1] * self.separator.samples_per_picture
        mixture_N = np.pad(mixture_N[:length], (0, max(0, length - len(mixture_N))))
        lips = [
            lip_state(lips_TD, seen_T, self.separator.fps)
            for lips_TD, seen_T in zip(lips_STD, seen_ST, strict=True)
        ]
        sound_s = len(sound_N) / rate_hz
        return FacesAndSound(mixture_N, lips_STD, seen_ST, boxes_ST4, lips, read, sound_s)

    def predict(self, batch: Sequence[FacesAndSound]) -> Sequence[tuple[FacesAndSound, np.ndarray]]:
        """Each input with its faces' voices, float32 (S, N).

        A face whose lips do not move says nothing, whatever the network hears; nor does one while
        it is not seen.
        """
        torch.set_num_threads(1)  # one film is too little work for more
        return [(item, self._voices(item)) for item in batch]

    def finish(
        self,
        upload: Upload,
        options: SeparationOptions,
        output: tuple[FacesAndSound, np.ndarray],
        notes: Notes,
    ) -> Made:
        """Files of every face, and what is known of them."""
        del options
        item, voices_SN = output
        rest_N = item.mixture_N - voices_SN.sum(axis=0)
        with notes.step("files"):
            sounds = {"mixture": item.mixture_N, "rest": rest_N}
            rate_hz = self.separator.sample_rate_hz
            files = write_files(upload, voices_SN, sounds, rate_hz, notes.tell)
        return Made(files, self._document(item, voices_SN, rest_N))

    def _voices(self, item: FacesAndSound) -> np.ndarray:
        moving = [n for n, moved in enumerate(item.lips) if moved == "moving"]
        voices_SN = np.zeros((len(item.lips_STD), len(item.mixture_N)), np.float32)
        if moving:
            voices_SN[moving] = self.separator.separate(
                item.mixture_N, item.lips_STD[moving], item.seen_ST[moving]
            )
        per_picture = self.separator.samples_per_picture
        fade = np.hanning(2 * round(_FADE_S * self.separator.sample_rate_hz) + 1)
        for n, seen_T in enumerate(item.seen_ST):
            if not seen_T.all():
                shown_N = np.repeat(seen_T, per_picture).astype(np.float32)
                voices_SN[n] *= np.convolve(shown_N, fade / fade.sum(), "same")
        return voices_SN

    def _document(
        self, item: FacesAndSound, voices_SN: np.ndarray, rest_N: np.ndarray
    ) -> Mapping[str, Any]:
        fps, rate_hz = self.separator.fps, self.separator.sample_rate_hz
        seconds = {"decode": item.read["decode_s"], "follow": item.read["follow_s"]}
        faces = [
            {
                "name": f"face-{n + 1}",
                "box": [round(float(x), 4) for x in np.nanmedian(item.boxes_ST4[n], axis=0)],
                "seen": _spans(item.seen_ST[n], fps),
                "lips": item.lips[n],
                "level_db": _level_db(voices_SN[n], item.mixture_N),
            }
            for n in range(len(voices_SN))
        ]
        duration_s = len(item.mixture_N) / rate_hz
        warnings = [] if any(_is_heard(face) for face in faces) else [NOT_HEARD]
        warnings += _hardly_moving(item.lips)
        warnings += _left_out(item.read["start_s"], duration_s, item.sound_s)
        return {
            **({"warning": " ".join(warnings)} if warnings else {}),
            "duration_s": round(duration_s, 3),
            "sample_rate_hz": rate_hz,
            "faces": faces,
            "faces_left_out": item.read["left_out"],
            "rest_db": _level_db(rest_N, item.mixture_N),
            "looked_at_px": LONGEST_PX,
            "seconds": {name: round(float(value), 3) for name, value in seconds.items()},
        }


def _is_heard(face: Mapping[str, Any]) -> bool:
    return face["level_db"] > _LEAST_HEARD_DB


def _left_out(start_s: float, duration_s: float, sound_s: float) -> list[str]:
    """What is told of sound that no picture goes with.

    Args:
        start_s: when the picture starts in the file.
        duration_s: length of the picture.
        sound_s: when the sound ends in the file.
    """
    end_s, told = start_s + duration_s, []
    if start_s > _LEAST_LOST_S:
        told.append(f"The picture begins at {start_s:.1f} s: the sound before it is left out.")
    if sound_s - end_s > _LEAST_LOST_S:
        lost = f"{sound_s - end_s:.1f} s of sound are left out"
        told.append(f"The picture ends at {end_s:.1f} s: {lost}.")
    return told


def _hardly_moving(lips: Sequence[str]) -> list[str]:
    """What is told of faces that may be talkers', though they are given silence."""
    named = [str(n) for n, moved in enumerate(lips, start=1) if moved == "hardly moving"]
    if not named:
        return []
    return [
        f"Lips that hardly move are given silence: face {' and '.join(named)}. A talker's may seem "
        "so in a video of a low bit rate: send one of a higher."
    ]


def _beside(samples_N: np.ndarray, start_s: float, rate_hz: int) -> np.ndarray:
    """Sound from the first picture on; before its own start there is silence."""
    skipped = round(start_s * rate_hz)
    return np.pad(samples_N, (-skipped, 0)) if skipped < 0 else samples_N[skipped:]


def _spans(seen_T: np.ndarray, fps: int) -> list[list[float]]:
    """Start and end, in seconds, of each time in which a face was seen."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], seen_T.astype(np.int8), [0]])))
    return [
        [round(float(first) / fps, 2), round(float(stop) / fps, 2)]
        for first, stop in zip(edges[::2], edges[1::2], strict=True)
    ]


def _level_db(sound_N: np.ndarray, mixture_N: np.ndarray) -> float:
    """Energy of a sound against that of the mixture, -120 dB at least."""
    energy, whole = (float(np.square(x, dtype=np.float64).sum()) for x in (sound_N, mixture_N))
    return round(float(10 * np.log10(max(energy / max(whole, 1e-12), 1e-12))), 1)
