"""Sound of 300 s as 100 segments of 3 s at 16 kHz: a process and a pass for each, or one decode.

python benchmarks/media_segments.py [--runs 5]
"""

import argparse
import sys
import tempfile
from pathlib import Path

from measuring import Side, compare, long_video

from s2s.media import ffmpeg_path, read_segments, write_wav

SEGMENT_S, RATE_HZ, N = 3.0, 16_000, 100


def seed(source: Path, folder: Path) -> None:
    """As the AVSpeech seed did it: the whole is decoded up to each segment."""
    import subprocess  # noqa: PLC0415

    for k in range(N):
        seek = ["-ss", str(k * SEGMENT_S), "-t", str(SEGMENT_S), "-vn", "-ac", "1"]
        command = [str(ffmpeg_path()), "-loglevel", "error", "-y", "-i", str(source), *seek]
        subprocess.run([*command, "-ar", str(RATE_HZ), f"{folder}/{k}.wav"], check=True)


def ours(source: Path, folder: Path) -> None:
    """One decode, sliced."""
    starts_s = [k * SEGMENT_S for k in range(N)]
    for k, samples in enumerate(read_segments(source, starts_s, SEGMENT_S, RATE_HZ)):
        write_wav(folder / f"{k}.wav", samples, RATE_HZ)


def main() -> None:
    """Compare, or be one of the sides."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--side", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        name, source, folder = args.side
        if folder:
            {"seed": seed, "ours": ours}[name](Path(source), Path(folder))
        return
    with tempfile.TemporaryDirectory() as folder:
        source = long_video(Path(folder))
        start = [sys.executable, __file__, "--side"]
        sides = {
            name: Side([*start, name, str(source), folder], [*start, name, str(source), ""])
            for name in ("seed", "ours")
        }
        compare(sides, args.runs)


if __name__ == "__main__":
    main()
