"""Clips of the catalog that a version does not have: after which stage, why, and where they are."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from s2s.catalog import stored_catalog, stored_sources
from s2s.dataset import SPLITS, DatasetVersion
from s2s.errors import CatalogError, ObjectNotFoundError
from s2s.layout import manifest_key, processed_prefix, quarantine_prefix
from s2s.manifest import read_manifest
from s2s.reasons import Reason, Status
from s2s.records import ClipRecord, Outcome, parse_clip_id
from s2s.settings import Recipe
from s2s.storage import Bucket

__all__ = ["FunnelStep", "LostClip", "find_lost", "funnel"]

_STAGES = ("collection", "preprocessing", "validation")


@dataclass(frozen=True)
class FunnelStep:
    """What is left of the catalog after a stage.

    Attributes:
        stage: its name.
        clips: clips that are left.
        lost: clips that this stage lost, by reason.
    """

    stage: str
    clips: int
    lost: dict[str, int]


@dataclass(frozen=True)
class LostClip:
    """A clip that is not in the version.

    Attributes:
        clip_id: the clip.
        stage: which lost it.
        reason: why.
        message: the same for a person.
        labels: what the catalog says of it.
        key: its cut file, else its source, in the bucket; empty where there is neither.
        start_s: where the clip starts in that file.
        source_path: the file that it was taken from, as it was called; empty where not known.
    """

    clip_id: str
    stage: str
    reason: str
    message: str
    labels: tuple[str, ...] = ()
    key: str = ""
    start_s: float = 0.0
    source_path: str = ""


Lost = dict[str, list[Outcome]]


def funnel(
    bucket: Bucket, recipe: Recipe, version: DatasetVersion
) -> tuple[list[FunnelStep], Lost]:
    """Clips left after each stage's last run, and the outcomes of those that each lost.

    Stages whose manifests are not there are not told.
    """
    steps: list[FunnelStep] = []
    lost: Lost = {}
    for stage in _STAGES:
        try:
            rows = read_manifest(bucket, manifest_key(recipe, stage))
        except ObjectNotFoundError:
            continue
        gone = [
            row
            for row in rows
            if row.status is not Status.OK and row.reason is not Reason.ALREADY_DONE
        ]
        # What an earlier stage lost is told there.
        lost[stage] = [row for row in gone if row.reason is not Reason.UPSTREAM_FAILED or not steps]
        if not steps:
            steps.append(FunnelStep("catalog", len(rows), {}))
        reasons = Counter(str(row.reason) for row in lost[stage])
        steps.append(FunnelStep(stage, len(rows) - len(gone), dict(reasons.most_common())))
    in_version = sum(len(version.split(split)) for split in SPLITS)
    return [*steps, FunnelStep(version.name, in_version, {})], lost


def find_lost(bucket: Bucket, recipe: Recipe, lost: Lost, most: int) -> list[LostClip]:
    """Clips that were lost, with their labels, and where something of them can be looked at.

    Args:
        bucket: where everything is.
        recipe: whose data set it is.
        lost: outcomes by stage.
        most: so many clips; reasons take turns, so that each is among them.
    """
    chosen = _in_turns([(stage, row) for stage, rows in lost.items() for row in rows], most)
    if not chosen:
        return []
    records = _records(bucket, recipe, {row.clip_id for _, row in chosen})
    cut = _cut_files(bucket, recipe)
    sources = stored_sources(bucket).files
    clips = []
    for stage, row in chosen:
        key, start_s = cut.get(row.clip_id, ""), 0.0
        if not key and (clip := _parsed(row.clip_id)) and (file := sources.find(clip)):
            key, start_s = file.key, clip.start_s - file.start_s
        known = records.get(row.clip_id)
        labels, path = (known.labels, known.source_path or "") if known else ((), "")
        reason, message = str(row.reason), row.message
        clips.append(LostClip(row.clip_id, stage, reason, message, labels, key, start_s, path))
    return sorted(clips, key=lambda clip: (_STAGES.index(clip.stage), clip.reason, clip.clip_id))


def _in_turns(rows: Iterable[tuple[str, Outcome]], most: int) -> list[tuple[str, Outcome]]:
    by_reason: defaultdict[tuple[str, str], list[tuple[str, Outcome]]] = defaultdict(list)
    for stage, row in rows:
        by_reason[stage, str(row.reason)].append((stage, row))
    ranked = [(turn, item) for items in by_reason.values() for turn, item in enumerate(items)]
    return [item for _, item in sorted(ranked, key=lambda pair: pair[0])[:most]]


def _records(bucket: Bucket, recipe: Recipe, names: set[str]) -> dict[str, ClipRecord]:
    try:
        catalog = stored_catalog(bucket, recipe)
    except CatalogError:
        return {}  # a version may outlive its catalog; labels of what it lost are then not known
    return {clip.clip_id: clip for clip in catalog.clips if clip.clip_id in names}


def _cut_files(bucket: Bucket, recipe: Recipe) -> dict[str, str]:
    """Keys of cut clips by clip id: those put aside, and those where they were cut."""
    return {
        key.removeprefix(prefix).removesuffix(".mp4"): key
        for prefix in (quarantine_prefix(recipe), processed_prefix(recipe))
        for key in bucket.keys(prefix)
        if key.endswith(".mp4")
    }


def _parsed(clip_id: str) -> ClipRecord | None:
    try:
        return parse_clip_id(clip_id)
    except ValueError:
        return None
