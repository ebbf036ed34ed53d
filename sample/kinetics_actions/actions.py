"""What is done in a source, and the catalog in Kinetics' published format.

Actions come in pairs, each the other one backwards or at another pace: the frames of both are the
same, in another order.
"""

import base64
import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

__all__ = ["ACTIONS", "CLIP_S", "PAIRS", "ActionScene", "build_scene", "list_clips"]

CLIP_S = 2
CLIPS_PER_SOURCE = 4
PAIRS = (
    ("turning clockwise", "turning anticlockwise"),
    ("rising", "falling"),
    ("growing", "shrinking"),
    ("waving fast", "waving slowly"),
)
ACTIONS = tuple(name for pair in PAIRS for name in pair)
WORLD_VERSION = 1
"""Part of every source id: raise it when the same seed gives another film."""

_ROUNDS_S = {"turning": (1.1, 1.9), "rising": (0.9, 1.6), "growing": (0.9, 1.6)}
"""How long one round takes, in seconds."""
_WAVES_S = {"waving fast": (0.45, 0.65), "waving slowly": (1.3, 1.9)}


@dataclass(frozen=True)
class ActionScene:
    """All that happens in one source.

    Attributes:
        source_id: the source's name.
        seed: what the scene and its picture are drawn from.
        action: one of `ACTIONS`, all the time.
        round_s: how long one round of it takes.
        phase: where in its round it begins, 0..1.
        duration_s: the source's length.
    """

    source_id: str
    seed: tuple[int, int]
    action: str
    round_s: float
    phase: float
    duration_s: float = float(CLIP_S * CLIPS_PER_SOURCE)

    @property
    def pair(self) -> int:
        """Which pair the action is of."""
        return ACTIONS.index(self.action) // 2

    @property
    def is_backwards(self) -> bool:
        """Whether it is the other of its pair."""
        return ACTIONS.index(self.action) % 2 == 1

    def progress(self, time_s: float) -> float:
        """Where in its round the action is, 0..1."""
        way = time_s / self.round_s + self.phase
        backwards = self.is_backwards and self.pair < len(PAIRS) - 1
        return (-way if backwards else way) % 1.0


def build_scene(seed: int, index: int) -> ActionScene:
    """Make up what happens in one source; the same arguments give the same scene."""
    rng = np.random.default_rng([WORLD_VERSION, seed, index, 0])
    action = ACTIONS[index % len(ACTIONS)]
    times_s = _WAVES_S.get(action) or _ROUNDS_S[PAIRS[ACTIONS.index(action) // 2][0].split()[0]]
    digest = hashlib.sha256(f"actions/{WORLD_VERSION}/{seed}/{index}".encode()).digest()
    return ActionScene(
        source_id=base64.urlsafe_b64encode(digest)[:11].decode(),
        seed=(seed, index),
        action=action,
        round_s=float(rng.uniform(*times_s)),
        phase=float(rng.uniform()),
    )


def list_clips(scenes: Iterable[ActionScene]) -> str:
    """The rows of a catalog. Of every five sources of an action the second is for testing."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(("label", "youtube_id", "time_start", "time_end", "split", "is_cc"))
    for scene in scenes:
        split = "test" if scene.seed[1] // len(ACTIONS) % 5 == 1 else "train"
        for start_s in range(0, int(scene.duration_s), CLIP_S):
            row = (scene.action, scene.source_id, start_s, start_s + CLIP_S, split, 1)
            writer.writerow(row)
    return lines.getvalue()
