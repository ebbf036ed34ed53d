"""Training data of a vocoder: random crops of the training clips' sound, with their log-mel.

Legend: N samples, M mel frames, K mel bands.
"""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from s2s.dataset import DatasetClip
from s2s.media import read_audio
from s2s.spec import TimeSpec
from s2s.storage import Bucket
from s2s.tasks.common.mel import LogMel

__all__ = ["CropDataset", "Sounds", "gather_sounds"]

_DOWNLOADS = 8
_FULL_SCALE = 32767.0


@dataclass(frozen=True)
class Sounds:
    """Sound of many clips, one behind the other.

    Attributes:
        samples_N: int16; mapped from disk.
        bounds: where each clip starts, and where the last one ends.
    """

    samples_N: np.ndarray
    bounds: Sequence[int]

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __reduce__(self) -> tuple[Any, ...]:
        # For another process: mapped there, not sent there.
        if isinstance(self.samples_N, np.memmap):
            return _map_sounds, (Path(str(self.samples_N.filename)), self.bounds)
        return Sounds, (self.samples_N, self.bounds)

    def read(self, clip: int, start: int, length: int) -> np.ndarray:
        """Part of a clip, float32 (N,) in -1..1; silence is outside of it.

        Args:
            clip: its number.
            start: first sample, counted from the clip's; may be negative.
            length: how many.
        """
        first, end = self.bounds[clip], self.bounds[clip + 1]
        begin, stop = max(first, first + start), min(end, first + start + length)
        samples_N = np.zeros(length, dtype=np.float32)
        given = self.samples_N[begin:stop] / np.float32(_FULL_SCALE)
        samples_N[begin - first - start :][: len(given)] = given
        return samples_N


class CropDataset(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Random crops; item n is the same on every machine and in every run.

    Of two places the louder one is taken: silence has little to teach.

    Args:
        sounds: what to draw from.
        spec: rates and bands.
        frames: length of a crop in mel frames.
        count: how many crops.
        seed: source of chance.
    """

    def __init__(self, sounds: Sounds, spec: TimeSpec, frames: int, count: int, seed: int) -> None:
        self.sounds = sounds
        self.spec = spec
        self.frames = frames
        self.count = count
        self.seed = seed
        self._log_mel = LogMel(spec)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Log-mel (M, K), as it is in the midst of the clip, and sound (N,) of a crop."""
        rng = np.random.default_rng((self.seed, index))
        crop_N = max(
            self._crop(rng), self._crop(rng), key=lambda crop: float(np.square(crop).sum())
        )
        samples_N = torch.from_numpy(crop_N)
        margin = self._margin
        mel_MK = self._log_mel.of_samples(samples_N)[margin : margin + self.frames]
        hop = self.spec.hop
        return mel_MK, samples_N[margin * hop : (margin + self.frames) * hop]

    @property
    def _margin(self) -> int:
        """Mel frames that see something of what is outside the crop."""
        return -(-self.spec.n_fft // (2 * self.spec.hop))

    def _crop(self, rng: np.random.Generator) -> np.ndarray:
        hop, margin = self.spec.hop, self._margin
        clip = int(rng.integers(len(self.sounds)))
        length = self.sounds.bounds[clip + 1] - self.sounds.bounds[clip]
        start = int(rng.integers(max(1, length - self.frames * hop + 1)))
        return self.sounds.read(clip, start - margin * hop, (self.frames + 2 * margin) * hop)


def gather_sounds(
    bucket: Bucket, clips: Sequence[DatasetClip], sample_rate_hz: int, path: Path
) -> Sounds:
    """Download clips' sound into one file on this machine.

    Args:
        bucket: where their wavs are.
        clips: the clips.
        sample_rate_hz: what they are resampled to where they have another rate.
        path: the file; what was there is overwritten.

    Raises:
        MediaError: if a wav cannot be read.
        ObjectNotFoundError: if one is not there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    bounds = [0]
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, path.open("wb") as file:

        def fetch(number_and_clip: tuple[int, DatasetClip]) -> np.ndarray:
            number, clip = number_and_clip
            wav = Path(folder) / f"{number}.wav"
            bucket.download(clip.wav_key, wav)
            samples_N = read_audio(wav, sample_rate_hz)
            wav.unlink()
            return (samples_N.clip(-1, 1) * _FULL_SCALE).round().astype("<i2")

        with ThreadPoolExecutor(_DOWNLOADS) as pool:
            for pcm_N in pool.map(fetch, enumerate(clips)):
                file.write(pcm_N.tobytes())
                bounds.append(bounds[-1] + len(pcm_N))
    return _map_sounds(path, bounds)


def _map_sounds(path: Path, bounds: Sequence[int]) -> Sounds:
    samples_N = np.memmap(path, "<i2", mode="r") if bounds[-1] else np.zeros(0, "<i2")
    return Sounds(samples_N, bounds)
