"""Clips a second of each extractor, against extracting frame by frame from JPEGs.

python benchmarks/features_extractors.py [--clips 4]

The usual way, and that of the course project that this one grew from: every frame is written as
a JPEG first; features are computed for each, one file at a time; the mel by librosa. Ours decodes
once, at the size that is needed, and computes in memory, many frames at a time; a network looks at
every fifth frame. Both sides read the same real clips of 10 s, in one thread; weights are random,
which takes as long. Seconds are CPU time, without what is done once in a process. A video network
frame by frame would take minutes a clip: its usual side is left out.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import torch
from measuring import real_clips
from PIL import Image

from s2s.media import read_audio, read_frames, write_wav
from s2s.spec import TimeSpec
from s2s.storage import DirectoryBucket
from s2s.tasks.common.mel import FLOOR, LogMel
from s2s.tasks.generation.extractors.pictures import PictureExtractor
from s2s.tasks.generation.extractors.weights import fetch_weights
from s2s.tasks.generation.processor import open_processor
from s2s.tasks.generation.settings import GenerationFeatureSettings

SPEC = TimeSpec()
Extract = Callable[[Path, Path], np.ndarray]
CASES = {
    "motion, colours": {},
    "raft_small": {"motion": "raft_small", "motion_weights": "random"},
    "timm/resnet18": {"semantic": "timm/resnet18", "semantic_weights": "random"},
    "torchvision/r3d_18": {"semantic": "torchvision/r3d_18", "semantic_weights": "random"},
}


def usual_mel(clip: Path, folder: Path) -> np.ndarray:
    """A wav file, read and resampled by librosa, and its mel."""
    wav = folder / "clip.wav"
    write_wav(wav, read_audio(clip, 44_100), 44_100)
    samples, _ = librosa.load(wav, sr=SPEC.sample_rate_hz)
    mel_BM = librosa.feature.melspectrogram(
        y=samples, sr=SPEC.sample_rate_hz, n_fft=SPEC.n_fft, hop_length=SPEC.hop, power=1, n_mels=80
    )
    return np.log(np.maximum(mel_BM, FLOOR)).T


def our_mel(clip: Path, _folder: Path) -> np.ndarray:
    """Decoded at the rate that is needed."""
    samples = read_audio(clip, SPEC.sample_rate_hz)
    return LogMel(SPEC).of_samples(torch.from_numpy(samples)).numpy()


def usual_pictures(extractors: tuple[PictureExtractor, ...]) -> Extract:
    """All frames as JPEGs; then, for each, it and the frame before are read and looked at."""

    def extract(clip: Path, folder: Path) -> np.ndarray:
        for number, frame in enumerate(read_frames(clip, SPEC.fps)):
            Image.fromarray(frame).save(folder / f"{number:05d}.jpg", quality=95)
        paths = sorted(folder.glob("*.jpg"))
        rows = []
        for number in range(len(paths)):
            pair = [np.asarray(Image.open(path)) for path in paths[max(0, number - 1) : number + 1]]
            rows.append(np.concatenate([part.of_frames(np.stack(pair))[-1] for part in extractors]))
        return np.stack(rows)

    return extract


def our_pictures(settings: GenerationFeatureSettings, weights: Path) -> Extract:
    """As the stage of the pipeline does."""
    processor = open_processor(SPEC, settings, weights)
    return lambda clip, _folder: processor.of_frames(
        read_frames(clip, SPEC.fps, processor.frame_size)
    )


def cpu_s(extract: Extract, clips: list[Path]) -> float:
    """CPU seconds of a clip; the first is done twice, and counted once."""
    started = 0.0
    for number, clip in enumerate([clips[0], *clips]):
        started = time.process_time() if number == 1 else started
        with tempfile.TemporaryDirectory() as folder:
            extract(clip, Path(folder))
    return (time.process_time() - started) / len(clips)


def main() -> None:
    """Print a row for each extractor."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--only", choices=["mel", *CASES])
    args = parser.parse_args()
    torch.set_num_threads(1)
    clips = real_clips()[: args.clips]
    with tempfile.TemporaryDirectory() as folder:
        sides: dict[str, tuple[Extract | None, Extract]] = {"mel": (usual_mel, our_mel)}
        for name, chosen in CASES.items():
            settings = GenerationFeatureSettings.model_validate(chosen)
            weights = Path(folder) / f"{name.replace('/', '-')}.safetensors"
            if settings.needs_weights:
                fetch_weights(settings, weights, Path(folder), DirectoryBucket(Path(folder) / "b"))
            streams = open_processor(SPEC, settings, weights).streams
            is_slow = name.startswith("torchvision/")
            usual = None if is_slow else usual_pictures(streams)
            sides[name] = usual, our_pictures(settings, weights)
        print(f"{len(clips)} real clips of 10 s, one thread of {os.cpu_count()}; CPU s a clip")
        print(f"{'':20} {'usual':>8} {'here':>8} {'less':>7} {'clips/s':>8}")
        for name, (usual, ours) in sides.items():
            if args.only in {None, name}:
                here = cpu_s(ours, clips)
                theirs = cpu_s(usual, clips) if usual else float("nan")
                print(f"{name:20} {theirs:8.3f} {here:8.3f} {theirs / here:6.1f}× {1 / here:8.2f}")


if __name__ == "__main__":
    main()
