"""Which split a source goes to: by shares, stratified by label, deterministic and sticky."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import lcm

from s2s.catalog import known_split
from s2s.dataset import SPLITS
from s2s.records import ClipRecord

__all__ = [
    "assign_splits",
    "empty_splits",
    "held_out_sources",
    "shares_left",
    "shares_of",
    "source_labels",
]

_FILLED_FIRST = {"train": 0, "test": 1, "val": 2}


def shares_of(train: float, val: float) -> dict[str, Fraction]:
    """Each split's share, exact: 0.7 is seven tenths, and all add up to 1."""
    first = Fraction(str(train))
    second = min(Fraction(str(val)), 1 - first)
    return {"train": first, "val": second, "test": 1 - first - second}


def source_labels(clips: Iterable[ClipRecord]) -> dict[str, tuple[str, ...]]:
    """All labels of each source's clips, in order; an empty one where there is none."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for clip in clips:
        found[clip.source_id].update(clip.labels or [""])
    return {source: tuple(sorted(labels)) for source, labels in found.items()}


def held_out_sources(
    clips: Iterable[ClipRecord], names: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Sources that the catalog has for testing or validation; testing, where its rows differ.

    Args:
        clips: the catalog's clips, with its own splits.
        names: `collection.split_names` of the recipe.
    """
    splits: dict[str, str] = {}
    for clip in clips:
        split = known_split(clip.split, names)
        if split in {"test", "val"} and splits.get(clip.source_id) != "test":
            splits[clip.source_id] = split
    return splits


def shares_left(shares: Mapping[str, Fraction], taken: Iterable[str]) -> dict[str, Fraction]:
    """Shares of what is left when some splits, but never train, have got all that they get."""
    filled = set(taken)
    left = sum(share for split, share in shares.items() if split not in filled)
    return {split: Fraction(0) if split in filled else shares[split] / left for split in SPLITS}


def assign_splits(
    labels: Mapping[str, Sequence[str]],
    shares: Mapping[str, Fraction],
    seed: int,
    placed: Mapping[str, str],
) -> dict[str, str]:
    """Choose a split for every source; all clips of a source go with it.

    1. A source that is placed stays where it is.
    2. Of each label's sources every split gets its share, to within one source. Where a share is
       no whole number of sources, the split that has too little of the labels so far gets the
       odd one, so that labels with few sources do not all round the same way. Where sources have
       several labels, rare labels go first (Sechidis et al. 2011, algorithm 1): they are the
       hardest to divide, and a source is placed with the first of its labels.
    3. A split whose share is not 0 but that would stay empty gets one source that was not placed
       before, of the split that has most: train first, then test, then val. So of three sources
       each split gets one, of two train and test, and a single one is for training.

    Args:
        labels: each source's labels, one at least; the order of sources does not matter.
        shares: each split's share of the sources; they add up to 1.
        seed: chooses which sources of a label go where.
        placed: splits of sources that have one already.
    """
    of_label: defaultdict[str, list[str]] = defaultdict(list)
    for source in sorted(labels, key=lambda source: _rank(seed, source)):
        for label in labels[source]:
            of_label[label].append(source)
    has_several = any(len(names) > 1 for names in labels.values())
    splits = {source: placed[source] for source in labels if source in placed}
    # A source counts as so many parts that every share is a whole number of them: as exact as
    # fractions, and many times as fast.
    whole = lcm(*(share.denominator for share in shares.values()))
    parts = {split: int(share * whole) for split, share in shares.items()}
    lacking = dict.fromkeys(shares, 0)
    for label in sorted(of_label, key=lambda name: (len(of_label[name]) * has_several, name)):
        due = {split: parts[split] * len(of_label[label]) for split in shares}
        chosen = _split_label(of_label[label], due, lacking, whole, splits)
        counts = Counter(chosen.values())
        lacking = {split: lacking[split] + due[split] - whole * counts[split] for split in shares}
        splits |= chosen
    _fill_empty(splits, labels, shares, placed)
    return splits


def empty_splits(splits: Mapping[str, str], shares: Mapping[str, Fraction]) -> list[str]:
    """Splits that should have something and have nothing."""
    filled = set(splits.values())
    order = sorted(shares, key=lambda split: _FILLED_FIRST.get(split, 0))
    return [split for split in order if shares[split] and split not in filled]


def _split_label(
    sources: list[str],
    due: Mapping[str, int],
    lacking: Mapping[str, int],
    whole: int,
    placed: Mapping[str, str],
) -> dict[str, str]:
    """Split one label's sources.

    Args:
        sources: in the order of their ranks.
        due: what each split should get of them, in parts of a source.
        lacking: parts that the labels before left each split short of; negative for too many.
        whole: parts of one source.
        placed: splits of sources that have one already.
    """
    splits = {source: placed[source] for source in sources if source in placed}
    counts = Counter(splits.values())
    left = {split: due[split] - whole * counts[split] for split in due}
    for source in sources:
        if source in splits:
            continue
        # A whole source that is due goes before a part of one.
        short = [split for split in left if left[split] >= whole]
        short = short or [split for split in left if left[split] > 0]
        split = max(short, key=lambda name: lacking[name] + left[name])
        splits[source] = split
        left[split] -= whole
    return splits


def _fill_empty(
    splits: dict[str, str],
    labels: Mapping[str, Sequence[str]],
    shares: Mapping[str, Fraction],
    placed: Mapping[str, str],
) -> None:
    for empty in empty_splits(splits, shares):
        size = Counter(splits.values())
        size_of_label = Counter(
            (split, label) for source, split in splits.items() for label in labels[source]
        )
        movable = [source for source in splits if source not in placed and size[splits[source]] > 1]
        if not movable:
            return
        # Of equals the first: `splits` is in the order of labels, then of ranks.
        moved = max(
            movable,
            key=lambda name: (
                size[splits[name]],
                min(size_of_label[splits[name], label] for label in labels[name]),
            ),
        )
        splits[moved] = empty


def _rank(seed: int, source: str) -> str:
    return hashlib.sha256(f"{seed}:{source}".encode()).hexdigest()
