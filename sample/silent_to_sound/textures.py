"""Sources whose sound is random in detail: rain, fire, wind and a crowd.

The picture shows which of them it is and how strong it is at the moment. It does not show when the
next drop falls or the next twig cracks: no two recordings of the same picture are the same.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sample.silent_to_sound.world import WORLD_VERSION, hashed_id

__all__ = ["TEXTURES", "Texture", "TextureScene", "build_texture_scene", "texture_source_id"]

DURATION_S = 20.0
_CHANGE_S = (1.2, 3.5)
_STRENGTHS = (0.1, 1.0)


@dataclass(frozen=True)
class Texture:
    """One kind of them.

    Attributes:
        name: one word.
        label: what the catalog calls a clip of it.
    """

    name: Literal["rain", "fire", "wind", "crowd"]
    label: str


TEXTURES = (
    Texture("rain", "rain falling"),
    Texture("fire", "fire crackling"),
    Texture("wind", "wind in the grass"),
    Texture("crowd", "crowd cheering"),
)


@dataclass(frozen=True)
class TextureScene:
    """All that happens in one source.

    Attributes:
        source_id: the source's name.
        seed: what the scene, its picture and its sound are drawn from.
        texture: which kind it is.
        duration_s: its length.
        knots: float64 (K, 2): instants in s, ascending, and the strength then, 0..1.
    """

    source_id: str
    seed: tuple[int, int]
    texture: Texture
    duration_s: float
    knots: NDArray[np.float64]

    @property
    def label(self) -> str:
        """What the catalog calls its clips."""
        return self.texture.label

    @property
    def round(self) -> int:
        """Which source of its kind it is."""
        return self.seed[1] // len(TEXTURES)

    def strength(self, time_s: ArrayLike) -> NDArray[np.float64]:
        """How strong it is at each time, 0..1; it changes without jumps."""
        times = np.asarray(time_s, dtype=np.float64)
        at_s, levels = self.knots.T
        place = np.interp(times, at_s, np.arange(len(at_s)))
        below = np.minimum(place.astype(int), len(at_s) - 2)
        way = place - below
        way = way * way * (3 - 2 * way)
        return levels[below] + way * (levels[below + 1] - levels[below])

    def shortened(self, duration_s: float) -> "TextureScene":
        """The scene's first seconds."""
        return replace(self, duration_s=duration_s)


def texture_source_id(seed: int, index: int) -> str:
    """Name a source as YouTube would."""
    return hashed_id(f"texture/{seed}/{index}")


def build_texture_scene(seed: int, index: int) -> TextureScene:
    """Make up what happens in one source; the same arguments give the same scene."""
    rng = np.random.default_rng([WORLD_VERSION, seed, index, len(TEXTURES)])
    at_s = [0.0]
    while at_s[-1] < DURATION_S:
        at_s.append(at_s[-1] + float(rng.uniform(*_CHANGE_S)))
    return TextureScene(
        source_id=texture_source_id(seed, index),
        seed=(seed, index),
        texture=TEXTURES[index % len(TEXTURES)],
        duration_s=DURATION_S,
        knots=np.stack([at_s, rng.uniform(*_STRENGTHS, len(at_s))], axis=1),
    )
