"""Preprocessing of the same clips by the local engine and by Ray, in turn, each into a new bucket.

    python benchmarks/engine_preprocessing.py [--clips 200] [--rounds 3]

Real clips, many times over under other names; Ray is started before the clock is, as where a
cluster is joined; its workers are started anew in each round, within the clock.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Literal

os.environ.setdefault("RAY_ADDRESS", "local")
os.environ.setdefault("S2S_LOG_LEVEL", "ERROR")
# Its workers would give way to all else on the machine, and the other side's do not.
os.environ.setdefault("RAY_worker_niceness", "0")

from measuring import real_clips

from preprocessing.stage import run
from s2s.catalog import catalog_lines
from s2s.engine import make_engine
from s2s.layout import catalog_key, raw_prefix
from s2s.records import ClipRecord
from s2s.settings import Settings
from s2s.storage import open_bucket
from s2s.tasks.generation.settings import GenerationRecipe

_CLIP_S = 3.0
_ENGINES: tuple[Literal["local", "ray"], ...] = ("local", "ray")


def fill(folder: Path, recipe: GenerationRecipe, n_clips: int) -> None:
    """Make a bucket that has a catalog and its sources."""
    bucket = open_bucket(f"file://{folder}")
    videos = real_clips()
    clips = [
        ClipRecord(source_id=f"clip{n:04d}", start_s=1.0, end_s=1.0 + _CLIP_S, labels=("sound",))
        for n in range(n_clips)
    ]
    bucket.write(catalog_key(recipe), "".join(catalog_lines(clips)).encode(), overwrite=True)
    for number, clip in enumerate(clips):
        bucket.upload(videos[number % len(videos)], f"{raw_prefix()}{clip.source_id}.mp4")


def measured(recipe: GenerationRecipe, filled: Path, engine: Literal["local", "ray"]) -> float:
    """Seconds of the stage from its call to its report."""
    with tempfile.TemporaryDirectory(dir=filled.parent) as name:
        folder = Path(name)
        shutil.copytree(filled, folder / "bucket")
        settings = Settings(
            recipe=recipe,
            recipe_path=folder / "recipe.yaml",
            bucket_url=f"file://{folder / 'bucket'}",
            work_dir=folder / "work",
            engine=engine,
        )
        started = time.monotonic()
        report = run(settings)
        seconds = time.monotonic() - started
    if set(report.counts) != {"ok"}:
        raise SystemExit(f"not all clips came through: {report.counts}")
    return seconds


def main() -> None:
    """Print seconds of both engines, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    recipe = GenerationRecipe.model_validate(
        {"name": "engines", "spec": {"duration_s": _CLIP_S}, "collection": {"catalog": "c.csv"}}
    )
    list(make_engine("ray").map(abs, range(2)))
    seconds: dict[str, list[float]] = {engine: [] for engine in _ENGINES}
    with tempfile.TemporaryDirectory() as name:
        filled = Path(name) / "filled"
        fill(filled, recipe, asked.clips)
        for number in range(asked.rounds):
            # Whoever is second finds the files in memory: it is each in turn.
            for engine in _ENGINES if number % 2 == 0 else _ENGINES[::-1]:
                seconds[engine].append(measured(recipe, filled, engine))
    local, ray = (statistics.median(seconds[engine]) for engine in _ENGINES)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for engine, each in seconds.items():
        print(f"{asked.clips} clips, {engine}: " + ", ".join(f"{one:.1f}" for one in each) + " s")
    print(f"medians: local {local:.1f} s, ray {ray:.1f} s: {ray / local:.2f}×")


if __name__ == "__main__":
    main()
