"""Labels of a version: how many clips each has in each split, and which splits lack it."""

from collections import Counter
from dataclasses import dataclass

from s2s.dataset import SPLITS, DatasetVersion

__all__ = ["LabelRow", "label_rows"]


@dataclass(frozen=True)
class LabelRow:
    """A label.

    Attributes:
        label: its name.
        counts: clips of each split.
        lacking: splits that have clips, but none of this label.
    """

    label: str
    counts: dict[str, int]
    lacking: tuple[str, ...]

    @property
    def clips(self) -> int:
        """Clips in all."""
        return sum(self.counts.values())


def label_rows(version: DatasetVersion) -> list[LabelRow]:
    """A row a label, the largest first."""
    of_split = {
        split: Counter(label for clip in version.split(split) for label in clip.labels)
        for split in SPLITS
    }
    used = [split for split in SPLITS if version.split(split)]
    rows = [
        LabelRow(
            label,
            {split: of_split[split][label] for split in SPLITS},
            tuple(split for split in used if not of_split[split][label]),
        )
        for label in set().union(*of_split.values())
    ]
    return sorted(rows, key=lambda row: (-row.clips, row.label))
