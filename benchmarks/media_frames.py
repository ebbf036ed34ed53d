"""16 of 300 frames at 224×224: OpenCV that reads all and picks, and decord, against ours.

python benchmarks/media_frames.py [--runs 5]
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
from measuring import Side, compare, real_clips

N, SIZE = 16, 224
# A process reads all clips so often: workers start once, and read thousands.
PASSES = {"opencv": 4, "decord": 4, "ours": 4, "shard": 40}
MODULES = {"opencv": "cv2", "decord": "decord", "ours": "s2s.media", "shard": "s2s.features.shards"}


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


def from_shard(shard: Path) -> Iterator[np.ndarray]:
    """The same frames of each clip, which were packed before."""
    from s2s.features.shards import ShardReader  # noqa: PLC0415

    reader = ShardReader(shard)
    for clip_id in reader.header.clips:
        yield reader.read(clip_id, "frames")


def pack(clips: list[Path], shard: Path) -> None:
    """Write the frames of all clips to a shard, as features are."""
    from s2s.features.arrays import ArraySpec  # noqa: PLC0415
    from s2s.features.shards import ShardHeader, write_shard  # noqa: PLC0415

    header = ShardHeader(
        recipe="benchmark",
        settings={},
        arrays=(ArraySpec(name="frames", shape=(SIZE, SIZE, 3), dtype="uint8"),),
        clips={path.stem: path.name for path in clips},
    )
    arrays = {path.stem: {"frames": ours(path)} for path in clips}
    write_shard(shard, header, arrays)


def work(name: str, shard: Path, clips: list[Path]) -> None:
    """Be one of the sides."""
    for _ in range(PASSES[name]):
        read = from_shard(shard) if name == "shard" else map(SIDES[name], clips)
        for path, frames in zip(clips, read, strict=True):
            if frames.shape != (N, SIZE, SIZE, 3):
                sys.exit(f"{name}: {path.name} gave another number of frames")


def main() -> None:
    """Compare on real clips of 10 s, or be one of the sides."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--side", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    clips = real_clips()
    if args.side:
        name, shard = args.side
        import_module(MODULES[name])
        if shard:
            work(name, Path(shard), clips)
        return
    with tempfile.TemporaryDirectory() as folder:
        shard = Path(folder) / "frames.safetensors"
        pack(clips, shard)
        start = [sys.executable, __file__, "--side"]
        sides = {
            name: Side([*start, name, str(shard)], [*start, name, ""], PASSES[name] * len(clips))
            for name in MODULES
        }
        compare(sides, args.runs)


if __name__ == "__main__":
    main()
