"""The catalog in VGGSound's published format: `id,start in s,label,split`, without a header."""

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path

from sample.materials import MATERIALS
from sample.textures import TEXTURES, TextureScene, build_texture_scene
from sample.world import Scene, build_scene

__all__ = [
    "CLIP_S",
    "AnyScene",
    "build_source",
    "catalog_text",
    "clip_starts_s",
    "write_catalog",
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


def write_catalog(path: Path, scenes: Iterable[AnyScene]) -> Path:
    """Write a catalog under a temporary name, then rename it."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    staged.write_text(catalog_text(scenes), encoding="utf-8")
    return staged.replace(path)
