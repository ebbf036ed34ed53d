"""The model of docs/scale.md against a real run: costs of a small run predict those of a large one.

    python benchmarks/scale_check.py FOLDER --prepare    # renders the sources; once
    python benchmarks/scale_check.py FOLDER --small      # 50 and 150 clips; what they cost is kept
    python benchmarks/scale_check.py FOLDER              # 500 clips through the same four stages

Real stages as processes of their own, real yt-dlp from a site on this machine, a bucket in a
directory. Two small runs give what a clip and what the start of a stage cost; the simulation of
`scale_model.py`, with these in place of those of 720p videos, says how long the large one takes.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scale_model import DataSet, Limits, Pipeline

from s2s.media import run_ffmpeg
from sample.site import running_site

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("collection", "preprocessing", "validation", "feature_extraction")
CLIP_S = 3
_SMALL = (50, 150)
RECIPE = """\
name: scale
spec: {duration_s: 3}
collection: {catalog: scale.csv, source_url: "SITE/{source_id}.mp4", fetch: whole}
feature_extraction: {clips_per_shard: 100}
"""


@dataclass(frozen=True)
class StageCost:
    """What a stage takes on this machine, with all its cores.

    Attributes:
        start_s: whatever the number of clips.
        clip_s: for each clip.
    """

    start_s: float
    clip_s: float


def prepare(folder: Path, n_clips: int) -> None:
    """Render sources of 320x180 that all differ, unless they are there."""
    (folder / "site").mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(partial(_render, folder), range(n_clips)))


def _render(folder: Path, number: int) -> None:
    target = folder / "site" / f"scale{number:04d}.mp4"
    if target.exists():
        return
    staged = folder / f"staged{number:04d}.mp4"
    picture = f"gradients=s=320x180:r=25:d={CLIP_S}:seed={number}:n=4:speed=0.05"
    sound = f"sine=f={200 + 3 * number}:r=44100:d={CLIP_S},tremolo=f={1 + number % 9}"
    run_ffmpeg(
        [
            *["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-c:a", "aac"],
            *["-c:v", "libx264", "-preset", "ultrafast", "-threads", "1"],
            *["-pix_fmt", "yuv420p", str(staged)],
        ],
        target.name,
    )
    staged.replace(target)


def run_stages(folder: Path, site: str, n_clips: int) -> dict[str, float]:
    """Seconds of every stage on so many clips, into a new bucket."""
    place = folder / f"run-{n_clips}"
    shutil.rmtree(place, ignore_errors=True)
    bucket = place / "bucket"
    bucket.mkdir(parents=True)
    recipe = place / "scale.yaml"
    recipe.write_text(RECIPE.replace("SITE", site), encoding="utf-8")
    rows = (f"scale{number:04d},0,sound{number % 5},train\n" for number in range(n_clips))
    (place / "scale.csv").write_text("".join(rows), encoding="utf-8")
    seconds = {}
    for stage in STAGES:
        started = time.monotonic()
        options = ["--bucket", f"file://{bucket}", "--work-dir", str(place / "work")]
        command = [sys.executable, "-m", "launcher", stage, str(recipe), *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{stage}: {done.stdout}{done.stderr}")
        seconds[stage] = time.monotonic() - started
        report = json.loads((bucket / "manifests" / "scale" / f"{stage}.json").read_text())
        print(f"  {n_clips} clips, {stage}: {seconds[stage]:.1f} s, {report['counts']}", flush=True)
    return seconds


def costs_of(few: dict[str, float], more: dict[str, float]) -> dict[str, StageCost]:
    """The line through two runs, by stage; a clip that costs less than what can be told costs 0."""
    n_few, n_more = _SMALL
    costs = {}
    for stage in STAGES:
        clip_s = max(1e-4, (more[stage] - few[stage]) / (n_more - n_few))
        costs[stage] = StageCost(few[stage] - n_few * clip_s, clip_s)
    return costs


def predicted(costs: dict[str, StageCost], n_clips: int, workers: int) -> float:
    """Seconds that the simulation says, stages one after the other as in these runs."""
    limits = Limits(
        per_hour=3600 / costs["collection"].clip_s / workers,
        cut_cpu_s=costs["preprocessing"].clip_s * workers,
        check_cpu_s=costs["validation"].clip_s * workers,
        feature_cpu_s=costs["feature_extraction"].clip_s * workers,
    )
    data = DataSet("scale", n_clips, n_clips, 0.0)  # of the length that costs are given for
    result = Pipeline(data, workers, limits, batch=10, barriers=True).run()
    return result.wall_s + sum(cost.start_s for cost in costs.values())


def main() -> None:
    """Run, predict, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, default=500)
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("--small", action="store_true")
    asked = parser.parse_args()
    folder, workers = asked.folder.absolute(), os.cpu_count() or 1
    prepare(folder, asked.clips)
    if asked.prepare:
        return
    kept = folder / "small.json"
    with running_site(folder / "site") as site:
        if asked.small:
            run_stages(folder, site, 4)  # what is read from the disk is in memory then
            kept.write_text(json.dumps([run_stages(folder, site, number) for number in _SMALL]))
            return
        costs = costs_of(*json.loads(kept.read_text()))
        for stage, cost in costs.items():
            print(f"  {stage}: {cost.start_s:.1f} s and {1000 * cost.clip_s:.0f} ms a clip")
        said = predicted(costs, asked.clips, workers)
        print(f"predicted for {asked.clips} clips: {said:.1f} s", flush=True)
        real = sum(run_stages(folder, site, asked.clips).values())
    print(f"measured: {real:.1f} s; the prediction is {100 * (said / real - 1):+.0f} % off")


if __name__ == "__main__":
    main()
