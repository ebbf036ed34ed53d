"""Mutated real clips through the guarded door: no crash, no hang, no growth, nothing outside read.

    python benchmarks/serving_fuzz.py CLIPS_FOLDER --count 10000 --seed 0

Each file is checked and, if it is taken, decoded as the server does it: in a sandbox, by name
`upload` in a folder of its own. Prints one JSON object: outcomes, how many decoders died (each is
contained in its process), the longest time, and how much the process that stands for the server
grew after the first hundred files.
"""

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from s2s.errors import MediaError, UnsupportedMediaError
from s2s.media import VIDEO_TYPES, MediaLimits, check_upload, run_sandboxed, write_frames

LARGEST_BYTES = 400_000
LIMITS = MediaLimits(max_pixels=1920 * 1080, max_duration_s=30.0, max_streams=8)
EXTREMES = [b"\x00" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\x00\x00\x00\x01"]
DIED = "more memory or time than a file may"


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
    try:
        run_sandboxed(check_upload, path, name, LIMITS, VIDEO_TYPES, folder=path.parent)
        frames = path.parent / "frames"
        run_sandboxed(write_frames, path, frames, 25, (64, 64), LIMITS, folder=path.parent)
    except UnsupportedMediaError:
        return "unsupported"
    except MediaError as error:
        return "died" if DIED in error.message else str(error.reason)
    return "taken"


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    clips = [
        (path.name, path.read_bytes())
        for path in sorted(options.clips.rglob("*"))
        if path.suffix[1:] in VIDEO_TYPES and path.stat().st_size <= LARGEST_BYTES
    ]
    dice, outcomes, longest_s = random.Random(options.seed), Counter[str](), 0.0
    process, first_bytes = psutil.Process(), 0
    started = time.monotonic()
    for number in range(options.count):
        name, data = dice.choice(clips)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "upload"
            path.write_bytes(mutate(data, dice))
            begun = time.monotonic()
            outcomes[read_as_the_server(path, name)] += 1
            longest_s = max(longest_s, time.monotonic() - begun)
        if number == min(100, options.count // 2):
            first_bytes = process.memory_info().rss
    grown = process.memory_info().rss - first_bytes
    report = {
        "files": options.count,
        "clips": len(clips),
        "outcomes": dict(outcomes),
        "seconds": round(time.monotonic() - started, 1),
        "longest_s": round(longest_s, 2),
        "grown_bytes": grown,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
