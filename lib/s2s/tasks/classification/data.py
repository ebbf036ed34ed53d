"""Clips out of shards, as examples for training.

Legend: T frames, H height, W width, C channels, M mel frames, K mel bands, L classes.
"""

import logging
import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import Dataset
from torchvision.transforms import v2

from s2s.errors import ModelError, StageError
from s2s.features.stored import StoredClip
from s2s.tasks.classification.extractors.frames import FRAMES, read_jpegs
from s2s.tasks.classification.processor import ClipArrays, ClipProcessor, View
from s2s.tasks.classification.settings import AugmentationSettings
from s2s.tasks.common.chance import seeded
from s2s.tasks.common.mel import FLOOR

__all__ = [
    "ClipDataset",
    "ClipExample",
    "arrays_of",
    "audible",
    "classes_of",
    "frames_of",
    "measure_mel",
    "targets_of",
    "tell_odd_classes",
]

log = logging.getLogger(__name__)

_CLIPS_MEASURED = 512
_FAINT = 0.01

ClipExample = dict[str, torch.Tensor]
"""`frames` (T, H, W, C), 0..255 (bytes, unless two clips are blended), `has_frame`, `mel`,
`has_sound`, and `target`: float32 (L,)."""


def frames_of(clip: StoredClip, chosen: np.ndarray | None = None) -> np.ndarray:
    """Frames of a clip, uint8 (T, H, W, C).

    Args:
        clip: the clip.
        chosen: which, ascending; None for all.

    Raises:
        ModelError: if a stored picture is damaged.
    """
    spec = clip.shard.spec(FRAMES)
    if chosen is None:
        chosen = np.arange(clip.length(FRAMES))
    if spec.is_bytes:
        files = [clip.read_bytes(FRAMES, int(n), int(n) + 1)[0] for n in chosen]
        try:
            return read_jpegs(files)
        except (OSError, ValueError) as error:
            raise ModelError(
                f"{clip.shard.path}: {clip.clip_id}/{FRAMES}: not all are JPEG files of one size "
                f"({error}): delete the shard, here and in the bucket, and run feature_extraction "
                "again for this recipe"
            ) from error
    return np.concatenate([clip.read(FRAMES, int(n), int(n) + 1) for n in chosen])


def arrays_of(clip: StoredClip) -> ClipArrays:
    """All of a clip: frames, and log-mel where it is stored and the clip has sound."""
    return frames_of(clip), _mel_of(clip)


def classes_of(clips: Sequence[StoredClip]) -> tuple[str, ...]:
    """Labels of the training clips, sorted.

    Raises:
        StageError: if there are less than two: nothing could be told apart.
    """
    labels = tuple(sorted({label for clip in clips for label in clip.listed.labels}))
    if len(labels) < 2:
        found = f"only {labels[0]!r}" if labels else "no label"
        raise StageError(
            f"the training clips have {found}: a classifier needs two classes or more: take more "
            "labels into collection.labels, or add clips to the catalog"
        )
    return labels


def tell_odd_classes(clips: Mapping[str, Sequence[StoredClip]], classes: Collection[str]) -> None:
    """Warn of what no figure would show: classes that cannot be learned, or cannot be measured.

    Args:
        clips: those of each split.
        classes: of the training clips.
    """
    sources: defaultdict[str, set[str]] = defaultdict(set)
    for clip in clips["train"]:
        for label in clip.listed.labels:
            sources[label].add(clip.listed.source_id)
    single = sorted(label for label in classes if len(sources[label]) == 1)
    if single:
        log.warning(
            "%s of %s classes have one training source only, such as %r: the model may learn the "
            "source in the place of the class: add sources, or leave the class out in "
            "collection.labels",
            len(single),
            len(classes),
            single[0],
        )
    for split in sorted(clips.keys() - {"train"}):
        unknown = [set(clip.listed.labels) for clip in clips[split]]
        unknown = [labels for labels in unknown if labels and labels.isdisjoint(classes)]
        if unknown:
            log.warning(
                "%s of %s clips of the split %s are of classes that no training clip has, such as "
                "%r: whatever the model says of them is wrong: add training sources of it, or "
                "leave the class out in collection.labels",
                len(unknown),
                len(clips[split]),
                split,
                min(unknown[0]),
            )


def targets_of(clip: StoredClip, classes: Sequence[str]) -> torch.Tensor:
    """Which classes a clip has, float32 (L,): sums to one unless it has several or none known."""
    return torch.tensor([float(label in clip.listed.labels) for label in classes])


def audible(mel_MK: np.ndarray) -> np.ndarray | None:
    """A log-mel in which anything is heard; None of silence, such as a clip without sound has."""
    return mel_MK if mel_MK.size and mel_MK.max() > np.log(FLOOR) + _FAINT else None


