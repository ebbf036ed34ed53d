"""How far a recipe is, stage by stage, read from the bucket alone."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from rich.table import Table

from s2s.catalog import Catalog, stored_catalog, stored_sources
from s2s.dataset import DatasetVersion, read_version, version_names
from s2s.dataset.held_out import answered_clips, choose_held_out
from s2s.errors import CatalogError
from s2s.layout import (
    checks_prefix,
    features_prefix,
    held_out_prefix,
    model_config_key,
    processed_prefix,
    raw_prefix,
)
from s2s.manifest import read_failures
from s2s.reasons import Reason
from s2s.records import Outcome
from s2s.settings import Recipe
from s2s.storage import Bucket

__all__ = ["StageStatus", "read_status", "status_table"]


@dataclass(frozen=True)
class StageStatus:
    """How far one stage is.

    Attributes:
        stage: its name.
        unit: what is counted.
        done: so many are in the bucket.
        pending: so many could be worked on, or will be when the stage before is done.
        failed: so many failed, by reason.
        note: what the stage made, such as a version.
    """

    stage: str
    unit: str
    done: int = 0
    pending: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    note: str = ""


def read_status(bucket: Bucket, recipe: Recipe) -> list[StageStatus]:
    """Every stage's status, in their order; one line alone before anything was collected."""
    try:
        catalog = stored_catalog(bucket, recipe)
    except CatalogError as error:
        return [StageStatus("collection", "clips", note=str(error))]
    names = version_names(bucket, recipe)
    version = read_version(bucket, recipe, names[-1]) if names else None
    clips = [clip.clip_id for clip in catalog.clips]
    processed = _stems(bucket, processed_prefix(recipe), ".mp4")
    statuses = [
        _collection(bucket, catalog),
        _counted(
            "preprocessing", clips, processed, read_failures(bucket, processed_prefix(recipe))
        ),
        _validation(bucket, recipe, clips, version),
    ]
    if version is None:
        later = ("feature_extraction", "training", "serving")
        return statuses + [StageStatus(stage, "", note="needs a version") for stage in later]
    return [*statuses, *_after_a_version(bucket, recipe, version)]


def status_table(recipe: Recipe, statuses: Iterable[StageStatus]) -> Table:
    """A row a stage with its failures' reasons under it: done, pending, failed.

    80 columns are enough.
    """
    table = Table(title=recipe.name)
    table.add_column("stage", no_wrap=True)
    for name in ("done", "pending", "failed"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("note", overflow="fold")
    for row in statuses:
        reasons = [f"  {number} {reason}" for reason, number in row.failed.items()]
        # Nearly all stages count clips.
        notes = [row.note] if row.unit in {"", "clips"} else [row.unit, row.note]
        table.add_row(
            "\n".join([row.stage, *reasons]),
            str(row.done),
            str(row.pending),
            str(row.failed.total()),
            ": ".join(filter(None, notes)),
        )
    return table


def _collection(bucket: Bucket, catalog: Catalog) -> StageStatus:
    sources = stored_sources(bucket)
    failures = read_failures(bucket, raw_prefix())
    done = {clip.clip_id for clip in catalog.clips if sources.files.find(clip)}
    by_clip = {
        clip.clip_id: failures[found.name]
        for clip in catalog.clips
        if (found := sources.failed.find(clip)) and found.name in failures
    }
    counted = _counted("collection", [clip.clip_id for clip in catalog.clips], done, by_clip)
    counted.failed.update({Reason.BAD_ROW.value: len(catalog.problems)} if catalog.problems else {})
    return counted


def _validation(
    bucket: Bucket, recipe: Recipe, clips: list[str], version: DatasetVersion | None
) -> StageStatus:
    in_version = (
        {clip.clip_id for split in version.clips.values() for clip in split} if version else set()
    )
    failures = read_failures(bucket, checks_prefix(recipe))
    sizes = (
        ", ".join(f"{len(rows)} {name}" for name, rows in version.clips.items()) if version else ""
    )
    note = f"{version.name}: {sizes}" if version else "no version yet"
    return _counted("validation", clips, in_version, failures, note)


def _after_a_version(bucket: Bucket, recipe: Recipe, version: DatasetVersion) -> list[StageStatus]:
    from s2s.features.stored import clip_identity, find_clips  # noqa: PLC0415 - numpy is slow

    prefix = features_prefix(recipe, version.name)
    stored = find_clips(bucket, recipe)
    clips = {clip.clip_id: clip for split in version.clips.values() for clip in split}
    extracted = {name for name, clip in clips.items() if (name, clip_identity(clip)) in stored}
    trained = bucket.exists(model_config_key(recipe, version.name))
    n_shown = 0 if recipe.why_not_shown else recipe.serving.show_clips
    shown = choose_held_out(version, n_shown).clips
    answers = answered_clips(bucket, recipe, version.name)
    refused = read_failures(bucket, held_out_prefix(recipe, version.name))
    return [
        _counted("feature_extraction", clips, extracted, read_failures(bucket, prefix)),
        StageStatus("training", "models", int(trained), int(not trained)),
        replace(
            _counted("serving", [clip.clip_id for clip in shown], answers, refused),
            unit="held-out clips",
        ),
    ]


def _counted(
    stage: str,
    clips: Iterable[str],
    done: set[str],
    failures: dict[str, Outcome],
    note: str = "",
) -> StageStatus:
    """Each clip once: done, failed or pending."""
    of_recipe = set(clips)
    failed = {name: failures[name] for name in failures if name in of_recipe - done}
    n_done = len(of_recipe & done)
    return StageStatus(
        stage,
        "clips",
        n_done,
        len(of_recipe) - n_done - len(failed),
        Counter(str(failure.reason) for failure in failed.values()),
        note,
    )


def _stems(bucket: Bucket, prefix: str, suffix: str) -> set[str]:
    names = (key.removeprefix(prefix) for key in bucket.keys(prefix))
    return {
        name.removesuffix(suffix) for name in names if name.endswith(suffix) and "/" not in name
    }
