"""Mutated real clips through the guarded door: no crash, no hang, no growth, nothing outside read.

    python benchmarks/serving_fuzz.py CLIPS_FOLDER --count 10000 --seed 0

What is mutated is the first second of each clip, as mp4, mov, mkv, webm, avi, mpg, wmv and ogv,
and a picture of it as jpeg, png and webp. Each is checked and, if it is taken, decoded as the
server does it: in a sandbox, by name `upload` in a folder of its own. Prints one JSON object:
outcomes by type, how many decoders died (each is contained in its process), the longest time, how
much the process that stands for the server grew after the first hundred files, and whether the
upload beside was ever read.
"""

import argparse
import json
import os
import random
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path

import psutil

from s2s.errors import MediaError, UnsupportedMediaError
from s2s.media import (
    PICTURE_TYPES,
    VIDEO_TYPES,
    MediaLimits,
    check_upload,
    input_args,
    make_still_video,
    run_ffmpeg,
    run_sandboxed,
    write_frames,
)

LIMITS = MediaLimits(max_pixels=1920 * 1080, max_duration_s=30.0, max_streams=8)
EXTREMES = [b"\x00" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\x00\x00\x00\x01"]
DIED = "more memory or time than a file may"
COPIED = ["-t", "1", "-c", "copy"]
SMALL = ["-vf", "scale=160:-2", "-pix_fmt", "yuv420p", "-t", "1"]
ENCODINGS = {
    "mp4": COPIED,
    "mov": COPIED,
    "mkv": COPIED,
    "webm": [*SMALL, "-an", "-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime"],
    "avi": [*SMALL, "-c:v", "mpeg4"],
    "mpg": [*SMALL, "-r", "25", "-c:v", "mpeg2video"],
    "wmv": [*SMALL, "-c:v", "wmv2"],
    "ogv": [*SMALL, "-an", "-c:v", "libtheora"],
    "jpeg": ["-frames:v", "1"],
    "png": ["-frames:v", "1", "-vf", "scale=160:-2"],
    "webp": ["-frames:v", "1", "-vf", "scale=160:-2"],
}


def make_seeds(clips: Path, folder: Path) -> list[tuple[str, bytes]]:
    """Names and contents of what is mutated; a clip that ffmpeg cannot read is taken as it is."""
    seeds = []
    for clip in sorted(path for path in clips.rglob("*") if path.suffix[1:] in VIDEO_TYPES):
        for kind, options in ENCODINGS.items():
            path = folder / f"seed.{kind}"
            try:
                run_ffmpeg([*input_args(clip), *options, f"file:{path}"], clip.name)
            except MediaError:
                path = clip
            if 0 < path.stat().st_size < 2_000_000:
                seeds.append((path.name, path.read_bytes()))
    return sorted(set(seeds))


def mutate(data: bytes, dice: random.Random) -> bytes:
    """A file that is damaged here and there, above all where its headers are."""
    content = bytearray(data)
    for _ in range(dice.randint(1, 24)):
        at = _place(len(content), dice)
        match dice.randrange(6):
            case 0 | 1:
                content[at] = dice.randrange(256)
            case 2:
                content[at] ^= 1 << dice.randrange(8)
            case 3:
                content[at : at + 4] = dice.choice(EXTREMES)
            case 4:
                length = dice.randrange(1, 256)
                content[at : at + length] = content[at : at + length] * dice.randint(0, 3)
            case _:
                if dice.random() < 0.1:
                    del content[at:]
        if len(content) < 16:
            break
    return bytes(content)


def _place(length: int, dice: random.Random) -> int:
    head = min(length, 4_096)
    return dice.choice(
        [dice.randrange(head), length - 1 - dice.randrange(head), dice.randrange(length)]
    )


def read_as_the_server(path: Path, name: str) -> str:
    """What becomes of an upload: "taken", or why it is refused."""
    types, folder = (*VIDEO_TYPES, *PICTURE_TYPES), path.parent
    try:
        kind = run_sandboxed(check_upload, path, name, LIMITS, types, folder=folder)
        if kind == "picture":
            still, path = path, folder / "still.mp4"
            run_sandboxed(make_still_video, still, path, 25, 0.2, LIMITS, folder=folder)
        frames = folder / "frames"
        run_sandboxed(write_frames, path, frames, 25, (64, 64), LIMITS, folder=folder)
    except UnsupportedMediaError:
        return "unsupported"
    except MediaError as error:
        return "died" if DIED in error.message else str(error.reason)
    return "taken"


class Neighbour:
    """An upload of somebody else in the folder beside, which notes by its times that it was read.

    Args:
        folder: where uploads are.
        data: its content.
    """

    def __init__(self, folder: Path, data: bytes) -> None:
        self._path = folder / "other" / "upload"
        self._path.parent.mkdir()
        self._path.write_bytes(data)
        self._forget()
        self._path.read_bytes()
        self.is_watching = not self._is_unread()
        self._forget()

    def _forget(self) -> None:
        os.utime(self._path, (0, time.time()))

    def _is_unread(self) -> bool:
        return self._path.stat().st_atime < self._path.stat().st_mtime

    @property
    def was_read(self) -> bool | None:
        """None on a file system that keeps no such times."""
        return not self._is_unread() if self.is_watching else None


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    dice, longest_s, outcomes = random.Random(options.seed), 0.0, defaultdict(Counter[str])
    process, first_bytes = psutil.Process(), 0
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as uploads:
        seeds = make_seeds(options.clips, Path(uploads))
        neighbour = Neighbour(Path(uploads), seeds[0][1])
        number = 0
        with suppress(KeyboardInterrupt):  # Ctrl-C tells what was found so far
            for number in range(1, options.count + 1):
                name, data = dice.choice(seeds)
                with tempfile.TemporaryDirectory(dir=uploads) as folder:
                    path = Path(folder) / "upload"
                    path.write_bytes(mutate(data, dice))
                    begun = time.monotonic()
                    outcomes[Path(name).suffix][read_as_the_server(path, name)] += 1
                    longest_s = max(longest_s, time.monotonic() - begun)
                if number == min(100, options.count // 2):
                    first_bytes = process.memory_info().rss
        report = {
            "files": number,
            "clips": len(seeds),
            "outcomes": sum(outcomes.values(), Counter[str]()),
            "by_type": outcomes,
            "seconds": round(time.monotonic() - started, 1),
            "longest_s": round(longest_s, 2),
            "grown_bytes": process.memory_info().rss - first_bytes,
            "neighbour_read": neighbour.was_read,
        }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
