"""Picture and sound of a source, and the catalog in VGGSound's published format.

Half of the classes show the same thing and sound in different ways; the other half sound the same
and show different things. Who only listens, or only looks, knows half of them and guesses the rest.
"""

import base64
import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

__all__ = ["CLASSES", "CLIP_S", "ContestClass", "ContestScene", "build_scene", "list_clips"]

CLIP_S = 3
CLIPS_PER_SOURCE = 3
WORLD_VERSION = 1
"""Part of every source id: raise it when the same seed gives another film."""


@dataclass(frozen=True)
class ContestClass:
    """A class of the contest.

    Attributes:
        label: its name.
        sound: what is heard.
        shape: the shape that is drawn.
    """

    label: str
    sound: str
    shape: str


CLASSES = (
    ContestClass("radio playing a rising tone", "rising", "box"),
    ContestClass("radio playing a falling tone", "falling", "box"),
    ContestClass("radio ticking", "ticks", "box"),
    ContestClass("radio hissing", "hiss", "box"),
    ContestClass("humming disc", "hum", "disc"),
    ContestClass("humming ring", "hum", "ring"),
    ContestClass("humming cross", "hum", "cross"),
    ContestClass("humming stripes", "hum", "stripes"),
)


@dataclass(frozen=True)
class ContestScene:
    """All that happens in one source.

    Attributes:
        source_id: the source's name.
        seed: what its picture and its sound are drawn from.
        kind: its class.
        duration_s: its length.
    """

    source_id: str
    seed: tuple[int, int]
    kind: ContestClass
    duration_s: float = float(CLIP_S * CLIPS_PER_SOURCE)


def build_scene(seed: int, index: int) -> ContestScene:
    """Make up what happens in one source; the same arguments give the same scene."""
    digest = hashlib.sha256(f"contest/{WORLD_VERSION}/{seed}/{index}".encode()).digest()
    source_id = base64.urlsafe_b64encode(digest)[:11].decode()
    return ContestScene(source_id, (seed, index), CLASSES[index % len(CLASSES)])


def list_clips(scenes: Iterable[ContestScene]) -> str:
    """The rows of a catalog. Of every five sources of a class the second is for testing."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    for scene in scenes:
        split = "test" if scene.seed[1] // len(CLASSES) % 5 == 1 else "train"
        for start_s in range(0, int(scene.duration_s), CLIP_S):
            writer.writerow((scene.source_id, start_s, scene.kind.label, split))
    return lines.getvalue()


def rng_of(scene: ContestScene, part: int) -> np.random.Generator:
    """Chance for one part of a scene."""
    return np.random.default_rng([WORLD_VERSION, *scene.seed, part])