def measure_mel(clips: Sequence[StoredClip]) -> tuple[float, float]:
    """Mean and standard deviation of log-mel over clips, at most `_CLIPS_MEASURED`."""
    chosen = clips[:: max(1, math.ceil(len(clips) / _CLIPS_MEASURED))]
    mels = [mel for clip in chosen if (mel := _mel_of(clip)) is not None]
    if not mels:
        return 0.0, 1.0
    values = np.concatenate([mel.ravel() for mel in mels]).astype(np.float64)
    return float(values.mean()), max(float(values.std()), 1e-3)


@dataclass(frozen=True)
class ClipDataset(Dataset[ClipExample]):
    """Clips in random order and random views; item n is the same on every machine and run.

    Every pass over the clips is a shuffle of its own.

    Attributes:
        clips: what is learned from.
        classes: their classes.
        processor: makes the network's input.
        augmentation: how clips are changed; None for the middle view, in order.
        count: how many items.
        seed: source of chance.
    """

    clips: Sequence[StoredClip]
    classes: tuple[str, ...]
    processor: ClipProcessor
    augmentation: AugmentationSettings | None
    count: int
    seed: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> ClipExample:
        """One clip, see `ClipExample`; two in one with mixup (Zhang et al. 2018)."""
        if index >= self.count:
            raise IndexError(index)
        turn, place = divmod(index, len(self.clips))
        rng = np.random.default_rng((self.seed, index))
        change = self.augmentation
        if change is None:
            return self._example(place, rng)
        order = np.random.default_rng((self.seed, turn)).permutation(len(self.clips))
        example = self._example(int(order[place]), rng)
        if not change.mixup:
            return example
        share = float(rng.beta(change.mixup, change.mixup))
        return _mixed(example, self._example(int(rng.integers(len(self.clips))), rng), share)

    def _example(self, place: int, rng: np.random.Generator) -> ClipExample:
        clip, view = self.clips[place], self._view(rng)
        chosen = self.processor.chosen(clip.length(FRAMES), view)
        frames_THWC = self._changed(frames_of(clip, chosen), rng)
        seen, has_frame_T = self.processor.frames(frames_THWC, view)
        heard, has_sound = self.processor.mel(_mel_of(clip))
        return {
            "frames": seen.permute(0, 2, 3, 1),
            "has_frame": has_frame_T,
            "mel": self._masked(heard, rng),
            "has_sound": has_sound,
            "target": targets_of(clip, self.classes),
        }

    def _view(self, rng: np.random.Generator) -> View:
        change = self.augmentation
        if change is None:
            return View()
        time, across, down = rng.uniform(size=3)
        scale = float(rng.uniform(change.crop_scale, 1))
        return View(
            time=time,
            across=across,
            down=down,
            scale=scale,
            is_flipped=bool(rng.uniform() < change.flip),
        )

    def _changed(self, frames_THWC: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """RandAugment (Cubuk et al. 2020), the same operations on all frames."""
        change = self.augmentation
        if change is None or not change.operations:
            return frames_THWC
        bins = 31
        magnitude = round(change.magnitude * (bins - 1))
        augment = v2.RandAugment(change.operations, magnitude, num_magnitude_bins=bins)
        frames_TCHW = torch.from_numpy(frames_THWC).permute(0, 3, 1, 2)
        with seeded(int(rng.integers(2**31))):
            return augment(frames_TCHW).permute(0, 2, 3, 1).numpy()

    def _masked(self, mel_MK: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """SpecAugment (Park et al. 2019): a stretch of time and a stretch of bands is hidden."""
        if self.augmentation is None or not self.augmentation.mask:
            return mel_MK
        for axis, length in enumerate(mel_MK.shape):
            size = int(rng.uniform(0, self.augmentation.mask) * length)
            start = int(rng.integers(length - size + 1))
            mel_MK.narrow(axis, start, size).zero_()
        return mel_MK


def _mel_of(clip: StoredClip) -> np.ndarray | None:
    """A clip's log-mel, float32 (M, K); None where none is stored, or nothing is heard."""
    if all(spec.name != "mel" for spec in clip.shard.header.arrays):
        return None
    return audible(clip.read("mel").astype(np.float32))


def _mixed(one: ClipExample, other: ClipExample, share: float) -> ClipExample:
    """Two clips blended: what there is of either is there."""
    blended: ClipExample = {}
    for name, values in one.items():
        if values.dtype == torch.bool:
            blended[name] = values | other[name]
        else:
            blended[name] = share * values + (1 - share) * other[name]
    return blended
