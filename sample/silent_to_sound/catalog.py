"""The catalog in VGGSound's published format: `id,start in s,label,split`, without a header."""

import csv
import io
from collections.abc import Iterable

from sample.silent_to_sound.materials import MATERIALS
from sample.silent_to_sound.textures import TEXTURES, TextureScene, build_texture_scene
from sample.silent_to_sound.world import Scene, build_scene

__all__ = [
    "CLIP_S",
    "AnyScene",
    "build_source",
    "catalog_text",
    "clip_starts_s",
]

CLIP_S = 10
_MAX_CLIPS = 5
_ROUND = len(MATERIALS) + len(TEXTURES)
"""Sources of consecutive indices have each material and each texture once."""

AnyScene = Scene | TextureScene


def build_source(seed: int, index: int) -> AnyScene:
    """Make up what happens in one source of a catalog: in each round first things that fall."""
    turn, place = divmod(index, _ROUND)
    if place < len(MATERIALS):
        return build_scene(seed, turn * len(MATERIALS) + place)
    return build_texture_scene(seed, turn * len(TEXTURES) + place - len(MATERIALS))


def clip_starts_s(duration_s: float) -> list[int]:
    """Where the clips of a source start: 2 to 5 clips, from its start to its end."""
    count = min(_MAX_CLIPS, max(2, int(duration_s // CLIP_S)))
    last_s = duration_s - CLIP_S
    return [int(n * last_s / (count - 1)) for n in range(count)]


def catalog_text(scenes: Iterable[AnyScene]) -> str:
    """The rows of a catalog. The second of every five sources of a label is for testing."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    for scene in scenes:
        split = "test" if scene.round % 5 == 1 else "train"
        for start_s in clip_starts_s(scene.duration_s):
            writer.writerow((scene.source_id, start_s, scene.label, split))
    return lines.getvalue()
