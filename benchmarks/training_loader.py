"""What the loader delivers: windows/s of one process, from a shard on disk.

python benchmarks/training_loader.py [--size tiny|small|base|large]

A shard of 64 clips of 10 s of random values is written, then random windows of it are read as a
training does, collated in batches. Compare with what a step takes: benchmarks/training_gpu.py.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from s2s.dataset import DatasetClip
from s2s.features.arrays import ArraySpec
from s2s.features.shards import ShardHeader, ShardReader, write_shard
from s2s.features.stored import StoredClip
from s2s.spec import TimeSpec
from s2s.tasks.generation.data import WindowDataset

_CLIPS, _CLIP_S = 64, 10.0
_APPEARANCE = {"tiny": 96, "small": 96, "base": 768, "large": 1024}


def main() -> None:
    """Write a shard, and read windows of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=list(_APPEARANCE), default="base")
    parser.add_argument("--window", type=float, default=8.0, help="seconds")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--batches", type=int, default=20)
    args = parser.parse_args()
    torch.set_num_threads(1)
    is_large = args.size in {"base", "large"}
    spec = TimeSpec(sample_rate_hz=44_100, n_mels=128) if is_large else TimeSpec()
    with tempfile.TemporaryDirectory() as folder:
        shard = _write(Path(folder) / "shard.safetensors", spec, _APPEARANCE[args.size])
        clips = [StoredClip(_listed(name), shard) for name in shard.header.clips]
        size = spec.frames(args.window)
        data = WindowDataset(clips, size, args.batch * (args.batches + 1), seed=0)
        batches = iter(DataLoader(data, args.batch))
        tokens, seen = next(batches)
        started_s, started_cpu_s = time.monotonic(), time.process_time()
        for _ in batches:
            pass
        wall_s, cpu_s = time.monotonic() - started_s, time.process_time() - started_cpu_s
    windows = args.batch * args.batches
    mb = (tokens[0].nbytes + seen[0].nbytes) / 1e6
    print(
        f"{args.size}: {windows / wall_s:.0f} windows/s by the clock, {windows / cpu_s:.0f} a CPU "
        f"second, {mb:.2f} MB each"
    )


def _listed(clip_id: str) -> DatasetClip:
    file = {"size": 1, "crc32c": "AAAAAA==", "sha256": "0" * 64}
    wav = {f"wav_{name}": value for name, value in file.items()}
    row = {"source_id": clip_id, "start_s": 0, "end_s": _CLIP_S, "split": "train", "key": clip_id}
    return DatasetClip(clip_id=clip_id, wav_key=clip_id, **row, **file, **wav)


def _write(path: Path, spec: TimeSpec, appearance: int) -> ShardReader:
    dims = {"mel": spec.n_mels, "motion": 128, "appearance": appearance}
    frames = spec.frames(_CLIP_S)
    lengths = {"mel": spec.mel_frames(frames), "motion": frames, "appearance": frames}
    rng = np.random.default_rng(0)
    clips = {
        f"clip{n}": {
            name: rng.standard_normal((lengths[name], dim), np.float32)
            for name, dim in dims.items()
        }
        for n in range(_CLIPS)
    }
    header = ShardHeader(
        recipe="benchmark",
        settings={},
        arrays=tuple(ArraySpec(name=name, shape=(dim,)) for name, dim in dims.items()),
        clips=dict.fromkeys(clips, "checksums"),
    )
    write_shard(path, header, clips)
    return ShardReader(path)


if __name__ == "__main__":
    main()
