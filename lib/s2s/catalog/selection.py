"""Which clips of a catalog a recipe is about."""

import hashlib
import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from s2s.catalog.catalog import RowProblem
from s2s.catalog.splits import check_splits, known_split
from s2s.errors import CatalogError
from s2s.logs import counted
from s2s.records import ClipRecord
from s2s.settings import Recipe

__all__ = ["nothing_selected", "select_clips"]


def select_clips(
    clips: Iterable[ClipRecord], recipe: Recipe, catalog: str = ""
) -> Iterator[ClipRecord]:
    """Choose clips by label, split and number per label, in the catalog's order.

    The choice depends on the seed and on nothing else: the order of the rows does not matter. Where
    `sample_per_label` is set, only the clips that are chosen are held in memory.

    Args:
        clips: all clips.
        recipe: its `collection` and `seed` say which.
        catalog: the catalog's name, for messages; the recipe's own without one.

    Raises:
        CatalogError: after the last clip, if there is none of a split that the recipe names, or one
            has a split that is to be kept and is not known.
    """
    chosen = _choose(clips, recipe)
    if not recipe.validation.keep_catalog_split:
        return chosen
    return _of_known_splits(chosen, recipe, catalog or recipe.collection.catalog)


def nothing_selected(
    catalog: str,
    layout: str,
    recipe: Recipe,
    n_clips_and_problems: tuple[int, int],
    problems: Sequence[RowProblem],
) -> CatalogError:
    """The error for a catalog of which no clip is selected.

    Args:
        catalog: its name.
        layout: name of its format.
        recipe: who selects.
        n_clips_and_problems: rows that are a clip, and rows that are none.
        problems: the first rows that are none.
    """
    n_clips, n_problems = n_clips_and_problems
    if n_clips:
        wanted = recipe.collection
        asked = {"labels": f"a label that fits {list(wanted.labels)}"} if wanted.labels else {}
        asked |= {"splits": f"a split of {list(wanted.splits)}"} if wanted.splits else {}
        settings = " and ".join(f"collection.{name}" for name in asked)
        return CatalogError(
            f"catalog {catalog}: none of its {counted(n_clips, 'clip')} has "
            f"{' and '.join(asked.values())} ({settings} of the recipe): './s2s catalog FILE' "
            "shows what there is"
        )
    if not problems:
        return CatalogError(f"catalog {catalog} is empty: it lists no clip")
    first = problems[0]
    return CatalogError(
        f"catalog {catalog}: none of its {counted(n_problems, 'row')} can be used as {layout}. "
        f"Line {first.line}: {first.message}. If that is not its format, say which it is with "
        "collection.format in the recipe"
    )


def _of_known_splits(
    clips: Iterable[ClipRecord], recipe: Recipe, catalog: str
) -> Iterator[ClipRecord]:
    splits: set[str | None] = set()
    for clip in clips:
        splits.add(clip.split)
        yield clip
    check_splits(splits, recipe.collection.split_names, catalog)


def _choose(clips: Iterable[ClipRecord], recipe: Recipe) -> Iterator[ClipRecord]:
    wanted = recipe.collection
    fitting = (
        clip
        for clip in (_of_splits(clips, recipe) if wanted.splits else clips)
        if not wanted.labels or _labels_that_fit(clip, wanted.labels)
    )
    if wanted.sample_per_label is None:
        return fitting
    return _sample(fitting, recipe, wanted.sample_per_label)


def _of_splits(clips: Iterable[ClipRecord], recipe: Recipe) -> Iterator[ClipRecord]:
    wanted = {name.strip().casefold(): name for name in recipe.collection.splits}
    found: Counter[str] = Counter()
    seen: set[str] = set()
    for clip in clips:
        spelled = clip.split or ""
        found[spelled] += 1
        ours = known_split(spelled, recipe.collection.split_names)
        fitting = {spelled.strip().casefold(), ours} & wanted.keys()
        seen |= fitting
        if fitting:
            yield clip
    if missing := [name for folded, name in wanted.items() if folded not in seen]:
        there = ", ".join(
            f"{name or 'none'} ({counted(n, 'clip')})" for name, n in sorted(found.items())
        )
        raise CatalogError(
            f"collection.splits: the catalog has no split {missing[0]!r}. It has: {there}. Name "
            "its splits as it does, or say which of train, val and test one is in "
            "collection.split_names"
        )


def _sample(clips: Iterable[ClipRecord], recipe: Recipe, per_label: int) -> Iterator[ClipRecord]:
    """The clips of each label whose ranks are lowest; a clip may be one of several labels'."""
    lowest: defaultdict[str, list[tuple[int, int, ClipRecord]]] = defaultdict(list)
    for place, clip in enumerate(clips):
        ranked = (-_rank(recipe.seed, clip.clip_id), place, clip)
        for label in _labels_that_fit(clip, recipe.collection.labels) or [""]:
            if len(lowest[label]) < per_label:
                heapq.heappush(lowest[label], ranked)
            else:
                heapq.heappushpop(lowest[label], ranked)
    chosen = {place: clip for heap in lowest.values() for _, place, clip in heap}
    yield from (chosen[place] for place in sorted(chosen))


def _labels_that_fit(clip: ClipRecord, patterns: Iterable[str]) -> list[str]:
    folded = [pattern.casefold() for pattern in patterns]
    if not folded:
        return list(clip.labels)
    return [
        label
        for label in clip.labels
        if any(fnmatchcase(label.casefold(), pattern) for pattern in folded)
    ]


def _rank(seed: int, clip_id: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{clip_id}".encode()).digest()[:8], "big")
