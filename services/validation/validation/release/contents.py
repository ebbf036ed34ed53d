"""What a data set version holds: usable clips, each with its split and its checksums."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from s2s.catalog import check_splits
from s2s.dataset import SPLITS, DatasetClip
from s2s.layout import processed_prefix
from s2s.logs import counted, plural
from s2s.records import ClipRecord
from s2s.settings import Recipe
from s2s.storage import Bucket
from validation.alike.duplicates import AlikePair, Links, alike_pairs, link, redundant, still_alike
from validation.alike.hashes import VIEWS
from validation.checks.clip_checks import ClipCheck, read_checks
from validation.splits.split import (
    assign_splits,
    empty_splits,
    held_out_sources,
    shares_left,
    shares_of,
    source_labels,
)

__all__ = [
    "Contents",
    "arrange",
    "count_sources",
    "deal_folds",
    "remarks",
    "split_sources",
]


_TOLD_PAIRS = 3


@dataclass(frozen=True)
class Contents:
    """What a version is to hold.

    Attributes:
        clips: clips of each split.
        left_out: usable clips that it does not hold, with the pair that is why.
        pairs: clips that are alike.
        contradicting: those of them that have no label in common, with the labels of both.
    """

    clips: dict[str, tuple[DatasetClip, ...]]
    left_out: dict[str, AlikePair] = field(default_factory=dict)
    pairs: list[AlikePair] = field(default_factory=list)
    contradicting: dict[AlikePair, tuple[str, str]] = field(default_factory=dict)


def arrange(
    bucket: Bucket,
    recipe: Recipe,
    clips: Iterable[ClipRecord],
    past: Iterable[DatasetClip],
    just_checked: Iterable[str],
) -> Contents:
    """Split clips so that none alike are apart, and look up the checksums of their files.

    Args:
        bucket: where the checks are.
        recipe: what to split by.
        clips: usable clips.
        past: clips of all versions so far, each once, the newest version's last; their sources
            keep their splits, and so do copies of them, also where the clip itself is gone.
        just_checked: ids of clips whose checks are new.
    """
    records = {clip.clip_id: clip for clip in sorted(clips, key=lambda clip: clip.clip_id)}
    before = list(past)
    rows = _rows(bucket, recipe, records, before, just_checked)
    gone = [clip for clip in before if clip.clip_id not in records]
    with_past = alike_pairs([*rows, *gone])
    pairs = [pair for pair in with_past if {pair.first, pair.second} <= records.keys()]
    left_out: dict[str, AlikePair] = {}
    if recipe.validation.fix != "none":
        left_out = redundant(pairs, (clip.clip_id for clip in before))
    chosen = [record for name, record in records.items() if name not in left_out]
    of_past = set(with_past).difference(pairs)
    open_pairs = still_alike(pairs, left_out)
    open_pairs += [pair for pair in of_past if not {pair.first, pair.second} & left_out.keys()]
    splits, links = split_sources(recipe, chosen, before, open_pairs)
    left_out |= {name: pair for name, pair in links.left_out.items() if name in records}
    folds = deal_folds(recipe, chosen, before, splits, links)
    in_split: dict[str, list[DatasetClip]] = {split: [] for split in SPLITS}
    for row in rows:
        if row.clip_id not in left_out:
            split, fold = splits[row.source_id], folds.get(row.source_id)
            in_split[split].append(_changed(row, split=split, fold=fold))
    content = {split: tuple(in_split[split]) for split in SPLITS}
    return Contents(content, left_out, pairs, _contradicting(pairs, records))


def _contradicting(
    pairs: Iterable[AlikePair], records: Mapping[str, ClipRecord]
) -> dict[AlikePair, tuple[str, str]]:
    """Pairs whose clips have labels and none in common, in whatever splits they are."""
    found = {}
    for pair in pairs:
        labels = [records[name].labels for name in (pair.first, pair.second)]
        if pair.is_one_face and all(labels) and set(labels[0]).isdisjoint(labels[1]):
            found[pair] = (", ".join(labels[0]), ", ".join(labels[1]))
    return found


def _rows(
    bucket: Bucket,
    recipe: Recipe,
    records: Mapping[str, ClipRecord],
    before: Iterable[DatasetClip],
    just_checked: Iterable[str],
) -> list[DatasetClip]:
    """A row for each clip, in the order of records; its split and fold are not to be used yet."""
    # Objects are written once, so what a version says of a file stays true: no need to read a
    # hundred thousand checks again.
    prefix, new = processed_prefix(recipe), set(just_checked)
    known = {
        clip.clip_id: clip
        for clip in before
        if clip.key.startswith(prefix)
        and len(clip.picture_hash) == VIEWS * 64
        and clip.clip_id not in new
    }
    missing = [name for name in records if name not in known]
    for name, check in read_checks(bucket, recipe, missing):
        known[name] = _row(records[name], check)
    return [
        _changed(
            known[name],
            labels=record.labels,
            face_xy=record.face_xy,
            source_path=record.source_path or "",
        )
        for name, record in records.items()
    ]


def _changed(row: DatasetClip, **values: object) -> DatasetClip:
    """The row itself where it has these values already: a hundred thousand of them add up."""
    if all(getattr(row, name) == value for name, value in values.items()):
        return row
    return replace(row, **values)  # type: ignore[arg-type]


def _row(record: ClipRecord, check: ClipCheck) -> DatasetClip:
    return DatasetClip(
        clip_id=record.clip_id,
        source_id=record.source_id,
        start_s=record.start_s,
        end_s=record.end_s,
        labels=record.labels,
        face_xy=record.face_xy,
        split="train",
        **check.model_dump(exclude={"picture", "sound"}),
        duration_s=check.picture.duration_s,
        fps=check.picture.fps,
        width=check.picture.width,
        height=check.picture.height,
        loudness_dbfs=check.sound.loudness_dbfs,
        mean_dbfs=check.sound.mean_dbfs,
        picture_hash=check.picture.hash,
        sound_hash=check.sound.hash,
        moment_hashes=" ".join(
            seen + heard.hash
            for seen, heard in zip(check.picture.moment_hashes, check.sound.moments, strict=True)
        ),
    )


def split_sources(
    recipe: Recipe,
    clips: Sequence[ClipRecord],
    before: Iterable[DatasetClip],
    pairs: Iterable[AlikePair],
) -> tuple[dict[str, str], Links]:
    """A split for each source of the clips.

    One that had a split keeps it, whatever the catalog says now.

    Args:
        recipe: what to split by.
        clips: what is split.
        before: clips of all versions so far, the newest version's last.
        pairs: clips that are alike, also with such as are in older versions only.

    Raises:
        CatalogError: if the catalog's splits are to be kept, and one is not known.
    """
    placed = {clip.source_id: str(clip.split) for clip in before}
    kept: dict[str, str] = {}
    if recipe.validation.keep_catalog_split:
        names = recipe.collection.split_names
        check_splits((clip.split for clip in clips), names, recipe.collection.catalog)
        kept = held_out_sources(clips, names)
    source_of = {clip.clip_id: clip.source_id for clip in (*before, *clips)}
    links = link(source_of, pairs, kept | placed, {clip.clip_id for clip in before})
    labels = _unit_labels(clips, links)
    kept_units = {links.unit_of[source] for source in kept}
    shares = shares_left(shares_of(recipe.validation.train, recipe.validation.val), kept.values())
    units = assign_splits(
        {unit: names for unit, names in labels.items() if unit not in kept_units},
        shares,
        recipe.seed,
        {unit: split for unit, split in links.split_of.items() if unit not in kept_units},
    )
    units |= {unit: links.split_of[unit] for unit in kept_units}
    return {clip.source_id: units[links.unit_of[clip.source_id]] for clip in clips}, links


def deal_folds(
    recipe: Recipe,
    clips: Sequence[ClipRecord],
    before: Iterable[DatasetClip],
    splits: Mapping[str, str],
    links: Links,
) -> dict[str, int]:
    """A fold for each source that is not for testing."""
    number = recipe.validation.folds
    if not number:
        return {}
    unit_of = {source: links.unit_of[source] for source in splits if splits[source] != "test"}
    placed = {
        unit_of[clip.source_id]: str(clip.fold)
        for clip in before
        if clip.source_id in unit_of and clip.fold is not None and clip.fold < number
    }
    labels = _unit_labels([clip for clip in clips if clip.source_id in unit_of], links)
    shares = {str(fold): Fraction(1, number) for fold in range(number)}
    folds = assign_splits(labels, shares, recipe.seed, placed)
    return {source: int(folds[unit]) for source, unit in unit_of.items()}


def _unit_labels(clips: Iterable[ClipRecord], links: Links) -> dict[str, tuple[str, ...]]:
    """All labels of each group of sources that must stay together."""
    labels: defaultdict[str, set[str]] = defaultdict(set)
    for source, names in source_labels(clips).items():
        labels[links.unit_of[source]].update(names)
    return {unit: tuple(sorted(names)) for unit, names in labels.items()}


def count_sources(clips: Mapping[str, Iterable[DatasetClip]]) -> dict[str, int]:
    """Sources in each split."""
    return {split: len({clip.source_id for clip in clips[split]}) for split in SPLITS}


def remarks(recipe: Recipe, contents: Contents) -> list[str]:
    """What a user should know of the splits, in sentences."""
    splits = {clip.source_id: split for split in SPLITS for clip in contents.clips[split]}
    empty = empty_splits(splits, shares_of(recipe.validation.train, recipe.validation.val))
    notes = [
        f"{counted(len(splits), 'source')} {plural(len(splits), 'is', 'are')} too few for all "
        f"splits: {split} has none. More clips of "
        "these sources do not help, clips of other sources do"
        for split in empty
    ]
    if contents.pairs or contents.left_out:
        left_out = len(contents.left_out)
        named = [f"{pair.first} and {pair.second}" for pair in contents.pairs]
        alike = len(named)
        notes.append(
            f"{counted(alike, 'pair')} of clips {plural(alike, 'is', 'are')} alike{_some(named)}: "
            "none is in two splits"
            + (f", {counted(left_out, 'clip')} left out" if left_out else "")
            + ("; '--fix drop' keeps one of each" if recipe.validation.fix == "none" else "")
        )
    if contents.contradicting:
        told = [
            f"{pair.first} ({one}) and {pair.second} ({other})"
            for pair, (one, other) in sorted(contents.contradicting.items())[:_TOLD_PAIRS]
        ]
        notes.append(
            f"{counted(len(contents.contradicting), 'pair')} of clips that are alike "
            f"{plural(len(contents.contradicting), 'has', 'have')} no label in "
            f"common, so at least one of the two is wrong: {'; '.join(told)}"
            f"{'; …' * (len(contents.contradicting) > len(told))}. './s2s report' shows "
            "them side by side; correct the catalog"
        )
    return notes


def _some(named: Sequence[str]) -> str:
    """The first few, in brackets."""
    if not named:
        return ""
    more = "; …" if len(named) > _TOLD_PAIRS else ""
    return f" ({'; '.join(named[:_TOLD_PAIRS])}{more})"
