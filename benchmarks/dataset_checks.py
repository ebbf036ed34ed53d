"""Clips checked a second, and what that costs beside a bare ffmpeg decode of the same files.

Usage: python benchmarks/dataset_checks.py [--clips 40] [--side-px 256]
Renders clips of 10 s of moving test pictures and noise, and runs both in turn, one thread each.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from s2s.media import run_ffmpeg
from validation.checks.picture import measure_picture
from validation.checks.sound import measure_sound

RATE_HZ = 16_000


def make_clips(folder: Path, number: int, side_px: int) -> list[Path]:
    """Render clips: mp4 with sound, and its wav."""
    clips = []
    for n in range(number):
        video = folder / f"{n}.mp4"
        picture = f"mandelbrot=s={side_px}x{side_px}:r=25:start_scale={1 + n / number:.3f}"
        run_ffmpeg(
            [
                *["-f", "lavfi", "-t", "10", "-i", picture],
                *["-f", "lavfi", "-t", "10", "-i", f"anoisesrc=r={RATE_HZ}:a=0.2:seed={n}"],
                *["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p"],
                *["-c:a", "aac", "-f", "mp4", str(video)],
                *["-map", "1:a", "-f", "wav", str(video.with_suffix(".wav"))],
            ],
            video.name,
        )
        clips.append(video)
    return clips


def check(video: Path) -> None:
    """What validation does with a clip, without the bucket."""
    measure_sound(video.with_suffix(".wav"), RATE_HZ)
    measure_picture(video)


def decode(video: Path) -> None:
    """A bare decode of the same two files, by ffmpeg with one thread."""
    files = ["-threads", "1", "-i", str(video), "-i", str(video.with_suffix(".wav"))]
    run_ffmpeg([*files, "-map", "0:v", "-map", "1:a", "-f", "null", "-"], video.name)


def cpu_s() -> float:
    """CPU time of this process and its children so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in used)


def main() -> None:
    """Time both ways, clip by clip in turn."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--side-px", type=int, default=256)
    options = parser.parse_args()
    ways: dict[str, Callable[[Path], None]] = {"check": check, "decode": decode}
    spent = dict.fromkeys(ways, 0.0)
    wall = dict.fromkeys(ways, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        for clip in make_clips(Path(folder), options.clips, options.side_px):
            for name, way in ways.items():
                cpu, started = cpu_s(), time.perf_counter()
                way(clip)
                spent[name] += cpu_s() - cpu
                wall[name] += time.perf_counter() - started
    for name in ways:
        each = spent[name] / options.clips
        print(
            f"{name}: {each * 1e3:.1f} CPU ms a clip, {1 / each:.1f} clips a CPU second, ", end=""
        )
        print(f"{options.clips / wall[name]:.1f} clips/s on the clock")
    print(f"check is {spent['check'] / spent['decode']:.2f} times a bare decode")


if __name__ == "__main__":
    main()
