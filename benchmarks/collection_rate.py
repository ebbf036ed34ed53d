"""Clips of 200 KB a second that collection gets from a site on this machine, and its peak memory.

    python benchmarks/collection_rate.py [--clips 300]

The real yt-dlp, real HTTP, a bucket in a directory; every source is looked at after its download.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from s2s.media import run_ffmpeg

CLIP_BYTES = 200_000
WAYS = {"1 session, 4 threads": (1, 4), "1 session, 8 threads": (1, 8), "2 sessions of 4": (2, 4)}


def make_site(folder: Path, n_clips: int) -> None:
    """Write videos of 200 KB each, that all differ, and a catalog of them."""
    seed = folder / "seed.mp4"
    inputs = ["-f", "lavfi", "-i", "testsrc2=d=10:s=320x240", "-f", "lavfi", "-i", "sine=d=10"]
    run_ffmpeg([*inputs, "-pix_fmt", "yuv420p", "-b:v", "120k", "-b:a", "32k", str(seed)], "seed")
    video = seed.read_bytes()
    seed.unlink()
    n_padding = max(8, CLIP_BYTES - len(video))
    for number in range(n_clips):
        padding = number.to_bytes(8, "big").ljust(n_padding - 8, b"\0")
        box = n_padding.to_bytes(4, "big") + b"free" + padding
        (folder / f"clip-{number:05d}.mp4").write_bytes(video + box)


def collect(site_url: str, folder: Path, n_clips: int, sessions: int, threads: int) -> None:
    """Collect everything once; print seconds, and CPU seconds and peak memory of this process."""
    from collection.stage import run  # noqa: PLC0415 - in the process that is measured
    from s2s.settings import Settings  # noqa: PLC0415
    from s2s.tasks.generation.settings import GenerationRecipe  # noqa: PLC0415

    rows = (f"clip-{number:05d},0,tone\n" for number in range(n_clips))
    (folder / "c.csv").write_text("".join(rows), encoding="utf-8")
    collection = {
        "catalog": "c.csv",
        "source_url": site_url + "/{source_id}.mp4",
        "fetch": "whole",
        "sessions": sessions,
        "workers": threads,
    }
    settings = Settings(
        recipe=GenerationRecipe.model_validate({"name": "rate", "collection": collection}),
        recipe_path=folder / "rate.yaml",
        bucket_url=f"file://{folder / 'bucket'}",
        work_dir=folder / "work",
    )
    report = run(settings)
    if report.counts != {"ok": n_clips}:
        raise SystemExit(f"not all clips arrived: {report.counts}")
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(report.seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def main() -> None:
    """Measure every way in a process of its own, or be one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=300)
    parser.add_argument("--collect", nargs=4, metavar=("URL", "FOLDER", "SESSIONS", "THREADS"))
    options = parser.parse_args()
    if options.collect:
        url, folder, sessions, threads = options.collect
        collect(url, Path(folder), options.clips, int(sessions), int(threads))
        return
    from sample.site import running_site  # noqa: PLC0415

    table = Table("way", "clips/s", "CPU ms a clip", "peak MB")
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        site.mkdir()
        make_site(site, options.clips)
        with running_site(site) as url:
            for way, (sessions, threads) in WAYS.items():
                own = Path(folder) / way.replace(" ", "-")
                own.mkdir()
                numbers = ["--clips", str(options.clips), "--collect", url, str(own)]
                command = [sys.executable, __file__, *numbers, str(sessions), str(threads)]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                seconds, cpu_s, peak_mb = map(float, done.stdout.split())
                alone = [f"{1000 * cpu_s / options.clips:.0f}", f"{peak_mb:.0f}"]
                # Sessions are processes of their own, which are not measured here.
                costs = alone if sessions == 1 else ["", ""]
                table.add_row(way, f"{options.clips / seconds:.1f}", *costs)
    Console().print(table)


if __name__ == "__main__":
    main()
