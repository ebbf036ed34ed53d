"""Picture and sound of a source, and the catalog in VGGSound's published format.

Half of the classes show the same thing and sound in different ways; the other half sound the same
and show different things. Who only listens, or only looks, knows half of them and guesses the rest.
The clips of a source are of several classes, in the same colours: the place tells nothing.
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
_STEP = 3
"""From the class of one clip of a source to that of the next; with it all classes take turns."""
WORLD_VERSION = 2
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
        seed: what its pictures and its sounds are drawn from.
        kinds: the class of each clip.
    """

    source_id: str
    seed: tuple[int, int]
    kinds: tuple[ContestClass, ...]

    @property
    def duration_s(self) -> float:
        """The source's length."""
        return float(CLIP_S * len(self.kinds))


def build_scene(seed: int, index: int) -> ContestScene:
    """Make up what happens in one source; the same arguments give the same scene."""
    digest = hashlib.sha256(f"contest/{WORLD_VERSION}/{seed}/{index}".encode()).digest()
    source_id = base64.urlsafe_b64encode(digest)[:11].decode()
    places = [(index + _STEP * number) % len(CLASSES) for number in range(CLIPS_PER_SOURCE)]
    return ContestScene(source_id, (seed, index), tuple(CLASSES[place] for place in places))


def list_clips(scenes: Iterable[ContestScene]) -> str:
    """The rows of a catalog. Of five sources of the same classes the second is for testing."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    for scene in scenes:
        split = "test" if scene.seed[1] // len(CLASSES) % 5 == 1 else "train"
        for number, kind in enumerate(scene.kinds):
            writer.writerow((scene.source_id, number * CLIP_S, kind.label, split))
    return lines.getvalue()


def rng_of(scene: ContestScene, *part: int) -> np.random.Generator:
    """Chance for one part of a scene."""
    return np.random.default_rng([WORLD_VERSION, *scene.seed, *part])
