"""What classification's loader delivers, by how frames are kept: clips a second.

python benchmarks/classification_loader.py [--clips N] [--px 112] [--processes 2]

A real clip of 10 s is stored over and over: as a shard of raw frames, as a shard of JPEG frames,
and as an mp4 that is decoded in the loader with PyAV. All give the same: 16 frames, in random
views, cropped, scaled and mirrored as a training does, in batches. The raw shard also with crops
that need no scaling (`crop_scale: 1`).
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from measuring import real_clips
from torch.utils.data import DataLoader, Dataset

from s2s.dataset import DatasetClip
from s2s.features.arrays import ClipMedia
from s2s.features.shards import ShardHeader, ShardReader, write_shard
from s2s.features.stored import StoredClip
from s2s.media import Cover, read_frames
from s2s.spec import TimeSpec
from s2s.tasks.classification.data import ClipDataset
from s2s.tasks.classification.processor import ClipProcessor, ProcessorConfig, View
from s2s.tasks.classification.settings import AugmentationSettings

_BATCH = 32
_CLASSES = ("one", "two")


class DecodedClips(Dataset[Any]):
    """The usual way: an mp4 is decoded from its beginning to its end, and 16 frames are picked."""

    def __init__(self, path: Path, processor: ClipProcessor, count: int) -> None:
        self.path, self.processor, self.count = path, processor, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """Frames of a random view."""
        with av.open(str(self.path)) as file:
            stream = file.streams.video[0]
            stream.thread_type = "NONE"
            decoded = list(file.decode(stream))
        wanted = np.linspace(0, len(decoded) - 1, self.processor.config.n_frames).astype(int)
        frames = np.stack([decoded[n].to_ndarray(format="rgb24") for n in wanted])
        rng = np.random.default_rng(index)
        view = View(across=rng.uniform(), down=rng.uniform(), scale=rng.uniform(0.7, 1))
        seen, has_frame = self.processor.frames(frames, view)
        return {"frames": seen.permute(0, 2, 3, 1), "has_frame": has_frame}


def main() -> None:
    """Measure every way, and print what it comes to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=4000)
    parser.add_argument("--px", type=int, default=112)
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(1)
    video = real_clips()[0]
    with tempfile.TemporaryDirectory() as folder:
        raw = _processor("raw", args.px)
        change, middle = AugmentationSettings(), AugmentationSettings(crop_scale=1)

        def shard(kind: str, change: AugmentationSettings) -> Callable[[int], Dataset[Any]]:
            processor = _processor(kind, args.px)
            clips = _store(Path(folder) / f"{kind}.safetensors", processor, video)
            return lambda count: ClipDataset(clips, _CLASSES, processor, change, count, seed=0)

        ways: dict[str, tuple[Callable[[int], Dataset[Any]], int]] = {
            "mp4, decoded with PyAV": (lambda count: DecodedClips(video, raw, count), 10),
            "JPEG shard": (shard("jpeg", change), 1),
            "raw shard": (shard("raw", change), 1),
            "raw shard, crops not scaled": (shard("raw", middle), 1),
        }
        first = 0.0
        print(f"16 frames at {args.px} px, {args.processes} processes")
        print(f"{'':30} clips/s   a CPU second")
        for name, (make, slower) in ways.items():
            by_clock, by_cpu = _measure(make(args.clips // slower), args.processes)
            first = first or by_cpu
            print(f"{name:30} {by_clock:7.0f} {by_cpu:14.0f}  {by_cpu / first:6.1f}×")


def _measure(data: Dataset[Any], processes: int) -> tuple[float, float]:
    """Clips a second of the clock, once the processes run, and a second of CPU of all of them."""
    used_s = _cpu_s()
    batches = iter(DataLoader(data, _BATCH, num_workers=processes, prefetch_factor=2))
    next(batches)
    started, count = time.monotonic(), 0
    for batch in batches:
        count += len(batch["frames"])
    rate = count / (time.monotonic() - started)
    del batches  # ends the processes, which are counted then
    return rate, (count + _BATCH) / (_cpu_s() - used_s)


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _processor(kind: str, px: int) -> ClipProcessor:
    """Frames are stored a little larger than they are looked at."""
    side = px * 8 // 7
    values = {"frame_rate_hz": 8, "height_px": side, "width_px": side, "sound": False}
    return ClipProcessor(
        ProcessorConfig.model_validate(
            {"spec": TimeSpec(), "frames": kind, "n_frames": 16, "crop_px": px, **values}
        )
    )


def _store(path: Path, processor: ClipProcessor, video: Path) -> list[StoredClip]:
    """The clip's frames, 64 times over."""
    if not path.exists():
        frames = read_frames(video, processor.fps, Cover(*processor.frame_size))
        media = ClipMedia(frames, np.zeros(0, np.float32))
        (extractor,) = processor.extractors
        clips = {f"clip{n}": extractor(media) for n in range(64)}
        header = ShardHeader(
            recipe="benchmark",
            settings={},
            arrays=tuple(extractor.arrays),
            clips=dict.fromkeys(clips, "checksums"),
        )
        write_shard(path, header, clips)
    reader = ShardReader(path)
    return [StoredClip(_listed(name), reader) for name in reader.header.clips]


def _listed(clip_id: str) -> DatasetClip:
    file = {"size": 1, "crc32c": "AAAAAA==", "sha256": "0" * 64}
    wav = {f"wav_{name}": value for name, value in file.items()}
    row = {"source_id": clip_id, "start_s": 0, "end_s": 10, "split": "train", "key": clip_id}
    labels = (_CLASSES[int(clip_id[4:]) % 2],)
    return DatasetClip(clip_id=clip_id, labels=labels, wav_key=clip_id, **row, **file, **wav)


if __name__ == "__main__":
    main()
