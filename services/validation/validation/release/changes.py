"""What is different between two data set versions."""

from collections import Counter
from dataclasses import dataclass

from s2s.dataset import SPLITS, DatasetClip, DatasetVersion

__all__ = ["Changes", "compare"]


@dataclass(frozen=True)
class Changes:
    """What a version has that another has not, by clip id.

    Attributes:
        added: clips that are new.
        removed: clips that are gone.
        moved: clips that are in another split.
        relabelled: clips with other labels.
        rewritten: clips with other bytes.
    """

    added: tuple[DatasetClip, ...]
    removed: tuple[DatasetClip, ...]
    moved: tuple[DatasetClip, ...]
    relabelled: tuple[DatasetClip, ...]
    rewritten: tuple[DatasetClip, ...]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Clips of each kind of change by split: the new one, or that of a clip that is gone."""
        kinds = {
            "added": self.added,
            "removed": self.removed,
            "moved": self.moved,
            "relabelled": self.relabelled,
            "rewritten": self.rewritten,
        }
        by_split = {kind: Counter(clip.split for clip in clips) for kind, clips in kinds.items()}
        return {kind: {split: n[split] for split in SPLITS} for kind, n in by_split.items()}


def compare(older: DatasetVersion, newer: DatasetVersion) -> Changes:
    """Compare two versions."""
    before, after = (
        {clip.clip_id: clip for split in SPLITS for clip in version.split(split)}
        for version in (older, newer)
    )
    both = [(before[name], clip) for name, clip in after.items() if name in before]
    return Changes(
        added=tuple(clip for name, clip in after.items() if name not in before),
        removed=tuple(clip for name, clip in before.items() if name not in after),
        moved=tuple(new for old, new in both if old.split != new.split),
        relabelled=tuple(new for old, new in both if old.labels != new.labels),
        rewritten=tuple(
            new for old, new in both if (old.sha256, old.wav_sha256) != (new.sha256, new.wav_sha256)
        ),
    )
