"""Cut 10 s at 152.5 s out of 300 s of 720p: moviepy and ffmpeg against our three modes.

python benchmarks/media_cut.py [--runs 5]
"""

import argparse
import sys
import tempfile
from pathlib import Path

from measuring import Side, compare, long_video

from s2s.media import ffmpeg_path

# Half-way between two keyframes, which is the average case for cuts that care for them.
START_S, LENGTH_S = 152.5, 10.0
REPEATS = {"copy": 20, "smart": 4}


def moviepy(source: Path, folder: Path | None) -> None:
    """As two of the seeds did."""
    from moviepy import VideoFileClip  # noqa: PLC0415 - each side imports its own

    if folder is not None:
        with VideoFileClip(str(source)) as video:
            clip = video.subclipped(START_S, START_S + LENGTH_S)
            clip.write_videofile(str(folder / "moviepy.mp4"), logger=None)


def ours(source: Path, folder: Path | None, mode: str, short_side_px: int) -> None:
    """A clip with its wav; at 720 px as the source has it, at 256 px as recipes have it."""
    from preprocessing.cut import CutClip, cut_clips  # noqa: PLC0415
    from s2s.records import ClipRecord  # noqa: PLC0415
    from s2s.tasks.generation.settings import GenerationRecipe  # noqa: PLC0415

    fps, rate_hz = (30, 24_000) if short_side_px == 720 else (25, 16_000)
    recipe = GenerationRecipe.model_validate(
        {
            "name": "benchmark",
            "spec": {"fps": fps, "sample_rate_hz": rate_hz},
            "collection": {"catalog": "none.csv"},
            "preprocessing": {"video": mode, "short_side_px": short_side_px, "crf": 23},
        }
    )
    for _ in range(REPEATS.get(mode, 1) if folder else 0):
        clip = ClipRecord(source_id="a", start_s=START_S, end_s=START_S + LENGTH_S)
        [result] = cut_clips(source, [clip], recipe, folder or Path())
        if not isinstance(result, CutClip) or result.note:
            sys.exit(f"not cut as asked: {result}")


def main() -> None:
    """Compare, or be one of the sides."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--side", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        name, size, source, folder = args.side
        target = Path(folder) if folder else None
        if name == "moviepy":
            moviepy(Path(source), target)
        else:
            ours(Path(source), target, name, int(size))
        return
    with tempfile.TemporaryDirectory() as folder:
        source = long_video(Path(folder))

        def side(name: str, size: int = 720) -> Side:
            start = [sys.executable, __file__, "--side", name, str(size), str(source)]
            return Side([*start, folder], [*start, ""], REPEATS.get(name, 1))

        seek = ["-ss", str(START_S), "-t", str(LENGTH_S), "-c:v", "libx264", "-c:a", "copy"]
        quiet = [str(ffmpeg_path()), "-loglevel", "error", "-y", "-i", str(source)]
        sides = {
            "moviepy": side("moviepy"),
            "ffmpeg -i … -ss … -c:v libx264": Side([*quiet, *seek, f"{folder}/ffmpeg.mp4"]),
            "encode, 720 px": side("encode"),
            "encode, 256 px": side("encode", 256),
            "smart": side("smart"),
            "copy": side("copy"),
        }
        compare(sides, args.runs)


if __name__ == "__main__":
    main()
