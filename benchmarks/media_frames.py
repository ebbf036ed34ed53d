"""16 of 300 frames at 224×224: OpenCV that reads all and picks, and decord, against ours.

python benchmarks/media_frames.py [--runs 5]
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from measuring import Side, compare, real_clips

N, SIZE = 16, 224


def opencv(path: Path) -> np.ndarray:
    """Read all, pick evenly: what most scripts do."""
    import cv2  # noqa: PLC0415  # pyright: ignore[reportMissingImports]

    video = cv2.VideoCapture(str(path))
    frames = []
    while True:
        is_read, frame = video.read()
        if not is_read:
            break
        frames.append(frame)
    video.release()
    picked = [frames[k] for k in np.linspace(0, len(frames) - 1, N).astype(int)]
    return np.stack([cv2.cvtColor(cv2.resize(f, (SIZE, SIZE)), cv2.COLOR_BGR2RGB) for f in picked])


def decord(path: Path) -> np.ndarray:
    """In one thread, as workers do."""
    from decord import VideoReader  # noqa: PLC0415  # pyright: ignore[reportMissingImports]

    reader = VideoReader(str(path), width=SIZE, height=SIZE, num_threads=1)
    return reader.get_batch(np.linspace(0, len(reader) - 1, N).astype(int)).asnumpy()


def ours(path: Path) -> np.ndarray:
    """Frames by their time stamps."""
    from s2s.media import sample_frames  # noqa: PLC0415

    return sample_frames(path, N, size=(SIZE, SIZE)).frames


SIDES = {"opencv": opencv, "decord": decord, "ours": ours}


def main() -> None:
    """Compare on real clips of 10 s, or be one of the sides."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--side", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    clips = real_clips()
    if args.side:
        name, what = args.side
        # The idle process reads one clip, so that all is imported.
        for path in clips if what == "all" else clips[:1]:
            if SIDES[name](path).shape != (N, SIZE, SIZE, 3):
                sys.exit(f"{name}: {path.name} gave another number of frames")
        return
    start = [sys.executable, __file__, "--side"]
    sides = {
        name: Side([*start, name, "all"], [*start, name, "first"], len(clips) - 1) for name in SIDES
    }
    compare(sides, args.runs)


if __name__ == "__main__":
    main()
