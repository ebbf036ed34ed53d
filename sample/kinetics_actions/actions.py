"""What is done in a source, clip after clip, and the catalog in Kinetics' published format.

Actions come in pairs, each the other one backwards or at another pace: the frames of both are the
same, in another order. A source has both actions of two pairs, before one background: neither a
frame nor the place tells them apart.
"""

import base64
import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

__all__ = ["ACTIONS", "CLIP_S", "PAIRS", "Act", "ActionScene", "build_scene", "list_clips"]

CLIP_S = 2
PAIRS = (
    ("turning clockwise", "turning anticlockwise"),
    ("rising", "falling"),
    ("growing", "shrinking"),
    ("waving fast", "waving slowly"),
)
ACTIONS = tuple(name for pair in PAIRS for name in pair)
WORLD_VERSION = 2
"""Part of every source id: raise it when the same seed gives another film."""

_ROUNDS_S = {"turning": (1.1, 1.9), "rising": (0.9, 1.6), "growing": (0.9, 1.6)}
"""How long one round takes, in seconds."""
_WAVES_S = {"waving fast": (0.45, 0.65), "waving slowly": (1.3, 1.9)}
_PAIRS_TOGETHER = tuple(combinations(range(len(PAIRS)), 2))
"""Which two pairs a source has: all of them in turn."""


@dataclass(frozen=True)
class Act:
    """What is done in one clip.

    Attributes:
        action: one of `ACTIONS`.
        round_s: how long one round of it takes.
        phase: where in its round it begins, 0..1.
    """

    action: str
    round_s: float
    phase: float

    @property
    def pair(self) -> int:
        """Which pair the action is of."""
        return ACTIONS.index(self.action) // 2

    @property
    def is_backwards(self) -> bool:
        """Whether it is the other of its pair."""
        return ACTIONS.index(self.action) % 2 == 1

    def progress(self, time_s: float) -> float:
        """Where in its round the action is, 0..1, some time after its beginning."""
        way = time_s / self.round_s
        backwards = self.is_backwards and self.pair < len(PAIRS) - 1
        return ((-way if backwards else way) + self.phase) % 1.0


@dataclass(frozen=True)
class ActionScene:
    """All that happens in one source.

    Attributes:
        source_id: the source's name.
        seed: what the scene and its picture are drawn from.
        acts: what is done in each clip.
    """

    source_id: str
    seed: tuple[int, int]
    acts: tuple[Act, ...]

    @property
    def duration_s(self) -> float:
        """The source's length."""
        return float(CLIP_S * len(self.acts))

    def clip_at(self, time_s: float) -> tuple[int, float]:
        """Which clip an instant is in, and how long after its beginning."""
        number = min(int(time_s / CLIP_S), len(self.acts) - 1)
        return number, time_s - number * CLIP_S


def build_scene(seed: int, index: int) -> ActionScene:
    """Make up what happens in one source; the same arguments give the same scene."""
    rng = np.random.default_rng([WORLD_VERSION, seed, index, 0])
    pairs = _PAIRS_TOGETHER[index % len(_PAIRS_TOGETHER)]
    actions = [action for pair in pairs for action in PAIRS[pair]]
    digest = hashlib.sha256(f"actions/{WORLD_VERSION}/{seed}/{index}".encode()).digest()
    return ActionScene(
        source_id=base64.urlsafe_b64encode(digest)[:11].decode(),
        seed=(seed, index),
        acts=tuple(_build_act(rng, actions[n]) for n in rng.permutation(len(actions))),
    )


def _build_act(rng: np.random.Generator, action: str) -> Act:
    times_s = _WAVES_S.get(action) or _ROUNDS_S[PAIRS[ACTIONS.index(action) // 2][0].split()[0]]
    return Act(action, float(rng.uniform(*times_s)), float(rng.uniform()))


def list_clips(scenes: Iterable[ActionScene]) -> str:
    """The rows of a catalog. Of five sources of the same actions the second is for testing."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(("label", "youtube_id", "time_start", "time_end", "split", "is_cc"))
    for scene in scenes:
        split = "test" if scene.seed[1] // len(_PAIRS_TOGETHER) % 5 == 1 else "train"
        for number, act in enumerate(scene.acts):
            start_s = number * CLIP_S
            row = (act.action, scene.source_id, start_s, start_s + CLIP_S, split, 1)
            writer.writerow(row)
    return lines.getvalue()
