"""Who talks in a source, and the catalog: split by voice, and by what is said."""

import base64
import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sample.cocktail_party.speech import HELD_OUT_WORDS, WORDS
from sample.cocktail_party.voice import Voice, make_voice

__all__ = ["CLIP_S", "Talker", "list_clips", "make_talker"]

CLIP_S = 3
CLIPS_PER_SOURCE = 3
WORLD_VERSION = 1
"""Part of every source id: raise it when the same seed gives another film."""
_HELD_OUT_EVERY = 5


@dataclass(frozen=True)
class Talker:
    """One talker, who is all that is seen and heard of a source.

    Attributes:
        source_id: the source's name.
        seed: what face, words and noise are drawn from.
        voice: the talker's.
        face_xy: where the middle of the face is, as fractions of the picture.
        unit_px: half the face's width.
        articulation: how far the lips move, 1 for as far as they can.
        duration_s: the source's length.
    """

    source_id: str
    seed: tuple[int, int]
    voice: Voice
    face_xy: tuple[float, float]
    unit_px: float
    articulation: float
    duration_s: float = float(CLIP_S * CLIPS_PER_SOURCE)

    @property
    def is_held_out(self) -> bool:
        """Whether nothing is trained on this voice, nor on its words."""
        return self.seed[1] % _HELD_OUT_EVERY == 1

    @property
    def words(self) -> range:
        """Numbers of the words that are said."""
        first_held_out = WORDS - HELD_OUT_WORDS
        return range(first_held_out, WORDS) if self.is_held_out else range(first_held_out)

    @property
    def name(self) -> str:
        """What the catalog calls the talker: clips of one name have one voice."""
        return f"talker {self.seed[1]:03d}"

    def rng(self, part: int) -> np.random.Generator:
        """Chance for one part of a source."""
        return np.random.default_rng([WORLD_VERSION, *self.seed, part])


def make_talker(seed: int, index: int) -> Talker:
    """Make up a talker; the same arguments give the same one."""
    rng = np.random.default_rng([WORLD_VERSION, seed, index, 0])
    digest = hashlib.sha256(f"talkers/{WORLD_VERSION}/{seed}/{index}".encode()).digest()
    voice = make_voice(rng)
    x, y = rng.uniform((0.43, 0.42), (0.57, 0.48)).round(3).tolist()
    return Talker(
        source_id=base64.urlsafe_b64encode(digest)[:11].decode(),
        seed=(seed, index),
        voice=voice,
        face_xy=(x, y),
        unit_px=float(rng.uniform(39, 46)),
        articulation=float(rng.uniform(0.6, 1)),
    )


def list_clips(talkers: Iterable[Talker]) -> str:
    """The rows of a catalog: as AVSpeech's, with the talker's name and a split beside them."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(("source_id", "start_s", "end_s", "face_x", "face_y", "labels", "split"))
    for talker in talkers:
        split = "test" if talker.is_held_out else "train"
        for start_s in range(0, int(talker.duration_s), CLIP_S):
            times = (start_s, start_s + CLIP_S)
            writer.writerow((talker.source_id, *times, *talker.face_xy, talker.name, split))
    return lines.getvalue()
