"""A talker's film: what is said moves the sound, the lips and, a little, the head.

Legend: H height and W width in pixels, C red-green-blue, N samples, F pictures.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sample.cocktail_party.face import Pose
from sample.cocktail_party.mouth import Lips
from sample.cocktail_party.picture import FPS, Painter
from sample.cocktail_party.speech import RATE_HZ, Tracks, say
from sample.cocktail_party.talkers import Talker
from sample.cocktail_party.voice import SAMPLE_RATE_HZ, sing

__all__ = ["TalkerFilm"]

_SWAY = (0.012, 0.010)
"""How far a head drifts, as fractions of the picture."""
_ROLL = 0.05
_BLINK_EVERY_S = (1.5, 5.0)
_BLINK_S = 0.16


class TalkerFilm:
    """A film of a talker; see `sample.film.Film`."""

    fps = FPS
    sample_rate_hz = SAMPLE_RATE_HZ

    def __init__(self, talker: Talker) -> None:
        self.talker = talker
        self.source_id = talker.source_id
        self.duration_s = talker.duration_s

    @cached_property
    def said(self) -> tuple[Tracks, list[tuple[float, str]]]:
        """How everything moves along what is said, and when each word begins."""
        talker = self.talker
        return say(talker.rng(1), self.duration_s, talker.voice.tempo, talker.words)

    def samples(self) -> NDArray[np.float32]:
        """Its sound."""
        return sing(self.talker.voice, self.said[0], self.talker.rng(2))

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Its pictures."""
        painter = Painter(self.talker.rng(3))
        poses = self.poses()
        for number, (pose, lips) in enumerate(zip(poses, self.lips(), strict=True)):
            yield painter.picture(number, pose, lips)

    def lips(self) -> list[Lips]:
        """Where the lips are in each picture."""
        tracks, far = self.said[0], self.talker.articulation
        every = RATE_HZ // FPS
        columns = (far * tracks.opening, far * tracks.spread, tracks.press)
        shown = (column[:-1:every] for column in columns)
        return [Lips(*map(float, at)) for at in zip(*shown, strict=True)]

    def truth(self) -> dict[str, Any]:
        """Who says what when, and how the lips move."""
        voice = self.talker.voice
        return {
            "talker": self.talker.name,
            "pitch_hz": voice.pitch_hz,
            "tract": voice.tract,
            "words": [{"start_s": start_s, "spelling": word} for start_s, word in self.said[1]],
            "opening": [round(lips.opening, 3) for lips in self.lips()],
        }

    def poses(self) -> list[Pose]:
        """How the head is held in each picture: it sways, and nods where words have stress."""
        rng = self.talker.rng(4)
        times_F = np.arange(round(self.duration_s * FPS)) / FPS
        x_F, y_F, turn_F, nod_F, roll_F = (_sway(rng, times_F) for _ in range(5))
        stress_F = self.said[0].stress[: -1 : RATE_HZ // FPS]
        x, y = self.talker.face_xy
        lids_F = _lids(rng, times_F)
        turned = rng.uniform(-0.5, 0.5)
        return [
            Pose(
                x=x + _SWAY[0] * float(x_F[n]),
                y=y + _SWAY[1] * float(y_F[n]) + 0.004 * float(stress_F[n]),
                unit_px=self.talker.unit_px,
                turn=turned + 0.5 * float(turn_F[n]),
                nod=0.5 * float(nod_F[n]) + 0.3 * float(stress_F[n]),
                roll=_ROLL * float(roll_F[n]),
                lids=float(lids_F[n]),
            )
            for n in range(len(times_F))
        ]


def _sway(rng: np.random.Generator, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slow movement to and fro, -1..1."""
    slow, slower = rng.uniform(0.3, 0.7), rng.uniform(0.1, 0.25)
    first, second = rng.uniform(0, 2 * np.pi, 2)
    waves = (
        np.sin(2 * np.pi * slow * times_s + first),
        np.sin(2 * np.pi * slower * times_s + second),
    )
    return 0.4 * waves[0] + 0.6 * waves[1]


def _lids(rng: np.random.Generator, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the eyes are open: 1, but for blinks."""
    lids = np.ones(len(times_s))
    now_s = float(rng.uniform(0.3, _BLINK_EVERY_S[1]))
    while now_s < times_s[-1]:
        lids = np.minimum(lids, np.clip(np.abs(times_s - now_s) / (_BLINK_S / 2), 0, 1))
        now_s += float(rng.uniform(*_BLINK_EVERY_S))
    return lids
