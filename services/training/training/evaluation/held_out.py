"""Which clips are measured on, and who judges them: neither has heard the other's sources."""

from collections.abc import Sequence
from dataclasses import dataclass

from s2s.dataset import DatasetClip, DatasetVersion
from s2s.features.stored import StoredClip
from s2s.tasks.generation.data import mel_of
from s2s.tasks.generation.metrics.classifier import SoundClassifier

__all__ = ["HeldOut", "choose_held_out", "fit_classifier"]

_CLASSIFIED_CLIPS = 2000


@dataclass(frozen=True)
class HeldOut:
    """Which clips are measured on.

    Attributes:
        split: the split they are from; None if there are none.
        note: a sentence about that for people.
        clips: the clips, listed and stored.
    """

    split: str | None
    note: str
    clips: tuple[tuple[DatasetClip, StoredClip], ...] = ()


def choose_held_out(
    version: DatasetVersion, stored: dict[str, list[StoredClip]], count: int
) -> HeldOut:
    """Clips to measure on: from test, else from val, never from train; evenly chosen."""
    for split in ("test", "val"):
        listed = {clip.clip_id: clip for clip in version.split(split)}
        clips = [(listed[clip.clip_id], clip) for clip in stored.get(split, [])]
        if clips:
            chosen = [clips[i * len(clips) // count] for i in range(count)]
            chosen = clips if len(clips) <= count else chosen
            note = "Measured on the test split."
            if split == "val":
                note = "The test split has no clips: measured on the val split."
            return HeldOut(split, note, tuple(chosen))
    return HeldOut(None, "Neither test nor val has clips: nothing was measured.")


def fit_classifier(
    version: DatasetVersion, clips: Sequence[StoredClip], mel_rate_hz: int, seed: int = 0
) -> SoundClassifier | None:
    """A classifier of the training clips' first labels; None where there are less than two."""
    labels = {clip.clip_id: clip.labels[0] for clip in version.split("train") if clip.labels}
    labelled = [clip for clip in clips if clip.clip_id in labels][:_CLASSIFIED_CLIPS]
    names = [labels[clip.clip_id] for clip in labelled]
    if len(set(names)) < 2:
        return None
    return SoundClassifier([mel_of(clip) for clip in labelled], names, mel_rate_hz, seed)
