"""Which clips a model is measured on and shown with: of sources that it was not trained on."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Container
from dataclasses import dataclass
from itertools import chain, zip_longest

from s2s.dataset import DatasetClip, DatasetVersion, Split
from s2s.layout import held_out_prefix
from s2s.settings import Recipe
from s2s.storage import Bucket

__all__ = ["HeldOut", "answered_clips", "choose_held_out"]

_HELD_OUT: tuple[Split, ...] = ("test", "val")


@dataclass(frozen=True)
class HeldOut:
    """Clips that a model was not trained on.

    Attributes:
        split: the split they are of; None if there are none.
        clips: the clips.
        all_clips: those, and the others of the split that could have been chosen.
    """

    split: Split | None = None
    clips: tuple[DatasetClip, ...] = ()
    all_clips: tuple[DatasetClip, ...] = ()

    @property
    def note(self) -> str:
        """A sentence about them for people."""
        if self.split is None:
            return "Neither test nor val has clips: nothing was measured."
        if self.split == "val":
            return "The test split has no clips: measured on the val split."
        return "Measured on the test split."

    def other(self, clip: DatasetClip) -> DatasetClip:
        """The clip that one is shown with where two are needed: always the same one.

        It is the next one with another label, else the next one of another source; the clip itself
        where there is neither.
        """
        place = self.all_clips.index(clip)
        following = self.all_clips[place + 1 :] + self.all_clips[:place]
        unlike = [one for one in following if one.source_id != clip.source_id]
        labelled = [one for one in unlike if one.labels != clip.labels]
        return (labelled or unlike or [clip])[0]


def choose_held_out(
    version: DatasetVersion, count: int, usable: Container[str] | None = None
) -> HeldOut:
    """Choose clips of the test split, or of val where test has none; never of train.

    Clips are taken from the labels in turn, and from a label's sources in turn, so that few clips
    cover many of both. The same
    version gives the same clips in the same order, and fewer clips are the first of more.

    Args:
        version: the data set version that the model was trained on.
        count: clips, at most.
        usable: ids of clips that can be used at all, such as those that have features; None for
            all.
    """
    for split in _HELD_OUT:
        clips = [clip for clip in version.split(split) if usable is None or clip.clip_id in usable]
        if clips:
            by_label: defaultdict[tuple[str, ...], list[DatasetClip]] = defaultdict(list)
            for clip in _sources_in_turns(clips):
                by_label[clip.labels].append(clip)
            turns = zip_longest(*(by_label[label] for label in sorted(by_label)))
            ordered = tuple(clip for clip in chain.from_iterable(turns) if clip is not None)
            return HeldOut(split, ordered[:count], ordered)
    return HeldOut()


def answered_clips(bucket: Bucket, recipe: Recipe, version: str) -> set[str]:
    """Ids of the clips that serving has answered: with films or documents, as the task has it."""
    prefix = held_out_prefix(recipe, version)
    names = (key.removeprefix(prefix) for key in bucket.keys(prefix))
    return {name.partition(".")[0] for name in names if "/" not in name}


def _sources_in_turns(clips: list[DatasetClip]) -> list[DatasetClip]:
    """Every source's first clip, then every second one, and so on; each in an order of chance."""
    taken: Counter[tuple[str, tuple[str, ...]]] = Counter()
    turns: list[tuple[int, str, DatasetClip]] = []
    for clip in sorted(clips, key=_chance):
        source = clip.source_id, clip.labels
        turns.append((taken[source], _chance(clip), clip))
        taken[source] += 1
    return [clip for _, _, clip in sorted(turns, key=lambda turn: turn[:2])]


def _chance(clip: DatasetClip) -> str:
    return hashlib.sha256(clip.clip_id.encode()).hexdigest()
