"""Clips of 10 s, all of a source of 720p, at 256 px, sound at 16 kHz: video2dataset against ours.

video2dataset 1.3.0 needs an environment of its own, and ffmpeg and ffprobe on PATH:

    uv venv --python 3.11 ENV
    VIRTUAL_ENV=ENV uv pip sync --require-hashes benchmarks/requirements-video2dataset.txt
    python benchmarks/media_video2dataset.py --python ENV/bin/python [--runs 5] [--clips 30]
"""

import argparse
import os
import sys
import tempfile
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from measuring import Side, compare, long_video

LENGTH_S, SHORT_SIDE_PX, RATE_HZ, FPS = 10, 256, 16_000, 25
SOURCE_ID = "long-video"


class Repaired:
    """A subsampler of video2dataset 1.3.0, with what its worker asks for.

    Its worker asks each for `encode_formats`, which none has, and fails when one takes a stream out
    of the streams that it goes through.

    Args:
        kind: the subsampler's class.
        stream: `video` or `audio`.
        extension: what the subsampler writes.
        options: the subsampler's own.
    """

    def __init__(self, kind: Any, stream: str, extension: str, **options: Any) -> None:
        self.inner, self.stream = kind(**options), stream
        self.encode_formats = {stream: extension}

    def __call__(self, streams: dict[str, Any], metadata: Any = None) -> tuple[Any, Any, Any]:
        """Work on one stream of all clips."""
        own, metadata, error = self.inner({self.stream: streams[self.stream]}, metadata)
        if error is None:
            streams[self.stream] = own[self.stream]
        return streams, metadata, error


def repair() -> None:
    """Have video2dataset use `Repaired`: version 1.3.0 does not run as it is."""
    from video2dataset import subsamplers  # noqa: PLC0415  # pyright: ignore
    from video2dataset.workers import download_worker  # noqa: PLC0415  # pyright: ignore

    repaired = {"ResolutionSubsampler": ("video", "mp4"), "AudioRateSubsampler": ("audio", "wav")}
    for name, (stream, extension) in repaired.items():
        kind = getattr(subsamplers, name)
        setattr(download_worker, name, partial(Repaired, kind, stream, extension))


def theirs(precision: str, n_clips: int, source: Path, folder: Path) -> None:
    """Run video2dataset on the file; this side runs in the other environment."""
    import pandas  # noqa: PLC0415 - each side imports its own
    from video2dataset import video2dataset  # noqa: PLC0415  # pyright: ignore

    repair()
    # As text: numbers come back as arrays, which its writer cannot store.
    times = [f"00:{k * LENGTH_S // 60:02d}:{k * LENGTH_S % 60:02d}.000" for k in range(n_clips + 1)]
    clips = [list(span) for span in pairwise(times)]
    pandas.DataFrame({"url": [str(source)], "clips": [clips]}).to_parquet(folder / "clips.parquet")
    subsampling: dict[str, Any] = {
        "ClippingSubsampler": {"precision": precision},
        "ResolutionSubsampler": {"video_size": SHORT_SIDE_PX, "resize_mode": "scale"},
        "AudioRateSubsampler": {
            "sample_rate": RATE_HZ,
            "encode_format": "wav",
            "n_audio_channels": 1,
        },
    }
    quality = {"download_size": 360, "download_audio_rate": 44_100}
    shards = {"number_sample_per_shard": 100, "oom_shard_count": 5, "captions_are_subtitles": False}
    workers = {"processes_count": 1, "thread_count": 2, "subjob_size": 100}
    video2dataset(
        url_list=str(folder / "clips.parquet"),
        input_format="parquet",
        clip_col="clips",
        output_folder=str(folder / "out"),
        encode_formats={"video": "mp4", "audio": "wav"},
        tmp_dir=str(folder),
        config={
            "subsampling": {name: {"args": args} for name, args in subsampling.items()},
            "reading": {"yt_args": quality, "timeout": 60, "sampler": None},
            "storage": shards,
            "distribution": {**workers, "distributor": "multiprocessing"},
        },
    )
    if (made := len(list((folder / "out").rglob("*.mp4")))) != n_clips:
        sys.exit(f"video2dataset made {made} clips, not {n_clips}")


def ours(mode: str, n_clips: int, source: Path, folder: Path) -> None:
    """Take the file over, and cut it, as `./s2s import` and `./s2s preprocessing` do."""
    from collection.importing import import_videos  # noqa: PLC0415
    from preprocessing.stage import run  # noqa: PLC0415
    from s2s.settings import Settings  # noqa: PLC0415
    from s2s.tasks.generation.settings import GenerationRecipe  # noqa: PLC0415

    rows = "".join(f"{SOURCE_ID},{k * LENGTH_S},thing\n" for k in range(n_clips))
    (folder / "clips.csv").write_text(rows)
    recipe = GenerationRecipe.model_validate(
        {
            "name": "benchmark",
            "spec": {"fps": FPS, "sample_rate_hz": RATE_HZ, "duration_s": LENGTH_S},
            "collection": {"catalog": "clips.csv"},
            "preprocessing": {"video": mode, "short_side_px": SHORT_SIDE_PX, "crf": 23},
        }
    )
    settings = Settings(
        recipe=recipe,
        recipe_path=folder / "recipe.yaml",
        bucket_url=f"file://{folder}/bucket",
        work_dir=folder / "work",
    )
    import_videos(settings, str(source.parent))
    if (made := run(settings).counts.get("ok")) != n_clips:
        sys.exit(f"ours made {made} clips, not {n_clips}")


def main() -> None:
    """Compare, or be one of the sides."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", help="of an environment that has video2dataset")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--clips", type=int, default=30, help="at most 30")
    parser.add_argument("--only", help="only one mode of video2dataset: exact or low")
    parser.add_argument("--side", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        whose, how, source = args.side
        with tempfile.TemporaryDirectory() as folder:
            side = theirs if whose == "theirs" else ours
            side(how, args.clips, Path(source), Path(folder))
        return
    from s2s.media import run_ffmpeg  # noqa: PLC0415 - the other environment has nothing of ours

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "videos"
        folder.mkdir()
        source = folder / f"{SOURCE_ID}.mp4"
        length = ["-t", str(args.clips * LENGTH_S), "-c", "copy"]
        run_ffmpeg(["-i", str(long_video(Path(name))), *length, str(source)], "source")
        sides = {}
        options = ["--clips", str(args.clips), "--side"]
        for how in [args.only] if args.only else ["exact", "low"] if args.python else []:
            command = [args.python, "-E", __file__, *options, "theirs", how, str(source)]
            sides[f"video2dataset, {how}"] = Side(command, repeats=args.clips)
        for how in ("encode", "copy"):
            command = [sys.executable, __file__, *options, "ours", how, str(source)]
            sides[f"ours, {how}"] = Side(command, repeats=args.clips)
        os.environ["OMP_NUM_THREADS"] = "1"
        compare(sides, args.runs)


if __name__ == "__main__":
    main()
